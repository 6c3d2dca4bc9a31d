"""The change of each head's attention between two models (Kovaleva et al. 2019, section 4.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from probing.errors import ProbingError
from probing.io.lazy import torch
from probing.representations.reductions.logs import entropy

if TYPE_CHECKING:  # a cached statistic needs none of what computes it
    from torch import Tensor

    from probing.representations.reductions.against import Reference
    from probing.representations.reductions.statistic import AttentionBatch


@dataclass(frozen=True)
class Change:
    """Cosine of the flattened maps of a head in two models, and the divergence of its rows.

    Maps are cropped to the tokens of the text, as padding would count otherwise. Queries that see no key but
    themselves are left out. The divergence is that of Jensen and Shannon in nats, summed over queries.

    Attributes:
        reference: The second model.
    """

    reference: Reference

    @property
    def name(self) -> str:
        """The name in the key of the cache."""
        return "change"

    @property
    def columns(self) -> tuple[str, ...]:
        """Cosine of a text, sum of divergences, and number of queries."""
        return ("cosine", "nats", "queries")

    def reduce(self, attention: AttentionBatch) -> Tensor:
        """Reduce one batch; float64 (units, heads, 3).

        Raises:
            ProbingError: If the second model was not read, or queries and keys are not the tokens.
        """
        inputs, second = attention.read(), attention.reference
        if second is None or second.shape != attention.weights.shape:
            raise ProbingError(
                f"layer {attention.layer}: the attention of the second model has another shape"
            )
        rows = attention.visible.several
        there = (rows.unsqueeze(2) & inputs.real.unsqueeze(1)).unsqueeze(1)
        maps = [weights.masked_fill(~there, 0).double() for weights in (attention.weights, second)]
        first, other = (weights.flatten(2) for weights in maps)
        sizes = first.norm(dim=2) * other.norm(dim=2)
        cosine = (first * other).sum(2) / sizes.clamp_min(torch.finfo(torch.float64).tiny)
        apart = entropy((maps[0] + maps[1]) / 2) - (entropy(maps[0]) + entropy(maps[1])) / 2
        counts = rows.sum(1).double().unsqueeze(1).expand_as(cosine)
        return attention.per_unit(torch.stack([cosine, apart.clamp_min(0).sum(2), counts], 2))
