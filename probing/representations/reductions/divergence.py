"""Jensen-Shannon divergence between the attention of every two heads (Clark et al. 2019, section 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from probing.io.lazy import torch

if TYPE_CHECKING:  # a cached statistic needs none of what computes it
    from torch import Tensor

    from probing.representations.reductions.statistic import AttentionBatch

TINY = 1e-30
"""A weight that stands for 0: its product with its logarithm is lost in the sum of a row."""


@dataclass(frozen=True)
class Divergence:
    """Sums over the queries of a text of the divergence from each head of this and all earlier layers.

    For rows p and q of two heads it is H((p + q) / 2) − (H(p) + H(q)) / 2 in nats, from 0 to ln 2, with
    entropy H. Rows that lack something to 1, as with a sink outside the keys, are compared as they are.

    Attributes:
        smoothing: Share of uniform attention over all tokens that is mixed into each row first; 0.001 in the
            code of Clark et al.
    """

    smoothing: float = 0.001

    @property
    def name(self) -> str:
        """The name in the key of the cache."""
        return "divergence"

    @property
    def columns(self) -> tuple[str, ...]:
        """The name of the number that each pair of heads gets."""
        return ("nats",)

    def keep(self, attention: AttentionBatch) -> Tensor:
        """Return half of each smoothed weight, (texts, heads, queries, keys); TINY in padding.

        Raises:
            ProbingError: If queries and keys are not the tokens of the texts.
        """
        real = attention.read().real
        weights = attention.weights.to(torch.promote_types(attention.weights.dtype, torch.float32))
        shares = self.smoothing / real.sum(1)
        halves = weights.mul((1 - self.smoothing) / 2).add_(shares.view(-1, 1, 1, 1).to(weights) / 2)
        there = (real.unsqueeze(2) & real.unsqueeze(1)).unsqueeze(1)
        return halves.masked_fill_(~there, 0).clamp_min_(TINY)

    def reduce(self, attention: AttentionBatch) -> Tensor:
        """Reduce one batch; float64 (units, heads, heads of all layers so far)."""
        own = attention.earlier[attention.layer]
        nats = _entropies(2 * own)
        apart = []
        for layer, other in sorted(attention.earlier.items()):
            alike = layer == attention.layer
            means = _within(own) if alike else _between(own, other)
            others = nats if alike else _entropies(2 * other)
            apart.append(means - (nats.unsqueeze(2) + others.unsqueeze(1)) / 2)
        return attention.per_unit(torch.cat(apart, 2).clamp_min_(0))


def _between(first: Tensor, second: Tensor) -> Tensor:
    """Return the entropies of the means of two layers' heads, float64 (texts, heads, heads).

    It takes one head of the first layer at a time, so nothing is larger than the attention of one layer.
    """
    means, logs = torch.empty_like(second), torch.empty_like(second)
    rows = []
    for head in first.split(1, 1):
        torch.add(second, head, out=means)
        rows.append(_summed(means, logs))
    return torch.stack(rows, 1)


def _within(own: Tensor) -> Tensor:
    """Return the same for every two heads of one layer, each pair computed once."""
    heads = own.shape[1]
    found = own.new_zeros(len(own), heads, heads, dtype=torch.float64)
    for head in range(heads):
        found[:, head, : head + 1] = _entropies(own[:, : head + 1] + own[:, head : head + 1])
    return found + found.tril(-1).transpose(1, 2)


def _entropies(weights: Tensor) -> Tensor:
    """Return the entropies of each head's rows, summed over rows; float64 (texts, heads)."""
    return _summed(weights, torch.empty_like(weights))


def _summed(weights: Tensor, logs: Tensor) -> Tensor:
    # rows are short enough for float32; their sum is not
    torch.log(weights, out=logs)
    return -logs.mul_(weights).sum(3).double().sum(2)
