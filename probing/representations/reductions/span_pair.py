"""Attention between two spans of a text (Kovaleva et al. 2019, section 4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from probing.io.lazy import torch

if TYPE_CHECKING:  # a cached statistic needs none of what computes it
    from torch import Tensor

    from probing.representations.reductions.statistic import AttentionBatch

COLUMNS = ("to_second", "to_second_elsewhere", "to_first", "to_first_elsewhere", "both")
"""The numbers of each pair of spans."""


@dataclass(frozen=True)
class SpanPair:
    """The attention between two spans, and over the same distances elsewhere in the text.

    The unit is a pair of spans, `Unit.span` and `Unit.second_span`. The model reads a text once for all its
    pairs. `to_second` is the share of its attention that a token of the first span gives to the second,
    averaged over the tokens of the first; `to_first` is the other direction. For `to_second_elsewhere`, the
    attention of each pair of tokens is replaced by the mean over all other pairs of tokens of the text at the
    same distance whose query can see the key, special tokens left out. If there is no such pair, it stays,
    and so counts neither for nor against the head. `both` is 1 if both spans have tokens, and 0 otherwise. A
    token of both spans belongs to the first.

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
        whole = inputs.real & ~inputs.special
        seen = attention.visible.keys
        within = (whole.unsqueeze(2) & whole.unsqueeze(1) & seen).unsqueeze(1)
        read = _Read(
            attention.weights,
            seen,
            _diagonals(attention.weights.masked_fill(~within, 0)),
            _diagonals(within.double()),
        )
        first = attention.tokens
        second = torch.zeros_like(first) if attention.second is None else attention.second & ~first
        # the sums of many pairs of one text would need more memory than its attention
        some = max(1, inputs.real.numel() // 8)
        parts = zip(*(torch.split(each, some) for each in (attention.rows, first, second)), strict=True)
        return torch.cat([_columns(read, *part) for part in parts])


@dataclass(frozen=True)
class _Read:
    """The attention of texts, and its sums over the pairs of tokens at each distance.

    Attributes:
        weights: (texts, heads, length, length).
        seen: bool (texts, length, length), the keys that each query can see.
        sums: float64 (texts, heads, 2 length - 1).
        counts: float64 (texts, 1, 2 length - 1), the numbers of pairs.
    """

    weights: Tensor
    seen: Tensor
    sums: Tensor
    counts: Tensor


def _columns(read: _Read, texts: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Return the columns of some pairs of spans, float64 (units, heads, columns).

    Args:
        read: The attention of all texts.
        texts: int64 (units,), the text of each pair.
        first: bool (units, length), the tokens of the first span.
        second: The same for the second, which shares no token with the first.
    """
    columns = []
    for queries, keys in ((first, second), (second, first)):
        own, number = _of_pairs(read, texts, queries, keys)
        others = read.counts[texts] - number
        elsewhere = number * (read.sums[texts] - own) / others.clamp_min(1)
        size = queries.sum(1).clamp_min(1).view(-1, 1)
        columns += [own.sum(2) / size, torch.where(others > 0, elsewhere, own).sum(2) / size]
    both = (first.any(1) & second.any(1)).double().view(-1, 1).expand_as(columns[0])
    return torch.stack([*columns, both], 2)


def _diagonals(values: Tensor) -> Tensor:
    """Return sums over pairs at each distance, (..., length, length) -> float64 (..., 2 length - 1)."""
    length = values.shape[3]
    # rows that are one place longer shift by one place each when they are cut at the old length
    skewed = torch.nn.functional.pad(values.flip(3), (0, length)).flatten(2)
    texts, heads = values.shape[:2]
    rows = skewed[:, :, : length * (2 * length - 1)].reshape(texts, heads, length, 2 * length - 1)
    return rows.sum(2, dtype=torch.float64).flip(2)


def _of_pairs(read: _Read, texts: Tensor, queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
    """Return the attention between the tokens of two spans by distance, and the number of visible pairs.

    Args:
        read: The attention of all texts.
        texts: int64 (units,), the text of each pair of spans.
        queries: bool (units, length), the tokens of one span.
        keys: bool (units, length), the tokens of the other.

    Returns:
        float64 (units, heads, 2 length - 1), and (units, 1, 2 length - 1).
    """
    weights, length = read.weights, queries.shape[1]
    size = (len(queries), 2 * length - 1)
    sums = torch.zeros(*size, weights.shape[1], dtype=torch.float64, device=weights.device)
    number = torch.zeros(size, dtype=torch.float64, device=weights.device)
    units, froms = queries.nonzero(as_tuple=True)
    # every key of every query that can see it
    of, tos = (keys[units] & read.seen[texts[units], froms]).nonzero(as_tuple=True)
    units, froms = units[of], froms[of]
    at = units, tos - froms + length - 1
    sums.index_put_(at, weights[texts[units], :, froms, tos].double(), accumulate=True)
    number.index_put_(at, torch.ones_like(units, dtype=torch.float64), accumulate=True)
    return sums.transpose(1, 2), number.unsqueeze(1)
