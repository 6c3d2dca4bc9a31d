"""Surface statistics of attention: where the weight of a head lies (Clark et al. 2019, section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from probing.io.lazy import torch
from probing.representations.reductions.logs import entropy
from probing.representations.reductions.visible import by_chance, next_to, summed

if TYPE_CHECKING:  # a cached statistic needs none of what computes it
    from torch import Tensor

    from probing.representations.reductions.statistic import AttentionBatch
    from probing.representations.reductions.token_batch import TokenBatch
    from probing.representations.reductions.visible import Visible

SHARES = ("self", "previous", "next", "first", "separator", "punctuation")
"""Targets whose share of attention is summed over queries."""
OF_ROWS = (
    *SHARES,
    "separator_to_separator",
    "rest_to_separator",
    "nats",
    "first_nats",
    "share_of_uniform",
    "lacks",
)
"""All numbers that are sums over queries."""


@dataclass(frozen=True)
class Surface:
    """Sums over the queries of a text of the attention to kinds of tokens, and of its entropy.

    Queries that see no key but themselves are left out, such as the first token of a causal model. Each sum
    stands next to the same sum for attention that is uniform over the visible keys, which is what a head
    would score by chance.

    Attributes:
        punctuation: Spellings of the tokens that count as punctuation, without a blank between them.
        smoothing: Share of uniform attention over all tokens that is mixed in before the entropy is computed;
            0.0001 in the code of Clark et al.
        weighted: Whether attention is weighted by the values that it moves.
    """

    punctuation: str = ".,"
    smoothing: float = 0.0
    weighted: bool = False

    @property
    def name(self) -> str:
        """The name in the key of the cache."""
        return "surface"

    @property
    def columns(self) -> tuple[str, ...]:
        """The sums, the same sums by chance, and the numbers of queries that they are summed over."""
        return (*OF_ROWS, *map(by_chance, OF_ROWS), "queries", "separators", "firsts")

    def reduce(self, attention: AttentionBatch) -> Tensor:
        """Reduce one batch; float64 (units, heads, columns).

        Raises:
            ProbingError: If queries and keys are not the tokens of the texts.
        """
        inputs, seen = attention.read(), attention.visible
        weights = attention.weights
        nats = self._smoothed(weights, inputs) if self.smoothing else attention.nats
        found = _sums(weights, nats, inputs, seen, self.punctuation)
        chance, sizes = seen.once(self, lambda: self._of_mask(inputs, seen))
        return attention.per_unit(next_to(found, chance, sizes))

    def _of_mask(self, inputs: TokenBatch, seen: Visible) -> tuple[Tensor, Tensor]:
        """Return the sums by chance and the numbers of queries, float64 (texts, 1, ...)."""
        even, rows = seen.uniform, seen.several
        nats = self._smoothed(even, inputs) if self.smoothing else entropy(even)
        kinds = torch.stack([rows, rows & inputs.separators, rows & inputs.first], 1)
        sizes = kinds.sum(2).double().unsqueeze(1)
        return _sums(even, nats, inputs, seen, self.punctuation), sizes

    def _smoothed(self, weights: Tensor, inputs: TokenBatch) -> Tensor:
        """Return the entropy of each smoothed row, (texts, heads, queries)."""
        keys = inputs.real.unsqueeze(1).unsqueeze(2)
        spread = keys / inputs.real.sum(1).view(-1, 1, 1, 1)
        return entropy((1 - self.smoothing) * weights + self.smoothing * spread)


def _sums(weights: Tensor, nats: Tensor, inputs: TokenBatch, seen: Visible, punctuation: str) -> Tensor:
    """Return the sums of `OF_ROWS`, float64 (texts, heads, sums)."""
    weights = weights.to(torch.promote_types(weights.dtype, torch.float32))
    kinds = torch.stack([inputs.first, inputs.separators, inputs.spelled(punctuation)], 2)
    to_kinds = torch.matmul(weights, kinds.unsqueeze(1).to(weights.dtype)).unbind(3)
    parts = (
        weights.diagonal(dim1=2, dim2=3),
        torch.nn.functional.pad(weights.diagonal(-1, 2, 3), (1, 0)),
        torch.nn.functional.pad(weights.diagonal(1, 2, 3), (0, 1)),
        *to_kinds,
        to_kinds[1] * inputs.separators.unsqueeze(1),
        to_kinds[1] * ~inputs.separators.unsqueeze(1),
        nats,
        nats * inputs.first.unsqueeze(1),
        nats / seen.most_nats.unsqueeze(1),
        1 - weights.sum(3),
    )
    return summed(parts, seen.several)
