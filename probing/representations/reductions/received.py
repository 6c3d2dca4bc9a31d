"""Attention that words and special tokens receive from all tokens (Kovaleva et al. 2019, section 4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from probing.io.lazy import torch
from probing.representations.reductions.visible import by_chance, next_to

if TYPE_CHECKING:  # a cached statistic needs none of what computes it
    from torch import Tensor

    from probing.representations.reductions.statistic import AttentionBatch
    from probing.representations.reductions.token_batch import TokenBatch

RECEIVERS = ("unit", "first", "separator")


@dataclass(frozen=True)
class Received:
    """Mean attention over the queries of a text to the most attended token of a unit, and to special tokens.

    `unit` is the most attended token of the unit, `first` the first token of the text, and `separator` the
    most attended special token after it, 0 where there is none. The same numbers for attention that is
    uniform over the visible keys stand next to them. Special tokens are queries too. Queries that see no key
    but themselves are left out.

    Attributes:
        weighted: Whether attention is weighted by the values that it moves.
    """

    weighted: bool = False

    @property
    def name(self) -> str:
        """The name in the key of the cache."""
        return "received"

    @property
    def columns(self) -> tuple[str, ...]:
        """The means, the same means by chance, and the numbers of queries and separators."""
        return (*RECEIVERS, *map(by_chance, RECEIVERS), "queries", "separators")

    def reduce(self, attention: AttentionBatch) -> Tensor:
        """Reduce one batch; float64 (units, heads, columns).

        Raises:
            ProbingError: If queries and keys are not the tokens of the texts.
        """
        inputs = attention.read()
        seen = attention.visible
        rows = seen.several
        found = _largest(attention.weights, rows, attention, inputs)
        chance = _largest(seen.uniform, rows, attention, inputs)
        sizes = attention.per_unit(torch.stack([rows.sum(1), inputs.separators.sum(1)], 1).double())
        return next_to(found, chance, sizes.unsqueeze(1))


def _largest(weights: Tensor, rows: Tensor, attention: AttentionBatch, inputs: TokenBatch) -> Tensor:
    """Return the numbers of `RECEIVERS`, float64 (units, heads, 3)."""
    kept = weights.masked_fill(~rows.view(len(rows), 1, -1, 1), 0).sum(2, dtype=torch.float64)
    means = kept / rows.sum(1).clamp_min(1).view(-1, 1, 1)  # (texts, heads, keys)
    of_text = [means.masked_fill(~each.unsqueeze(1), 0).amax(2) for each in (inputs.first, inputs.separators)]
    of_unit = attention.per_unit(means).masked_fill(~attention.tokens.unsqueeze(1), 0).amax(2)
    return torch.stack([of_unit, *map(attention.per_unit, of_text)], 2)
