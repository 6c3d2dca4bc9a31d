"""Read or change the tensors at sites during a forward pass of an unmodified model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any

from torch import Tensor
from transformers import PreTrainedModel

from probing.errors import ProbingError
from probing.models.fused import check_eager
from probing.models.placement import Edit, ForwardStoppedError, Placement
from probing.models.sites import Kind, Side, Site
from probing.validation.arguments import checked

Read = Callable[[Site, Tensor], None]


class Capture:
    """Callable that runs forward passes of a model whose sites are being read."""

    def __init__(
        self,
        model: PreTrainedModel,
        placement: Placement,
        follower: AbstractContextManager[object] | None = None,
    ) -> None:
        """Store the model, its hooks, and a mode in which passes run; `capture` calls this."""
        self._model = model
        self._placement = placement
        self._follower = follower

    def __repr__(self) -> str:
        """Return the class of the model and the sites that are read."""
        return f"Capture({type(self._model).__name__}: {len(self._placement.sites)} sites)"

    def __call__(self, **inputs: Any) -> None:  # noqa: ANN401
        """Run one forward pass. The caller sets gradient modes and, for decoders, `use_cache`.

        Args:
            inputs: Keyword arguments of the model, as for `model(**inputs)`.

        Raises:
            ProbingError: If a requested site is not reached, or a head mask is passed; if attention weights
                are requested and differ from those that fused attention uses.
        """
        if self._placement.reads_attention or self._follower is not None:
            with self._placement.paused():
                check_eager(self._model, inputs)
        try:
            with self._follower or nullcontext():
                self._model(**inputs)
        except ForwardStoppedError:
            return


@checked()
@contextmanager
def capture(
    model: PreTrainedModel, sites: Sequence[Site], read: Read, *, stop_early: bool = True
) -> Iterator[Capture]:
    """Read sites of a model in every forward pass within the context.

    If attention weights are read, the first forward pass also compares eager with fused attention on its
    inputs (`check_eager`). Other hooks on the model then see two additional passes.

    Args:
        model: Model in which the sites were found; it is restored when the context ends.
        sites: Sites to read, in any order.
        read: Callback for each site and pass. It receives a live view of the model's own tensor: heads
            (batch, seq, heads, head_dim), hidden states (batch, seq, features) or attention weights (batch,
            heads, queries, keys). It must reduce or clone what it keeps: a view keeps whole activations
            alive, shows what the model writes later, and under inference mode cannot be used outside it.
        stop_early: Whether to leave the forward pass after the last requested site. Otherwise it runs to its
            end, and its output is bit-identical to a pass without the context.

    Yields:
        A callable that runs one forward pass with the keyword arguments of the model.

    Raises:
        ProbingError: If a site does not belong to the model, or attention weights are requested from a fused
            implementation.

    Example:
        >>> import torch
        >>> from transformers import BertConfig, BertModel
        >>> from probing import capture, find_sites
        >>> model = BertModel(BertConfig(vocab_size=100, num_hidden_layers=2)).eval()
        >>> means = {}
        >>> def read(site, heads):  # (batch, seq, heads, head_dim)
        ...     means[site.layer] = heads.mean(dim=1).clone()
        >>> with torch.no_grad(), capture(model, find_sites(model).heads, read) as run:
        ...     run(input_ids=torch.tensor([[5, 6, 7]]))
        >>> {layer: tuple(mean.shape) for layer, mean in means.items()}
        {0: (1, 12, 64), 1: (1, 12, 64)}
    """

    def only_read(site: Site, tensor: Tensor) -> None:
        read(site, tensor)

    with _placed(model, sites, only_read, stop_early=stop_early) as placement:
        yield Capture(model, placement)


@checked()
@contextmanager
def edit(model: PreTrainedModel, sites: Sequence[Site], change: Edit) -> Iterator[None]:
    """Change the tensors at sites of a model in every forward pass within the context.

    Args:
        model: Model in which the sites were found; it is restored when the context ends.
        sites: Sites of head outputs or hidden states.
        change: Callback that is called like `read` of `capture`, also with gradients. The tensor that it
            returns, in the shape of the view, replaces the view in a copy of the model's tensor. None leaves
            the tensor unchanged.

    Raises:
        ProbingError: If a site cannot be written, or a forward pass does not reach it.

    Example:
        >>> import torch
        >>> from transformers import BertConfig, BertModel
        >>> from probing import edit, find_sites
        >>> model = BertModel(BertConfig(vocab_size=100, num_hidden_layers=2)).eval()
        >>> def double_head_3(site, heads):  # (batch, seq, heads, head_dim)
        ...     changed = heads.clone()
        ...     changed[:, :, 3] *= 2
        ...     return changed
        >>> ids = torch.tensor([[5, 6, 7]])
        >>> plain = model(ids).last_hidden_state
        >>> with edit(model, find_sites(model).heads[:1], double_head_3):
        ...     edited = model(ids).last_hidden_state
        >>> torch.equal(plain, edited)
        False
    """
    for site in sites:
        if site.kind is Kind.ATTENTION or site.side is Side.RESULT:
            raise ProbingError(f"{site}: cannot be written, only read; write to heads or hidden states")
    with _placed(model, sites, change, stop_early=False):
        yield


@contextmanager
def _placed(
    model: PreTrainedModel, sites: Sequence[Site], change: Edit, *, stop_early: bool
) -> Iterator[Placement]:
    placement = Placement(model, sites, change, stop_early=stop_early)
    with ExitStack() as hooks:
        placement.install(hooks)
        yield placement
