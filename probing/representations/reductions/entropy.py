"""The entropy of attention of each text and head, with the attention that the first token draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from probing.io.lazy import torch

if TYPE_CHECKING:  # a cached entropy needs none of what computes it
    from torch import Tensor

    from probing.representations.reductions.statistic import AttentionBatch

LATE = 4
"""Tokens of a text after which a uniform head gives the first token a fifth of its attention or less."""


@dataclass(frozen=True)
class Entropy:
    """Sums of −Σ_j A_ij ln A_ij in nats over the tokens i of a text, and their number; 0 · ln 0 is 0.

    The other columns show whether the entropy is that of a sink. They are attention to the first token,
    summed over the tokens from the fifth on; the number of these tokens; and the largest attention to a later
    token, which is 0 in causal models. All are 0 where queries and keys are not the tokens of the text.
    """

    @property
    def name(self) -> str:
        """The name in the key of the cache."""
        return "entropy"

    @property
    def columns(self) -> tuple[str, ...]:
        """Sum of entropies, number of tokens, sum of attention to the first, number of late tokens, ahead."""
        return ("nats", "queries", "first", "late", "ahead")

    def reduce(self, attention: AttentionBatch) -> Tensor:
        """Reduce one batch; float64 (units, heads, 5)."""
        queries = attention.queries
        summed = attention.nats.double().masked_fill(~queries.unsqueeze(1), 0).sum(2)
        counts = _per_head(queries.sum(1), summed)
        sink = _sink(attention) if attention.square else [torch.zeros_like(summed)] * 3
        return attention.per_unit(torch.stack([summed, counts, *sink], 2))


def _sink(attention: AttentionBatch) -> list[Tensor]:
    """Attention to the first token, the number of tokens that it is summed over, and attention ahead."""
    weights, real = attention.weights, attention.real
    texts, heads, length, _ = weights.shape
    first = real.int().argmax(1).view(-1, 1, 1, 1).expand(texts, heads, length, 1)
    late = real & (real.cumsum(1) > LATE)
    to_first = weights.gather(3, first).squeeze(3).double().masked_fill(~late.unsqueeze(1), 0).sum(2)
    ahead = weights.triu(1).amax(3).masked_fill(~real.unsqueeze(1), 0).amax(2).double()
    return [to_first, _per_head(late.sum(1), to_first), ahead]


def _per_head(counts: Tensor, like: Tensor) -> Tensor:
    """Counts of texts (texts,) repeated for every head, as another tensor (texts, heads)."""
    return counts.to(like).unsqueeze(1).expand_as(like)
