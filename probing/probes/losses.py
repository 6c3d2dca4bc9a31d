"""Losses and early-stopping criteria of SentEval's probes, for classes and for graded scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from probing.io.lazy import torch
from probing.probes.coding import largest, spread
from probing.statistics.metrics import pearson


class Loss(Protocol):
    """A loss of k outputs, which are float32 (u, l, k, b) for a batch of b examples."""

    @property
    def k(self) -> int:
        """Number of outputs."""

    def targets(self, gold: torch.Tensor) -> torch.Tensor:
        """Return the desired softmax of the outputs, float32 (n, k), for classes or scores (n,)."""

    def slope(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the gradient of the mean loss in the outputs, for targets (k, b); may work in place."""

    def read(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return predictions: classes or scores (u, l, b)."""

    def merit(self, outputs: torch.Tensor, gold: torch.Tensor) -> torch.Tensor:
        """Return the criterion, above −1, that stops training when it no longer rises; (u, l)."""


@dataclass(frozen=True)
class CrossEntropy:
    """Mean negative log likelihood of classes; training stops on accuracy.

    Attributes:
        k: Number of classes.
    """

    k: int

    def targets(self, gold: torch.Tensor) -> torch.Tensor:
        """Return one-hot targets."""
        return torch.nn.functional.one_hot(gold, self.k).float()

    def slope(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """See `Loss`."""
        return torch.softmax(outputs, 2).sub_(target).div_(target.shape[1])

    def read(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the class of the largest output."""
        return largest(outputs)

    def merit(self, outputs: torch.Tensor, gold: torch.Tensor) -> torch.Tensor:
        """Return the number of hits."""
        return (largest(outputs) == gold).sum(2)


@dataclass(frozen=True)
class SquaredShares:
    """Mean squared error of a distribution over scores; training stops on Pearson's correlation.

    Attributes:
        scores: Evenly spaced, ascending scores that the outputs represent.
    """

    scores: tuple[float, ...]

    @property
    def k(self) -> int:
        """Number of outputs."""
        return len(self.scores)

    def targets(self, gold: torch.Tensor) -> torch.Tensor:
        """Return shares of the two neighbouring scores; any beyond the outermost are lost, as in SentEval."""
        return torch.from_numpy(spread(gold.cpu().numpy(), self.scores)).float().to(gold.device)

    def slope(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """See `Loss`."""
        shares = torch.softmax(outputs, 2)
        slope = (shares - target).mul_(2 / target.numel())
        return shares * (slope - (shares * slope).sum(2, keepdim=True))

    def read(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the expected score."""
        scores = torch.tensor(self.scores, dtype=torch.float64, device=outputs.device)
        return (torch.softmax(outputs, 2) * scores[:, None]).sum(2)

    def merit(self, outputs: torch.Tensor, gold: torch.Tensor) -> torch.Tensor:
        """Return the correlation."""
        return pearson(self.read(outputs), gold)
