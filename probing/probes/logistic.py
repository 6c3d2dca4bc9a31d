"""Multinomial logistic regression, fitted to the optimum for all heads and L2 values together."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from probing.probes.coding import Coding
from probing.probes.linear import Linear, Rows, take
from probing.probes.minimise import Optimum, minimise
from probing.probes.newton import FoldSolver, KFold
from probing.probes.objective import Objective
from probing.probes.scaling import Scaling
from probing.probes.selection import check_settings
from probing.probes.shares import over_units
from probing.ranges import Count, Positive

# with more, the Hessians of all folds cost more than they save
MOST_FEATURES = 256
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Logistic(Linear):
    """A linear probe at the optimum of mean −log softmax + (λ/2)‖W‖², the bias bearing no penalty.

    This is scikit-learn's objective at C = 1 / (λ n), for two classes C = 2 / (λ n). Graded scores are
    spread over their two neighbouring anchors, the loss is the cross-entropy with these shares, and the
    answer is the mean of the anchors under the softmax (after Tai, Socher & Manning 2015).

    Attributes:
        l2: Values of λ to choose from.
        standardize: Scale every feature to unit variance on train.
        tolerance: A fit ends when its loss is estimated to exceed the minimum by this share of it.
        max_iterations: Most passes over the data.

    Raises:
        ProbingError: If a setting is out of its range.
    """

    tolerance: Positive = 1e-6
    max_iterations: Count = 1000

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        super().__post_init__()
        check_settings(self.l2, tolerance=self.tolerance, max_iterations=self.max_iterations)

    @property
    def name(self) -> str:
        """As on the command line."""
        return "logistic"

    def train(
        self, vectors: torch.Tensor, target: torch.Tensor, k: int, start: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Fit every L2 value for every unit; see `Linear.train`."""

        def work(units: slice) -> torch.Tensor:
            scaling = Scaling.of(vectors[units], self.standardize)
            features = scaling.apply(vectors[units])
            scaling = scaling.rotate_(features)
            begin = None if start is None else scaling.from_raw(start[units])
            return scaling.to_raw(self.solve(features, target, k, begin).weights)

        return torch.cat(over_units(work, len(vectors), vectors.device))

    def fit_folds(
        self,
        vectors: torch.Tensor,
        coding: Coding,
        folds: Sequence[Rows],
        start: torch.Tensor | None = None,
    ) -> Iterator[torch.Tensor]:
        """Fit each set of rows, starting from the fit to all; see `Linear.fit_folds`."""
        if start is None:
            start = self.fit_rows(vectors, coding, np.unique(np.concatenate(folds)))
        kfold = KFold.of(folds)
        if kfold is None or coding.k != 2 or vectors.shape[2] > MOST_FEATURES:
            yield from super().fit_folds(vectors, coding, folds, start)
            return
        weights = self._fit_two_classes(vectors, coding, kfold, start)
        missed = weights.flatten(1).isnan().any(1).nonzero().squeeze(1)
        if len(missed):
            rest = super().fit_folds(vectors[missed], coding, folds, start[missed])
            weights[missed] = torch.stack(list(rest), 1)
        yield from weights.unbind(1)

    def _fit_two_classes(
        self, vectors: torch.Tensor, coding: Coding, kfold: KFold, start: torch.Tensor
    ) -> torch.Tensor:
        """All folds together; float64 (u, f, l, 2, dim + 1), NaN where that fails."""
        target = coding.rows(kfold.rows)
        shares = (target if target.dim() == 1 else target[:, 1]).to(vectors.dtype)
        l2 = torch.tensor(self.l2, dtype=torch.float64, device=vectors.device)
        solver = FoldSolver(kfold, shares, l2, self.standardize, self.tolerance)

        def work(units: slice) -> torch.Tensor:
            return solver(take(vectors[units], kfold.rows), start[units])

        return torch.cat(over_units(work, len(vectors), vectors.device))

    def solve(
        self,
        features: torch.Tensor,
        target: torch.Tensor,
        k: int,
        start: torch.Tensor | None = None,
    ) -> Optimum:
        """The optimum for features that are prepared already, the last of them the constant 1.

        What the precision of float32 cannot resolve, such as the tiny losses of separable classes, is
        finished in float64.
        """
        l2 = torch.tensor(self.l2, dtype=torch.float64, device=features.device)
        objective = Objective.of(features, target, l2, k)
        optimum = minimise(objective, start, self.tolerance, self.max_iterations)
        missed = (~optimum.converged).any(1).nonzero().squeeze(1)
        if len(missed) and features.dtype == torch.float32 and optimum.sweeps < self.max_iterations:
            finer = Objective.of(features[missed].double(), target, l2, k)
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
