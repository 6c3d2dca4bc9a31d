"""Ridge regression in closed form, for all heads and L2 values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from probing.io.lazy import torch
from probing.probes.coding import Coding
from probing.probes.linear import Linear
from probing.probes.scaling import Scaling
from probing.tasks.target import Target
from probing.validation.ranges import Penalties

# numbers held in memory at once in addition to the sums, in float64
CHUNK = 1 << 22


@dataclass(frozen=True)
class Ridge(Linear):
    """Least squares at the optimum of mean (y − Wx − b)² + λ‖W‖², with no penalty on the bias.

    Scores are predicted directly, without limits. Classes are predicted with one regression each on whether
    an example belongs to the class, and the largest output wins. This is scikit-learn's Ridge and
    RidgeClassifier with alpha = λ n. Its outputs are not probabilities, so a fit has no log-probabilities.

    Attributes:
        l2: Candidate values of λ.
        standardize: Whether to scale every feature to unit variance on train.

    Raises:
        ProbingError: If a setting is out of its range.
    """

    l2: Penalties = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    probabilistic: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "ridge"

    def coding(self, target: Target, device: torch.device) -> Coding:
        """Encode scores unchanged, and classes by their outputs."""
        return Coding.of_values(target, device)

    def train(
        self, vectors: torch.Tensor, target: torch.Tensor, k: int, start: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Fit every L2 value for every unit; see `Linear.train`. `start` is ignored."""
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
        """Map float64 features (n, d) of one unit, the last being 1, to weights (l, k, d), the bias last.

        With the covariance V diag(s) Vᵀ, computed once, every λ has W = M V diag(1 / (s + λ)) Vᵀ, where M
        is the covariance of targets and features. With more features than rows the covariance is singular,
        but λ makes the inverse well defined.
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
