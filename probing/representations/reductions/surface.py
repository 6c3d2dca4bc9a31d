"""Surface statistics of attention: where the weight of a head lies (Clark et al. 2019, section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from probing.io.lazy import torch
from probing.representations.reductions.entropy import entropy
from probing.representations.reductions.visible import by_chance, next_to, uniform_over, visible_keys

if TYPE_CHECKING:  # a cached statistic needs none of what computes it
    from torch import Tensor

    from probing.representations.reductions.statistic import AttentionBatch
    from probing.representations.reductions.token_batch import TokenBatch

SHARES = ("self", "previous", "next", "first", "separator", "punctuation")
"""Targets whose share of attention is summed over queries."""
OF_ROWS = (
    *SHARES,
    "separator_to_separator",
    "rest_to_separator",
    "nats",
    "share_of_uniform",
    "largest",
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
        return (*OF_ROWS, *map(by_chance, OF_ROWS), "queries", "separators", "first_nats")

    def reduce(self, attention: AttentionBatch) -> Tensor:
        """Reduce one batch; float64 (units, heads, columns).

        Raises:
            ProbingError: If queries and keys are not the tokens of the texts.
        """
        inputs = attention.read()
        seen = visible_keys(attention.weights, inputs.real)
        counts = seen.sum(2)
        rows = (counts > 1).double()
        found, first = self._sums(attention.weights, inputs, rows, counts)
        chance, _ = self._sums(uniform_over(seen), inputs, rows, counts)
        sizes = torch.stack([rows.sum(1), (rows * inputs.separators).sum(1)], 1).unsqueeze(1)
        return attention.per_unit(torch.cat([next_to(found, chance, sizes), first.unsqueeze(2)], 2))

    def _sums(
        self, weights: Tensor, inputs: TokenBatch, rows: Tensor, counts: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the sums of `OF_ROWS`, and the entropy of the first row; float64 (texts, heads, ...)."""
        kinds = torch.stack([inputs.first, inputs.separators, inputs.spelled(self.punctuation)], 2).to(
            weights.dtype
        )
        to_kinds = torch.matmul(weights, kinds.unsqueeze(1)).double()  # (texts, heads, queries, 3)
        nats = self._nats(weights, inputs.real)
        parts = [
            weights.diagonal(dim1=2, dim2=3),
            torch.nn.functional.pad(weights.diagonal(-1, 2, 3), (1, 0)),
            torch.nn.functional.pad(weights.diagonal(1, 2, 3), (0, 1)),
            *to_kinds.unbind(3),
            to_kinds[..., 1] * inputs.separators.unsqueeze(1),
            to_kinds[..., 1] * ~inputs.separators.unsqueeze(1),
            nats,
            nats / counts.clamp_min(2).double().log().unsqueeze(1),
            weights.amax(3),
            1 - weights.sum(3),
        ]
        wanted = rows.unsqueeze(1)
        sums = torch.stack([(part.double().masked_fill(wanted == 0, 0)).sum(2) for part in parts], 2)
        first = (nats * inputs.first.unsqueeze(1)).nan_to_num().sum(2)
        return sums, first

    def _nats(self, weights: Tensor, real: Tensor) -> Tensor:
        """Return the entropy of each row, float64 (texts, heads, queries)."""
        if not self.smoothing:
            return entropy(weights).double()
        keys = real.unsqueeze(1).unsqueeze(2)
        spread = keys / real.sum(1).view(-1, 1, 1, 1)
        return entropy((1 - self.smoothing) * weights + self.smoothing * spread).double()
