"""Attention between two spans of a text (Kovaleva et al. 2019, section 4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from probing.io.lazy import torch
from probing.representations.reductions.visible import visible_keys

if TYPE_CHECKING:  # a cached statistic needs none of what computes it
    from torch import Tensor

    from probing.representations.reductions.statistic import AttentionBatch

COLUMNS = ("to_second", "to_second_elsewhere", "to_first", "to_first_elsewhere", "both")
"""The numbers of each pair of spans."""


@dataclass(frozen=True)
class SpanPair:
    """The attention between two spans, and over the same distances elsewhere in the text.

    The unit is a text whose `words` are the two spans. `to_second` is the share of its attention that a token
    of the first span gives to the second, averaged over the tokens of the first; `to_first` is the other
    direction. For `to_second_elsewhere`, the attention of each pair of tokens is replaced by the mean over
    all other pairs of tokens of the text at the same distance whose query can see the key, special tokens
    left out. If there is no such pair, it stays, and so counts neither for nor against the head. `both` is 1
    if both spans have tokens, and 0 otherwise, as where one was cut off. A token of both spans belongs to the
    first.

    Attributes:
        weighted: Whether attention is weighted by the values that it moves.
    """

    weighted: bool = False

    @property
    def name(self) -> str:
        """The name in the key of the cache."""
        return "span_pair"

    @property
    def columns(self) -> tuple[str, ...]:
        """The attention in both directions, each next to that elsewhere."""
        return COLUMNS

    def reduce(self, attention: AttentionBatch) -> Tensor:
        """Reduce one batch; float64 (units, heads, columns).

        Raises:
            ProbingError: If queries and keys are not the tokens of the texts.
        """
        inputs = attention.read()
        spans = torch.stack([inputs.words == 0, inputs.words == 1], 1)  # (texts, 2, length)
        whole = inputs.real & ~inputs.special
        seen = visible_keys(attention.weights, inputs.real)
        within = whole.unsqueeze(2) & whole.unsqueeze(1) & seen
        counts = _diagonals(within.unsqueeze(1).double())
        sums = _diagonals(attention.weights.masked_fill(~within.unsqueeze(1), 0))
        columns = []
        for queries, keys in ((0, 1), (1, 0)):
            pairs = spans[:, queries].unsqueeze(2) & spans[:, keys].unsqueeze(1) & seen
            own, number = _of_pairs(attention.weights, pairs)
            others = counts - number
            elsewhere = number * (sums - own) / others.clamp_min(1)
            size = spans[:, queries].sum(1).clamp_min(1).view(-1, 1)
            columns += [own.sum(2) / size, torch.where(others > 0, elsewhere, own).sum(2) / size]
        both = spans.any(2).all(1).double().view(-1, 1).expand_as(columns[0])
        return attention.per_unit(torch.stack([*columns, both], 2))


def _diagonals(values: Tensor) -> Tensor:
    """Return sums over pairs at each distance, (..., length, length) -> float64 (..., 2 length - 1)."""
    length = values.shape[3]
    # rows that are one place longer shift by one place each when they are cut at the old length
    skewed = torch.nn.functional.pad(values.flip(3), (0, length)).flatten(2)
    texts, heads = values.shape[:2]
    rows = skewed[:, :, : length * (2 * length - 1)].reshape(texts, heads, length, 2 * length - 1)
    return rows.sum(2, dtype=torch.float64).flip(2)


def _of_pairs(weights: Tensor, pairs: Tensor) -> tuple[Tensor, Tensor]:
    """Return the attention of some pairs of tokens by distance, and their number.

    Args:
        weights: (texts, heads, length, length).
        pairs: bool (texts, length, length), few of which are True.

    Returns:
        float64 (texts, heads, 2 length - 1), and (texts, 1, 2 length - 1).
    """
    texts, queries, keys = pairs.nonzero(as_tuple=True)
    length = pairs.shape[1]
    at = texts, keys - queries + length - 1
    size = (len(pairs), 2 * length - 1)
    sums = torch.zeros(*size, weights.shape[1], dtype=torch.float64, device=weights.device)
    sums.index_put_(at, weights[texts, :, queries, keys].double(), accumulate=True)
    number = torch.zeros(size, dtype=torch.float64, device=weights.device)
    number.index_put_(at, torch.ones_like(texts, dtype=torch.float64), accumulate=True)
    return sums.transpose(1, 2), number.unsqueeze(1)
