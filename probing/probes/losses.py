"""What SentEval's probes minimise and what stops them early: for classes, and for graded scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch

from probing.probes.coding import largest, spread
from probing.statistics.metrics import pearson


class Loss(Protocol):
    """A loss of k outputs; these are float32 (u, l, k, b) for a batch of b examples."""

    @property
    def k(self) -> int:
        """Number of outputs."""

    def targets(self, gold: torch.Tensor) -> torch.Tensor:
        """What the softmax of the outputs should be, float32 (n, k), for classes or scores (n,)."""

    def slope(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Gradient of the mean loss with respect to the outputs, for targets (k, b); may work in place."""

    def read(self, outputs: torch.Tensor) -> torch.Tensor:
        """The answers: classes or scores (u, l, b)."""

    def merit(self, outputs: torch.Tensor, gold: torch.Tensor) -> torch.Tensor:
        """What stops training when it no longer rises, above −1; (u, l)."""


@dataclass(frozen=True)
class CrossEntropy:
    """Mean negative log likelihood of classes; training stops on accuracy.

    Attributes:
        k: Number of classes.
    """

    k: int

    def targets(self, gold: torch.Tensor) -> torch.Tensor:
        """One-hot."""
        return torch.nn.functional.one_hot(gold, self.k).float()

    def slope(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """See `Loss`."""
        return torch.softmax(outputs, 2).sub_(target).div_(target.shape[1])

    def read(self, outputs: torch.Tensor) -> torch.Tensor:
        """The class of the largest output."""
        return largest(outputs)

    def merit(self, outputs: torch.Tensor, gold: torch.Tensor) -> torch.Tensor:
        """Number of hits."""
        return (largest(outputs) == gold).sum(2)


@dataclass(frozen=True)
class SquaredShares:
    """Mean squared error of a distribution over scores; training stops on Pearson's correlation.

    Attributes:
        scores: Evenly spaced, ascending; what the outputs stand for.
    """

    scores: tuple[float, ...]

    @property
    def k(self) -> int:
        """Number of outputs."""
        return len(self.scores)

    def targets(self, gold: torch.Tensor) -> torch.Tensor:
        """Shares of the two neighbouring scores; what lies beyond the outermost is lost, as in SentEval."""
        return torch.from_numpy(spread(gold.cpu().numpy(), self.scores)).float().to(gold.device)

    def slope(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """See `Loss`."""
        shares = torch.softmax(outputs, 2)
        slope = (shares - target).mul_(2 / target.numel())
        return shares * (slope - (shares * slope).sum(2, keepdim=True))

    def read(self, outputs: torch.Tensor) -> torch.Tensor:
        """The expected score."""
        scores = torch.tensor(self.scores, dtype=torch.float64, device=outputs.device)
        return (torch.softmax(outputs, 2) * scores[:, None]).sum(2)

    def merit(self, outputs: torch.Tensor, gold: torch.Tensor) -> torch.Tensor:
        """The correlation."""
        return pearson(self.read(outputs), gold)
