"""Find every attention head of a transformers model of any family."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor, nn
from transformers import PreTrainedModel

from probing.errors import ProbingError
from probing.models.axes import ordered, recognised
from probing.models.default_inputs import Sizes, decoder_of, default_inputs, sizes_of
from probing.models.follow import Mark
from probing.models.recording import Bare, Event, Recording, implementation, record
from probing.models.sites import Kind, Layout, Side, Site, Sites
from probing.models.states import attention_sites, hidden_sites
from probing.validation.arguments import checked

METHODS = {"XLNetRelativeAttention": ("post_attention", 1)}
"""Methods that project a context by a bare parameter, and the index of the context among the arguments."""


@checked()
def find_sites(model: PreTrainedModel, inputs: Mapping[str, Tensor] | None = None) -> Sites:
    """Find the sites at which the heads, hidden states and attention weights of a model can be read.

    This runs one small forward pass and follows the data. The first linear module that receives attention
    probabilities times values is the output projection; its input is the concatenated output of all heads. A
    model whose attention has no softmax is read at the last linear module of its attention blocks, and the
    note of each site says so.

    Args:
        model: Any unmodified transformers model; its mode and random state stay the same.
        inputs: Keyword arguments of a forward pass; the default is a few tokens or a small image. Use a batch
            of at least 2 whose size differs from its lengths.

    Returns:
        Sites of head outputs, hidden states and, with eager attention, attention weights.

    Raises:
        ProbingError: If the model has no attention heads, or they cannot be read.

    Example:
        >>> from transformers import BertConfig, BertModel
        >>> from probing import find_sites
        >>> model = BertModel(BertConfig(vocab_size=100, num_hidden_layers=2))
        >>> sites = find_sites(model)
        >>> print(sites.heads[0])
        head outputs of layer 0 (encoder.layer.0.attention.output.dense)
        >>> [(site.layer, site.heads, site.head_dim) for site in sites.heads]
        [(0, 12, 64), (1, 12, 64)]
    """
    given = default_inputs(model) if inputs is None else dict(inputs)
    recording = record(model, given)
    sizes = sizes_of(model, (), given)
    finder = _Finder(model, recording, sizes)
    found = finder.heads()
    eager = implementation(model) == "eager"
    heads = tuple(site for site, _ in found)
    return Sites(
        heads=heads,
        hidden=hidden_sites(recording, sizes),
        attention=attention_sites(recording, sizes, found, finder.count) if eager else (),
        implementation=implementation(model),
        model_type=model.config.model_type,
    )


class _Finder:
    """Converter of a recording into head sites."""

    def __init__(self, model: PreTrainedModel, recording: Recording, sizes: Sizes) -> None:
        self._recording = recording
        self._sizes = sizes
        memory = getattr(recording.output, "encoder_last_hidden_state", None)
        self._memory = sizes.memory if memory is None else memory.shape[1]
        self._type = model.config.model_type
        self.count = getattr(model.config.get_text_config(), "num_attention_heads", None)
        self._decoder = decoder_of(model)

    def stack_of(self, module: str) -> str:
        """Return the stack that a module belongs to."""
        if self._decoder is None:
            return ""
        owners = {n for n, m in self._recording.modules.items() if m is self._decoder}
        inside = any(module == owner or module.startswith(f"{owner}.") for owner in owners)
        return "decoder" if inside else "encoder"

    def heads(self) -> list[tuple[Site, Mark | None]]:
        """Return the head sites in order of execution, each with the mark of its context."""
        found = self._projections() or self._methods()
        if not found and self._recording.bare:
            raise ProbingError(
                f"{self._type}: its heads are projected inside a function, not by a module; "
                "choose another model"
            )
        found = found or self._by_name()
        if not found:
            raise ProbingError(f"{self._type}: the model has no attention heads; choose another model")
        return self._numbered(found)

    def _projections(self) -> list[tuple[Site, Mark | None]]:
        """Return the sites where a context enters a linear module for the first time.

        A second call of the same projection within one attention block is another stream of the same
        heads, such as the predicting stream of prophetnet, and is ignored.
        """
        seen: set[object] = set()
        found: list[tuple[Site, Mark | None]] = []
        for event in self._recording.events:
            mark = event.mark
            if event.side is not Side.INPUT or event.module not in self._recording.linear:
                continue
            if mark is None or not mark.dim or mark.origin in seen:
                continue
            stream = (event.module, event.owner)
            if stream not in seen:
                found.append((self._site(event, mark), mark))
            seen |= {mark.origin, stream}
        return found

    def _methods(self) -> list[tuple[Site, Mark | None]]:
        return [(self._method(bare), bare.mark) for bare in self._recording.bare if self._adapter(bare)]

    def _adapter(self, bare: Bare) -> tuple[str, int] | None:
        return METHODS.get(type(self._recording.modules[bare.module]).__name__) if bare.mark else None

    def _method(self, bare: Bare) -> Site:
        name, position = METHODS[type(self._recording.modules[bare.module]).__name__]
        dim = bare.mark.dim if bare.mark else 0
        return Site(
            Kind.HEAD, 0, bare.module, bare.call, int(self.count or 1), dim,
            Side.METHOD, position, name, Layout.SEQ_BATCH_HEADS,
        )  # fmt: skip

    def _by_name(self) -> list[tuple[Site, Mark | None]]:
        """Return the last linear module called in each outermost module named ...Attention."""
        last: dict[tuple[str, int], Event] = {}
        for event in self._recording.events:
            if event.side is Side.INPUT and event.module in self._recording.linear:
                block = self._attention_block(event.module)
                if block is not None and self.count:
                    last[block, event.call] = event
        note = "no softmax: the input of the block's last linear, split by the config's head count"
        found: list[tuple[Site, Mark | None]] = []
        for event in last.values():
            width = event.tensor.shape[-1]
            mark = Mark(0, 0, 0, dim=width // int(self.count or 1))
            found.append((replace(self._site(event, mark), note=note), None))
        return found

    def _attention_block(self, module: str) -> str | None:
        parts = module.split(".")
        names = [".".join(parts[:i]) for i in range(1, len(parts))]
        return next((name for name in names if _is_attention(self._recording.modules[name])), None)

    def _site(self, event: Event, mark: Mark) -> Site:
        module = self._recording.modules[event.module]
        layout = recognised(event.tensor, self._sizes.batch, features_first=isinstance(module, nn.Conv1d))
        if layout is None:
            raise ProbingError(
                f"{self._type}: shape {tuple(event.tensor.shape)} of {event.module} is not understood; "
                "pass a batch of 2 or more as inputs, or choose another model"
            )
        shape = ordered(layout, event.tensor, self._sizes.batch).shape
        heads, rest = divmod(int(shape[-1] * mark.share), mark.dim)
        if rest:
            raise ProbingError(
                f"{self._type}: the heads of {event.module} cannot be separated; choose another model"
            )
        stack = self.stack_of(event.module)
        length = self._sizes.of(stack)
        aligned = length is None or shape[1] >= length
        cross = mark.keys == self._memory and mark.queries != mark.keys and stack != "encoder"
        return Site(
            Kind.HEAD, 0, event.module, event.call, heads, mark.dim, Side.INPUT, event.position,
            layout=layout, offset=int(shape[-1] * mark.start), stack=stack, cross=cross, aligned=aligned,
            softmax=mark.softmax, note=self._note(mark, heads, layout, aligned),
        )  # fmt: skip

    def _note(self, mark: Mark, heads: int, layout: Layout, aligned: bool) -> str:
        notes = []
        if mark.mixed:
            notes.append("a norm over all heads precedes the projection")
        if mark.share < 1:
            notes.append("other features enter the projection next to the heads")
        if isinstance(self.count, int) and heads != self.count:
            notes.append(f"{heads} heads although the config states {self.count}")
        if layout is Layout.WINDOWS:
            notes.append("positions are ordered by window")
        if not aligned:
            notes.append("the sequence is pooled: positions are not tokens")
        return "; ".join(notes)

    def _numbered(self, found: list[tuple[Site, Mark | None]]) -> list[tuple[Site, Mark | None]]:
        layers: Counter[tuple[str, bool]] = Counter()
        numbered = []
        for site, mark in found:
            key = (site.stack, site.cross)
            if site.heads:  # a layer whose heads were all cut keeps its number but has no site
                numbered.append((replace(site, layer=layers[key]), mark))
            layers[key] += 1
        return numbered


def _is_attention(module: nn.Module) -> bool:
    return type(module).__name__.endswith("Attention")
