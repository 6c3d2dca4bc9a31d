"""The contract of a statistic of attention, and the attention that it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

from probing.errors import ProbingError
from probing.io.lazy import torch
from probing.representations.reductions.logs import entropy
from probing.representations.reductions.visible import Visible, visible_keys

if TYPE_CHECKING:  # the settings of a statistic need none of what computes it
    from torch import Tensor

    from probing.representations.reductions.token_batch import TokenBatch

Found = TypeVar("Found")


@dataclass(frozen=True)
class AttentionBatch:
    """Attention weights of one layer for a batch of texts.

    Attributes:
        weights: (texts, heads, queries, keys), a live view in the dtype of the model.
        real: bool (texts, length), the positions of the input that hold tokens and not padding.
        tokens: bool (units, length), the tokens of each unit; for a word only those within its span.
        texts: int64 (units,), the row of each unit's text; None where unit i is row i.
        inputs: The tokens of the texts; None where a statistic is applied to bare weights.
        layer: Number of the layer.
        earlier: Outcome of `keep` in this and all earlier layers of the batch, for a statistic
            `AcrossLayers`.
        reference: The weights of the same layer and texts in a second model, for a statistic
            `AgainstReference`; of the same shape.
        second: bool (units, length), the tokens of the second span of each unit; None if no unit has one.
        shared: What statistics of the same weights have computed, by name.
    """

    weights: Tensor
    real: Tensor
    tokens: Tensor
    texts: Tensor | None = None
    inputs: TokenBatch | None = None
    layer: int = 0
    earlier: Mapping[int, Tensor] = field(default_factory=dict)
    reference: Tensor | None = None
    second: Tensor | None = None
    shared: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def square(self) -> bool:
        """True if queries and keys are both the tokens of the input."""
        length = self.real.shape[1]
        return self.weights.shape[2] == length == self.weights.shape[3]

    @property
    def queries(self) -> Tensor:
        """The queries that are tokens, bool (texts, queries); all where they are not those of the input."""
        if self.weights.shape[2] == self.real.shape[1]:
            return self.real
        return self.real.new_ones(len(self.weights), self.weights.shape[2])

    def read(self) -> TokenBatch:
        """Return the tokens of the texts, whose positions are those of queries and keys.

        Raises:
            ProbingError: If the queries or keys are not the tokens of the texts, as in a model that pools.
        """
        if self.inputs is None or not self.square:
            raise ProbingError(
                f"layer {self.layer}: its {self.weights.shape[2]} queries and {self.weights.shape[3]} "
                f"keys are not the {self.real.shape[1]} tokens of the text; choose other granularity.layers"
            )
        return self.inputs

    @property
    def visible(self) -> Visible:
        """The keys that each query can see.

        Raises:
            ProbingError: If queries and keys are not the tokens of the texts.
        """
        inputs = self.read()
        return self._once("visible", lambda: inputs.visible(visible_keys(self.weights, inputs.real)))

    @property
    def nats(self) -> Tensor:
        """The entropy of each query in nats, at least float32 (texts, heads, queries)."""
        return self._once("nats", lambda: entropy(self.weights))

    def _once(self, name: str, compute: Callable[[], Found]) -> Found:
        if name not in self.shared:
            self.shared[name] = compute()
        found: Found = self.shared[name]
        return found

    @property
    def rows(self) -> Tensor:
        """The row of each unit's text, int64 (units,)."""
        if self.texts is not None:
            return self.texts
        return torch.arange(len(self.tokens), device=self.tokens.device)

    def per_unit(self, values: Tensor) -> Tensor:
        """Return the row of each unit's text; (texts, ...) -> (units, ...)."""
        return values if self.texts is None else values[self.texts]


class Statistic(Protocol):
    """A reduction of attention weights: a frozen dataclass whose fields are its settings.

    A new statistic is one such class. Its name and its settings are in the key of the cache; for a class from
    outside the package its source is too. If it has a setting `weighted` that is true, it is given A_ij ‖v_j
    W_O‖ (Kobayashi et al. 2020), divided by the sum of each row, instead of the weights A_ij.
    """

    @property
    def name(self) -> str:
        """The name in the key of the cache, unique among statistics."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the numbers that each unit and head gets, in order."""

    def reduce(self, attention: AttentionBatch) -> Tensor:
        """Reduce one batch of one layer.

        Numbers that are summed over tokens or texts later are kept as sums and counts.

        Args:
            attention: The weights, which must not be kept: a view keeps whole activations alive.

        Returns:
            float64 (units, heads, len(columns)).
        """


@runtime_checkable
class AcrossLayers(Statistic, Protocol):
    """A statistic that compares each head with all heads of its own and earlier layers.

    It has one number for each of these heads instead of `columns`, which names the number. Its `reduce`
    returns float64 (units, heads, heads of layers 0 to this one), layer after layer.
    """

    def keep(self, attention: AttentionBatch) -> Tensor:
        """Return the part of a layer that later layers of the batch are compared with.

        It is kept until the batch ends, so batches have fewer texts.

        Args:
            attention: The weights of the layer.

        Returns:
            (texts, heads, ...), a new tensor.
        """
