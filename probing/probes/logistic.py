"""Multinomial logistic regression, fitted to the optimum for all heads and L2 values together."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import torch

from probing.probes.minimise import Optimum, minimise
from probing.probes.objective import Objective
from probing.probes.problem import Fit, Problem
from probing.probes.scaling import Scaling
from probing.probes.selection import check_settings, fit_and_choose
from probing.probes.shares import over_units

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Logistic:
    """A linear probe at the optimum of mean −log softmax + (λ/2)‖W‖², the bias bearing no penalty.

    This is scikit-learn's objective at C = 1 / (λ n), for two classes C = 2 / (λ n).

    Attributes:
        l2: Values of λ to choose from.
        standardize: Scale every feature to unit variance on train.
        tolerance: A fit ends when its loss is estimated to exceed the minimum by this share of it.
        max_iterations: Most passes over the data.

    Raises:
        ProbingError: If a setting is out of its range.
    """

    l2: tuple[float, ...] = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
    standardize: bool = True
    tolerance: float = 1e-6
    max_iterations: int = 1000

    def __post_init__(self) -> None:
        """Take lists, as configuration files give them, and refuse what cannot be meant."""
        object.__setattr__(self, "l2", tuple(map(float, self.l2)))
        check_settings(self.l2, tolerance=self.tolerance, max_iterations=self.max_iterations)

    @property
    def name(self) -> str:
        """As on the command line."""
        return "logistic"

    def fit(self, vectors: torch.Tensor, problem: Problem) -> Fit:
        """Choose the L2 value without looking at test, then predict test once.

        Args:
            vectors: float32 (u, n, dim), on the device where the work shall be done; not modified.
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
        """Fit every L2 value for every unit.

        Args:
            vectors: float32 (u, n, dim).
            labels: int64 (n,); every class below `n_classes` has a row.
            n_classes: k.
            start: Weights of a similar problem to start from, or None.

        Returns:
            float64 (u, l, k, dim + 1), weights for the vectors as given, the bias last.
        """

        def work(units: slice) -> torch.Tensor:
            scaling = Scaling.of(vectors[units], self.standardize)
            features = scaling.apply(vectors[units])
            scaling = scaling.rotate_(features)
            begin = None if start is None else scaling.from_raw(start[units])
            return scaling.to_raw(self.solve(features, labels, n_classes, begin).weights)

        return over_units(work, len(vectors), vectors.device)

    def solve(
        self,
        features: torch.Tensor,
        labels: torch.Tensor,
        n_classes: int,
        start: torch.Tensor | None = None,
    ) -> Optimum:
        """The optimum for features that are prepared already, the last of them the constant 1.

        What the precision of float32 cannot resolve, such as the tiny losses of separable classes, is
        finished in float64.
        """
        l2 = torch.tensor(self.l2, dtype=torch.float64, device=features.device)
        objective = Objective.of(features, labels, l2, n_classes)
        optimum = minimise(objective, start, self.tolerance, self.max_iterations)
        missed = (~optimum.converged).any(1).nonzero().squeeze(1)
        if len(missed) and features.dtype == torch.float32 and optimum.sweeps < self.max_iterations:
            finer = Objective.of(features[missed].double(), labels, l2, n_classes)
            limit = self.max_iterations - optimum.sweeps
            optimum = optimum.replace(missed, minimise(finer, optimum.weights[missed], self.tolerance, limit))
        self._report(optimum)
        return optimum

    @staticmethod
    def _report(optimum: Optimum) -> None:
        missed = int((~optimum.converged).sum())
        if missed:
            worst = float((optimum.gap / optimum.loss).max())
            logger.warning(
                "%d of %d fits ended after %d passes short of the optimum, their loss up to %.1g of "
                "itself above it; raise probe.max_iterations or probe.tolerance",
                missed,
                optimum.converged.numel(),
                optimum.sweeps,
                worst,
            )
