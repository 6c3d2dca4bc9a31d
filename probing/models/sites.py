"""Where a model's vectors can be read: one frozen record for each place."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from probing.errors import ProbingError


class Kind(StrEnum):
    """What is read at a site."""

    HEAD = "head"
    HIDDEN = "hidden"
    ATTENTION = "attention"


class Side(StrEnum):
    """Which door of the module a site is read through."""

    INPUT = "input"
    OUTPUT = "output"
    METHOD = "method"
    """An argument of a method other than forward, for projections that are bare parameters."""
    RESULT = "result"
    """The output of the whole model: where no module carries the tensor."""


class Layout(StrEnum):
    """The order of axes in which the model holds the tensor."""

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
        layer: From 0 in order of execution, counted apart for each stack and for cross-attention. Of
            hidden states, -1 is the embeddings and l the output of block l, as `output_hidden_states`
            of the library has it: the last one is mostly taken after the final norm.
        module: Dotted name of the module that is hooked, relative to the model that was traced.
        call: Which call of that module in one forward pass, from 0; blocks may share modules.
        heads: Number of heads; 1 for hidden states.
        head_dim: Size of one head's vector; the width of hidden states; 0 for attention weights.
        side: Which door of the module.
        position: Index of the argument, of the entry in the output tuple, or its name; None stands for
            the output itself. Of `Side.RESULT`, the index in the tuple called `name`.
        name: The method of `Side.METHOD`; the field of the model's output of `Side.RESULT`.
        layout: The axes of the tensor at that door.
        offset: First feature of head 0, where other features stand beside the heads.
        stack: "encoder" or "decoder" of a model that has both; "" otherwise.
        cross: Whether the queries attend to another sequence.
        aligned: Whether position i on the seq axis belongs to input token i. False where the model
            pools its sequence; padding that a model appends by itself is cropped, and so is aligned.
        softmax: Of heads, which softmax of a forward pass gives their attention probabilities, from 0; None
            where they are computed within a fused function, or otherwise.
        note: What a head is, where that is unusual; "" otherwise.
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

    def __str__(self) -> str:
        """As in messages: `encoder head outputs of layer 2 (encoder.block.2.layer.0.SelfAttention.o)`."""
        noun = {"head": "head outputs", "hidden": "hidden states", "attention": "attention weights"}
        cross = "cross-attention" if self.cross else ""
        what = " ".join(filter(None, (self.stack, cross, noun[self.kind])))
        return f"{what} of layer {self.layer} ({self.module or self.name})"


@dataclass(frozen=True)
class Sites:
    """All that can be read in one forward pass of a model.

    Layers without softmax attention, as in hybrids of attention and state spaces, have no head site.

    Attributes:
        heads: In order of execution.
        hidden: In order of execution; empty if the model returns no hidden states.
        attention: In order of execution; empty unless the model runs the eager implementation.
        implementation: The model's attention implementation when it was traced.
        model_type: As in the model's config.
    """

    heads: tuple[Site, ...]
    hidden: tuple[Site, ...]
    attention: tuple[Site, ...]
    implementation: str = "eager"
    model_type: str = ""

    def of(self, kind: Kind) -> tuple[Site, ...]:
        """The sites of one kind, never none.

        Raises:
            ProbingError: If the model has none of that kind; the message says how to get them.
        """
        found = {Kind.HEAD: self.heads, Kind.HIDDEN: self.hidden, Kind.ATTENTION: self.attention}[kind]
        if found:
            return found
        if kind is Kind.ATTENTION and self.implementation != "eager":
            raise eager_needed(self.model_type, self.implementation)
        raise ProbingError(f"{self.model_type}: the model does not give its {kind} vectors; use heads")


def eager_needed(model_type: str, implementation: str) -> ProbingError:
    """The error for attention weights that a fused implementation never computes."""
    return ProbingError(
        f"{model_type}: attention weights are not computed by {implementation!r}; "
        'load the model with attn_implementation="eager"'
    )
