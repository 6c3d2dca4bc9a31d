"""The unfinished problems of a batch, as a rectangle of units × slots."""

from __future__ import annotations

from dataclasses import dataclass

from probing.io.lazy import torch

# dropping finished problems is worth a copy of the rest once it saves this share
WORTH = 0.2


@dataclass(frozen=True)
class Rectangle:
    """The units to keep, and for each the slots to keep, unfinished ones first.

    Attributes:
        units: int64 (u′,).
        slots: int64 (u′, l′).
    """

    units: torch.Tensor
    slots: torch.Tensor

    @classmethod
    def around(cls, going: torch.Tensor) -> Rectangle | None:
        """Return the smallest rectangle around the unfinished problems, or None if it is hardly smaller.

        Args:
            going: bool (u, l).
        """
        units = going.any(1).nonzero().squeeze(1)
        width = int(going.sum(1).max())
        if len(units) * width > (1 - WORTH) * going.numel():
            return None
        slots = going[units].int().argsort(dim=1, descending=True, stable=True)[:, :width]
        return cls(units, slots)

    def pick(self, values: torch.Tensor) -> torch.Tensor:
        """Return the kept part of a tensor (u, l, …)."""
        return values[self.units.unsqueeze(1), self.slots]
