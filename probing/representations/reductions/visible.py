"""The keys that each query can see, read from the weights: all, those before it, or a window."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from probing.io.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

Found = TypeVar("Found")


@dataclass(frozen=True, eq=False)
class Visible:
    """The keys that each query of a batch can see, for all layers with this mask.

    Attributes:
        keys: bool (texts, queries, keys); False in rows and columns of padding.
    """

    keys: Tensor
    _found: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def counts(self) -> Tensor:
        """The number of keys of each query, int64 (texts, queries)."""
        return self.keys.sum(2)

    @cached_property
    def several(self) -> Tensor:
        """The queries that see another key than themselves, bool (texts, queries)."""
        return self.counts > 1

    @cached_property
    def uniform(self) -> Tensor:
        """Attention that is spread evenly over visible keys, float32 (texts, 1, queries, keys)."""
        shares = self.keys.float()
        return (shares / self.counts.clamp_min(1).unsqueeze(2)).unsqueeze(1)

    @cached_property
    def most_nats(self) -> Tensor:
        """The entropy of uniform attention in nats, float64 (texts, queries), at least ln 2."""
        return self.counts.clamp_min(2).double().log()

    def once(self, name: Hashable, compute: Callable[[], Found]) -> Found:
        """Return what depends on the mask and the tokens alone, computed for the first layer that asks.

        Args:
            name: Its name, unique in the batch, such as the statistic that it belongs to.
            compute: Its computation.
        """
        if name not in self._found:
            self._found[name] = compute()
        found: Found = self._found[name]
        return found


def visible_keys(weights: Tensor, real: Tensor) -> Tensor:
    """Return the keys that some head of the layer gives any weight, and the query itself.

    A single head may give a key a weight that is too small for its precision. A key that no head of the layer
    gives any weight is outside the mask of the model, as later tokens of a causal model are.

    Args:
        weights: (texts, heads, length, length).
        real: bool (texts, length), the tokens that are not padding.

    Returns:
        bool (texts, length, length); False in rows and columns of padding.
    """
    seen = weights.amax(1) > 0
    seen.diagonal(dim1=1, dim2=2).fill_(value=True)
    return seen & real.unsqueeze(2) & real.unsqueeze(1)


def summed(of_queries: Sequence[Tensor], counted: Tensor) -> Tensor:
    """Return sums over the queries that count, float64 (texts, heads, sums).

    Args:
        of_queries: For each sum its parts, (texts, heads, queries), of at most float64.
        counted: bool (texts, queries); parts of other queries may be NaN.
    """
    wide = max((part.dtype for part in of_queries), key=lambda dtype: dtype.itemsize)
    parts = torch.stack([part.to(wide) for part in of_queries], 2)
    left_out = ~counted.unsqueeze(1).unsqueeze(2)
    return parts.masked_fill_(left_out, 0).sum(3, dtype=torch.float64)


def by_chance(name: str) -> str:
    """Return the column with the same number for attention that is uniform over the visible keys."""
    return f"{name}_by_chance"


def next_to(found: Tensor, *of_texts: Tensor) -> Tensor:
    """Return the numbers of heads, (texts, heads, ...), then those that all heads share, (texts, 1, ...)."""
    return torch.cat([found, *(part.expand(-1, found.shape[1], -1) for part in of_texts)], 2)
