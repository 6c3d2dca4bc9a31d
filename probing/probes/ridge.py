"""Ridge regression in closed form, for all heads and L2 values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from probing.probes.coding import Coding
from probing.probes.linear import Linear
from probing.probes.scaling import Scaling
from probing.tasks.target import Target
from probing.validation.ranges import Penalties

# numbers that are held at once beside the sums, in float64
CHUNK = 1 << 22


@dataclass(frozen=True)
class Ridge(Linear):
    """Least squares at the optimum of mean (y − Wx − b)² + λ‖W‖², the bias bearing no penalty.

    Scores are predicted as they are, without a limit; classes by one regression each, on whether an
    example is of the class, the largest answer winning. This is scikit-learn's Ridge and RidgeClassifier
    at alpha = λ n. Its outputs are not probabilities, so a fit has no log-probabilities.

    Attributes:
        l2: Values of λ to choose from.
        standardize: Scale every feature to unit variance on train.

    Raises:
        ProbingError: If a setting is out of its range.
    """

    l2: Penalties = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    probabilistic: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """As on the command line."""
        return "ridge"

    def coding(self, target: Target, device: torch.device) -> Coding:
        """Scores as they are, and classes by their outputs."""
        return Coding.of_values(target, device)

    def train(
        self, vectors: torch.Tensor, target: torch.Tensor, k: int, start: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Fit every L2 value for every unit; see `Linear.train`. No use is made of `start`."""
        del start
        scaling = Scaling.of(vectors, self.standardize)
        l2 = torch.tensor(self.l2, dtype=torch.float64, device=vectors.device)
        fits = []
        for unit, of_unit in enumerate(torch.split(vectors, 1)):
            exact = scaling.of_unit(unit).apply(of_unit, torch.float64)[0]
            fits.append(self._fit_unit(exact, target, k, l2))
        return scaling.to_raw(torch.stack(fits))

    @staticmethod
    def _fit_unit(features: torch.Tensor, target: torch.Tensor, k: int, l2: torch.Tensor) -> torch.Tensor:
        """One unit: float64 features (n, d), the last being 1, to weights (l, k, d), the bias last.

        With the covariance V diag(s) Vᵀ, found once, every λ has W = M V diag(1 / (s + λ)) Vᵀ, where M
        is the covariance of targets and features. Features outnumbering rows would make it singular,
        which λ mends.
        """
        n, width = features.shape
        gram, cross = features.T @ features, features.new_zeros(k, width)
        step = max(1, CHUNK // (width + k))
        for rows, part in zip(torch.split(features, step), torch.split(target, step), strict=True):
            wanted = torch.nn.functional.one_hot(part, k) if part.dim() == 1 else part
            cross.addmm_(wanted.to(rows.dtype).T, rows)
        mean, middle = gram[-1, :-1] / n, cross[:, -1] / n
        covariance = gram[:-1, :-1] / n - mean.outer(mean)
        values, axes = torch.linalg.eigh(covariance)
        along = (cross[:, :-1] / n - middle.outer(mean)) @ axes
        weights = (along / (values.clamp(min=0) + l2[:, None, None])) @ axes.T
        bias = middle - weights @ mean
        return torch.cat([weights, bias.unsqueeze(2)], 2)
