"""Sites at which a model's vectors can be read, one frozen record for each."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from probing.errors import ProbingError


class Kind(StrEnum):
    """Kind of tensor that is read at a site."""

    HEAD = "head"
    HIDDEN = "hidden"
    ATTENTION = "attention"


class Side(StrEnum):
    """Side of a module at which a site is read."""

    INPUT = "input"
    OUTPUT = "output"
    METHOD = "method"
    """An argument of a method other than forward, for projections that are bare parameters."""
    RESULT = "result"
    """The output of the whole model, for tensors that no module carries."""


class Layout(StrEnum):
    """Order of axes in which the model stores a tensor."""

    BATCH_SEQ = "batch, seq, features"
    SEQ_BATCH = "seq, batch, features"
    FEATURES_SEQ = "batch, features, seq"
    FLAT = "batch * seq, features"
    WINDOWS = "batch * windows, seq, features"
    GRID = "batch, rows, columns, features"
    FEATURES_GRID = "batch, features, rows, columns"
    SEQ_BATCH_HEADS = "seq, batch, heads, features"
    WEIGHTS = "batch, heads, queries, keys"


@dataclass(frozen=True)
class Site:
    """One place of one forward pass at which vectors of one layer are read or written.

    Attributes:
        kind: Head outputs before the output projection, hidden states, or attention weights.
        layer: Layer from 0 in order of execution, counted separately for each stack and for cross-attention.
            For hidden states, -1 is the embeddings and l is the output of block l, as in
            `output_hidden_states` of transformers. The last one is usually taken after the final norm.
        module: Dotted name of the hooked module, relative to the traced model.
        call: Index of the call of that module in one forward pass, from 0; blocks may share modules.
        heads: Number of heads; 1 for hidden states.
        head_dim: Size of one head's vector; the width of hidden states; 0 for attention weights.
        side: Side of the module at which the tensor is read.
        position: Index or name of the argument, or of the entry in the output; None for the output itself.
            For `Side.RESULT`, it is the index in the tuple called `name`.
        name: Method for `Side.METHOD`; field of the model's output for `Side.RESULT`.
        layout: Order of the tensor's axes at that side.
        offset: Index of the first feature of head 0, if there are other features next to the heads.
        stack: "encoder" or "decoder" for a model that has both; "" otherwise.
        cross: Whether the queries attend to another sequence.
        aligned: Whether position i on the seq axis belongs to input token i. It is False if the model pools
            its sequence. Padding that a model appends itself is cropped and does not count.
        softmax: For heads, index of the softmax in a forward pass that gives their attention probabilities,
            from 0. None if they are computed in a fused function or in another way.
        note: Explanation if a head is unusual; "" otherwise.
    """

    kind: Kind
    layer: int
    module: str
    call: int
    heads: int
    head_dim: int
    side: Side = Side.INPUT
    position: int | str | None = 0
    name: str = ""
    layout: Layout = Layout.BATCH_SEQ
    offset: int = 0
    stack: str = ""
    cross: bool = False
    aligned: bool = True
    softmax: int | None = field(default=None, compare=False)
    note: str = ""

    def __repr__(self) -> str:
        """Return the name, and the number and size of its heads."""
        each = (
            f"{self.heads} heads x {self.head_dim}" if self.kind is Kind.HEAD else f"{self.head_dim} features"
        )
        return f"Site({self}{'' if self.kind is Kind.ATTENTION else f': {each}'})"

    def __str__(self) -> str:
        """Return a name as `encoder head outputs of layer 2 (encoder.block.2.layer.0.SelfAttention.o)`."""
        noun = {"head": "head outputs", "hidden": "hidden states", "attention": "attention weights"}
        cross = "cross-attention" if self.cross else ""
        what = " ".join(filter(None, (self.stack, cross, noun[self.kind])))
        return f"{what} of layer {self.layer} ({self.module or self.name})"


@dataclass(frozen=True)
class Sites:
    """All sites that can be read in one forward pass of a model.

    Layers without softmax attention, as in hybrids of attention and state-space layers, have no head site.

    Attributes:
        heads: Sites of head outputs, in order of execution.
        hidden: Sites of hidden states, in order of execution; empty if the model does not return them.
        attention: Sites of attention weights, in order of execution; empty unless attention is eager.
        implementation: Attention implementation of the model when it was traced.
        model_type: Model type in the model's config.
    """

    heads: tuple[Site, ...]
    hidden: tuple[Site, ...]
    attention: tuple[Site, ...]
    implementation: str = "eager"
    model_type: str = ""

    def read(self, kind: Literal["head", "hidden"]) -> tuple[Site, ...]:
        """Return the sites that vectors are read at, which are all of a kind but those of cross-attention."""
        return tuple(site for site in (self.heads if kind == "head" else self.hidden) if not site.cross)

    def __repr__(self) -> str:
        """Return the type of the model and the number of sites of each kind."""
        heads, hidden, attention = len(self.heads), len(self.hidden), len(self.attention)
        counted = f"{heads} of heads, {hidden} of hidden states, {attention} of attention"
        return f"Sites({self.model_type}, {self.implementation} attention: {counted})"

    def of(self, kind: Kind) -> tuple[Site, ...]:
        """Return the sites of one kind, at least one.

        Raises:
            ProbingError: If the model has no site of that kind; the message says how to get one.
        """
        found = {Kind.HEAD: self.heads, Kind.HIDDEN: self.hidden, Kind.ATTENTION: self.attention}[kind]
        if found:
            return found
        if kind is Kind.ATTENTION and self.implementation != "eager":
            raise eager_needed(self.model_type, self.implementation)
        raise ProbingError(f"{self.model_type}: the model does not expose its {kind} vectors; use heads")


def eager_needed(model_type: str, implementation: str) -> ProbingError:
    """Return the error for attention weights that a fused implementation never computes."""
    return ProbingError(
        f"{model_type}: attention weights are not computed by {implementation!r}; "
        'load the model with attn_implementation="eager"'
    )
