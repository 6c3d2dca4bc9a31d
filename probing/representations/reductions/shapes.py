"""The shape of attention maps: vertical lines, diagonals and blocks (Kovaleva et al. 2019, section 4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from probing.io.lazy import torch
from probing.representations.reductions.visible import by_chance, next_to

if TYPE_CHECKING:  # a cached statistic needs none of what computes it
    from torch import Tensor

    from probing.representations.reductions.statistic import AttentionBatch
    from probing.representations.reductions.token_batch import TokenBatch

SHAPES = ("vertical", "diagonal", "block")


@dataclass(frozen=True)
class Shapes:
    """Attention on the most attended tokens, on neighbours and within segments, summed over queries.

    `vertical` is attention to the few keys that get most of it in the whole text, `diagonal` to the query
    itself and its neighbours, and `block` to tokens of the query's own segment, out of all attention to
    tokens of either segment. The same sums for attention that is uniform over the visible keys stand next to
    them. Queries that see no key but themselves are left out, and for `block` queries that are in no segment,
    which are all of them where the text has one segment.

    Attributes:
        keys: Number of keys that count for `vertical`; [CLS] and two [SEP] make three.
        reach: Distance from the query up to which a key counts for `diagonal`.
        weighted: Whether attention is weighted by the values that it moves.
    """

    keys: int = 3
    reach: int = 1
    weighted: bool = False

    @property
    def name(self) -> str:
        """The name in the key of the cache."""
        return "shapes"

    @property
    def columns(self) -> tuple[str, ...]:
        """The sums, the same sums by chance, and the numbers of queries."""
        return (*SHAPES, *map(by_chance, SHAPES), "queries", "in_segments")

    def reduce(self, attention: AttentionBatch) -> Tensor:
        """Reduce one batch; float64 (units, heads, columns).

        Raises:
            ProbingError: If queries and keys are not the tokens of the texts.
        """
        inputs = attention.read()
        seen = attention.visible
        rows = seen.several
        segmented = rows & (inputs.segments >= 0) & (inputs.segments.amax(1, keepdim=True) > 0)
        found = self._sums(attention.weights, inputs, rows, segmented)
        even = seen.uniform
        chance = seen.once(self, lambda: self._sums(even.to(attention.weights), inputs, rows, segmented))
        sizes = torch.stack([rows.sum(1), segmented.sum(1)], 1).double().unsqueeze(1)
        return attention.per_unit(next_to(found, chance, sizes))

    def _sums(self, weights: Tensor, inputs: TokenBatch, rows: Tensor, segmented: Tensor) -> Tensor:
        """Return the sums of `SHAPES`, float64 (texts, heads, 3)."""
        kept = weights.masked_fill(~rows.view(len(rows), 1, -1, 1), 0)
        received = kept.sum(2, dtype=torch.float64)
        vertical = received.topk(min(self.keys, received.shape[2]), 2).values.sum(2)
        near = kept.triu(-self.reach).tril(self.reach).sum((2, 3), dtype=torch.float64)
        return torch.stack([vertical, near, _within(weights, inputs, segmented)], 2)


def _within(weights: Tensor, inputs: TokenBatch, segmented: Tensor) -> Tensor:
    """Return the share of attention to either segment that is in the query's own, summed over queries."""
    segments = torch.stack([inputs.segments == number for number in (0, 1)], 2).to(weights.dtype)
    to_each = torch.matmul(weights, segments.unsqueeze(1)).double()  # (texts, heads, queries, 2)
    own = (to_each * segments.unsqueeze(1)).sum(3)
    shares = own / to_each.sum(3).clamp_min(torch.finfo(torch.float64).tiny)
    return shares.masked_fill(~segmented.unsqueeze(1), 0).sum(2)
