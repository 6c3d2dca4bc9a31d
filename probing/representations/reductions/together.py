"""Several statistics of attention in one pass of the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from probing.io.lazy import torch

if TYPE_CHECKING:  # a cached statistic needs none of what computes it
    from torch import Tensor

    from probing.representations.reductions.statistic import AttentionBatch, Statistic


@dataclass(frozen=True)
class Together:
    """The columns of several statistics, one after the other.

    Attributes:
        parts: The statistics, none of which compares layers.
    """

    parts: tuple[Statistic, ...]

    @property
    def name(self) -> str:
        """The names of the parts."""
        return "+".join(part.name for part in self.parts)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of all parts, which have different names."""
        return tuple(column for part in self.parts for column in part.columns)

    def reduce(self, attention: AttentionBatch) -> Tensor:
        """Reduce one batch; float64 (units, heads, columns)."""
        return torch.cat([part.reduce(attention) for part in self.parts], 2)
