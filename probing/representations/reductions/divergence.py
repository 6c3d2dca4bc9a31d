"""Jensen-Shannon divergence between the attention of every two heads (Clark et al. 2019, section 6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probing.io.lazy import torch
from probing.representations.reductions.logs import TINY, log, nats

if TYPE_CHECKING:  # a cached statistic needs none of what computes it
    from torch import Tensor

    from probing.representations.reductions.statistic import AttentionBatch


@dataclass(frozen=True)
class Divergence:
    """Sums over the queries of a text of the divergence from each head of this and all earlier layers.

    For rows p and q of two heads it is H((p + q) / 2) − (H(p) + H(q)) / 2 in nats, from 0 to ln 2, with
    entropy H. Rows that lack something to 1, as with a sink outside the keys, are compared as they are.

    Attributes:
        smoothing: Share of uniform attention over all tokens that is mixed into each row first; 0.001 in the
            code of Clark et al.
        weighted: Whether attention is weighted by the values that it moves.
    """

    smoothing: float = 0.001
    weighted: bool = False

    @property
    def name(self) -> str:
        """The name in the key of the cache."""
        return "divergence"

    @property
    def columns(self) -> tuple[str, ...]:
        """The name of the number that each pair of heads gets."""
        return ("nats",)

    def keep(self, attention: AttentionBatch) -> Tensor:
        """Return half of each smoothed weight, and the entropy of each query as a last row.

        The weights are (texts, heads, queries + 1, keys), TINY in padding.

        Raises:
            ProbingError: If queries and keys are not the tokens of the texts.
        """
        real = attention.read().real
        weights = attention.weights.to(torch.promote_types(attention.weights.dtype, torch.float32))
        shares = (self.smoothing / real.sum(1)).to(weights).view(-1, 1, 1, 1)
        there = (real.unsqueeze(2) & real.unsqueeze(1)).unsqueeze(1)
        texts, heads, length, _ = weights.shape
        kept = weights.new_empty(texts, heads, length + 1, length)
        whole = torch.add(shares, weights, alpha=1 - self.smoothing, out=kept[:, :, :-1])
        whole.masked_fill_(~there, 0).clamp_min_(TINY)
        kept[:, :, -1] = nats(whole, weights.new_empty(weights.shape))
        whole.div_(2)
        return kept

    def reduce(self, attention: AttentionBatch) -> Tensor:
        """Reduce one batch; float64 (units, heads, heads of all layers so far)."""
        own, own_nats = _parts(attention.earlier[attention.layer])
        apart = []
        for layer, kept in sorted(attention.earlier.items()):
            other, nats_of_other = _parts(kept)
            means = _within(own, own_nats) if layer == attention.layer else _between(own, other)
            apart.append(means - (own_nats.unsqueeze(2) + nats_of_other.unsqueeze(1)) / 2)
        return attention.per_unit(torch.cat(apart, 2).clamp_min_(0))


def _parts(kept: Tensor) -> tuple[Tensor, Tensor]:
    """Return half of the weights, (texts, heads, queries, keys), and entropies (texts, heads)."""
    return kept[:, :, :-1], kept[:, :, -1].sum(2, dtype=torch.float64)


def _between(first: Tensor, second: Tensor) -> Tensor:
    """Return the entropies of the means of two layers' heads, float64 (texts, heads, heads)."""
    others = (first[:, head : head + 1] for head in range(first.shape[1]))
    return _entropies(second, others).transpose(1, 2)


def _within(own: Tensor, own_nats: Tensor) -> Tensor:
    """Return the same for every two heads of one layer, each pair computed once or twice."""
    heads = own.shape[1]
    twice = torch.cat([own, own], 1)
    shifts = range(1, heads // 2 + 1)
    of_shifts = _entropies(own, (twice[:, shift : shift + heads] for shift in shifts))
    found = torch.diag_embed(own_nats)
    places = torch.arange(heads, device=own.device)
    for index, shift in enumerate(shifts):
        partners = (places + shift) % heads
        found[:, places, partners] = found[:, partners, places] = of_shifts[..., index]
    return found


def _entropies(weights: Tensor, others: Iterable[Tensor]) -> Tensor:
    """Return the entropies of sums of maps, float64 (texts, heads, number of others).

    The sum over the queries of each key comes first: it is the faster one, and as exact in float32.

    Args:
        weights: (texts, heads, queries, keys).
        others: Maps that are added, one after the other, so that nothing is larger than `weights`.
    """
    summed, logs = (weights.new_empty(weights.shape) for _ in range(2))
    of_keys = [log(torch.add(weights, other, out=summed), logs).mul_(summed).sum(2) for other in others]
    if not of_keys:
        return weights.new_empty(*weights.shape[:2], 0, dtype=torch.float64)
    return -torch.stack(of_keys, 2).sum(3, dtype=torch.float64)
