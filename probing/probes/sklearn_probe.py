"""The same probe through scikit-learn, one head and one L2 value at a time: the reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped, unused-ignore]

from probing.probes.problem import Fit, Problem
from probing.probes.scaling import Scaling
from probing.probes.selection import check_settings, fit_and_choose


@dataclass(frozen=True)
class Sklearn:
    """What `Logistic` does, done by scikit-learn's LogisticRegression in float64.

    Attributes:
        l2: Values of λ to choose from.
        standardize: Scale every feature to unit variance on train.
        solver: One of scikit-learn's.
        tolerance: Its `tol`: for lbfgs the largest entry of the gradient.
        max_iterations: Its `max_iter`.

    Raises:
        ProbingError: If a setting is out of its range.
    """

    l2: tuple[float, ...] = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
    standardize: bool = True
    solver: str = "lbfgs"
    tolerance: float = 1e-5
    max_iterations: int = 10000

    def __post_init__(self) -> None:
        """Take lists, as configuration files give them, and refuse what cannot be meant."""
        object.__setattr__(self, "l2", tuple(map(float, self.l2)))
        check_settings(self.l2, tolerance=self.tolerance, max_iterations=self.max_iterations)

    @property
    def name(self) -> str:
        """As on the command line."""
        return "sklearn"

    def fit(self, vectors: torch.Tensor, problem: Problem) -> Fit:
        """Choose the L2 value without looking at test, then predict test once.

        Args:
            vectors: float32 (u, n, dim); not modified.
            problem: Labels and splits of the n rows.

        Raises:
            ProbingError: If a vector holds NaN or infinity, naming its unit.
        """
        return fit_and_choose(self.train, self.l2, vectors, problem)

    def train(
        self,
        vectors: torch.Tensor,
        labels: torch.Tensor,
        n_classes: int,
        start: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Fit every L2 value for every unit; float64 (u, l, k, dim + 1). No use is made of `start`."""
        del start
        scaling = Scaling.of(vectors, self.standardize)
        features = scaling.apply(vectors)[..., :-1].double().cpu().numpy()
        target = labels.cpu().numpy()
        # fits this small are slower on several threads
        with threadpool_limits(1):
            weights = [[self._fit_one(x, target, n_classes, l2) for l2 in self.l2] for x in features]
        return scaling.to_raw(torch.from_numpy(np.array(weights)).to(vectors.device))

    def _fit_one(
        self, features: NDArray[np.float64], labels: NDArray[np.int64], n_classes: int, l2: float
    ) -> NDArray[np.float64]:
        """One fit; (k, dim + 1), the bias last."""
        # for two classes scikit-learn penalises w alone, of which the two rows here are ±w/2
        strength = (2 if n_classes == 2 else 1) / (l2 * len(labels))
        model = LogisticRegression(
            C=strength, solver=self.solver, tol=self.tolerance, max_iter=self.max_iterations
        )
        model.fit(features, labels)
        weights = np.column_stack([model.coef_, model.intercept_])
        return np.vstack([-weights, weights]) / 2 if n_classes == 2 else weights
