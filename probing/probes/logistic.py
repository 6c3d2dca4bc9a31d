"""Multinomial logistic regression, fitted to the optimum for all heads and L2 values together."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from probing.io.lazy import torch
from probing.probes.coding import Coding
from probing.probes.label_sets import LabelSets
from probing.probes.linear import seen_outputs, take
from probing.probes.log_likelihood import LogLikelihood
from probing.probes.minimise import Optimum, minimise
from probing.probes.newton import FoldSolver, KFold
from probing.probes.polish import polish
from probing.probes.scaling import Scaling
from probing.probes.shares import over_units
from probing.tasks.problem import Rows
from probing.validation.ranges import Iterations, Tolerance

# with more features the Hessians of all folds cost more than they save
MOST_FEATURES = 256
# up to this size fits for all L2 values are polished, so that the choice among them is exact too
MOST_CLASSES, MOST_WEIGHTS = 3, 128
# up to this size, or more classes if vectors are short, one Hessian is cheaper than many float64 sweeps
HESSIAN_CLASSES, HESSIAN_WEIGHTS = 4, 500
# above it the search goes on to this relative distance of the loss from its minimum: logits within 1e-5
EXACT = 1e-11
# relative distance at which the first search for such a fit ends
NEAR = 1e-4
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Logistic(LabelSets):
    """A linear probe at the optimum of mean −log softmax + (λ/2)‖W‖², with no penalty on the bias.

    This is scikit-learn's objective with C = 1 / (λ n), or C = 2 / (λ n) for two classes. Graded scores are
    spread over their two neighbouring anchors. The loss is the cross-entropy with these shares, and the
    prediction is the mean of the anchors under the softmax (after Tai, Socher & Manning 2015).
    Several labels of an example are one problem of two classes each (see `probing.probes.label_sets`).

    Attributes:
        l2: Candidate values of λ.
        standardize: Whether to scale every feature to unit variance on train.
        tolerance: Relative distance of the loss from its minimum, as estimated, at which a search ends. The
            fits that predict test and, with up to three classes, all those that L2 is selected from are then
            polished in float64 (see `probing.probes.polish`).
        max_iterations: Maximum number of passes over the data.

    Raises:
        ProbingError: If a setting is out of its range.
    """

    tolerance: Tolerance = 1e-6
    max_iterations: Iterations = 1000

    @property
    def name(self) -> str:
        """Name on the command line."""
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
            if not _few(k, vectors):
                return scaling.to_raw(self.solve(features, target, k, begin).weights)
            near = self.solve(features, target, k, begin, max(self.tolerance, NEAR))
            weights, found = self._polish(vectors[units], target, scaling.to_raw(near.weights))
            if bool((near.converged & ~found).any()):
                finer = self.solve(features, target, k, near.weights)
                again, _ = self._polish(vectors[units], target, scaling.to_raw(finer.weights))
                weights = torch.where(found[:, :, None, None], weights, again)
            return torch.where(near.converged[:, :, None, None], weights, scaling.to_raw(near.weights))

        return torch.cat(over_units(work, len(vectors), vectors.device))

    def settle(
        self, vectors: torch.Tensor, coding: Coding, rows: Rows, weights: torch.Tensor, l2: torch.Tensor
    ) -> torch.Tensor:
        """Polish selected fits where polishing all of them would be too expensive; see `Linear.settle`."""
        seen, target = seen_outputs(coding.rows(rows), coding.k)
        if len(seen) < 2 or _few(len(seen), vectors):
            return weights
        train, part = take(vectors, rows), weights[:, :, seen]
        found = torch.zeros_like(l2[:, 0], dtype=torch.bool)
        if len(seen) <= HESSIAN_CLASSES + HESSIAN_WEIGHTS / vectors.shape[2]:
            part, ended = polish(train, target, part, l2, self.standardize)
            found = ended[:, 0]
        for unit in (~found).nonzero().flatten().tolist():
            only = slice(unit, unit + 1)
            part[only] = self._search_on(train[only], target, part[only], l2[unit])
        settled = weights.clone()
        settled[:, :, seen] = part
        return settled

    def _search_on(
        self, vectors: torch.Tensor, target: torch.Tensor, weights: torch.Tensor, l2: torch.Tensor
    ) -> torch.Tensor:
        """Continue the fit of one unit (1, 1, k, dim + 1) in float64."""
        scaling = Scaling.of(vectors, self.standardize)
        features = scaling.apply(vectors, torch.float64)
        scaling = scaling.rotate_(features)
        objective = LogLikelihood.of(features, target, l2, weights.shape[2])
        optimum = minimise(objective, scaling.from_raw(weights), EXACT, self.max_iterations)
        return scaling.to_raw(optimum.weights)

    def fit_folds(
        self,
        vectors: torch.Tensor,
        coding: Coding,
        folds: Sequence[Rows],
        start: torch.Tensor | None = None,
    ) -> Iterator[torch.Tensor]:
        """Fit each set of rows, starting from the fit to all of them; see `Linear.fit_folds`."""
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
        """Fit all folds together; float64 (u, f, l, 2, dim + 1), NaN where that fails."""
        target = coding.rows(kfold.rows)
        shares = (target if target.dim() == 1 else target[:, 1]).to(vectors.dtype)
        solver = FoldSolver(kfold, shares, self._values(vectors), self.standardize, self.tolerance)

        def work(units: slice) -> torch.Tensor:
            return solver(take(vectors[units], kfold.rows), start[units])

        return torch.cat(over_units(work, len(vectors), vectors.device))

    def solve(
        self,
        features: torch.Tensor,
        target: torch.Tensor,
        k: int,
        start: torch.Tensor | None = None,
        tolerance: float | None = None,
    ) -> Optimum:
        """Return the optimum for prepared features, the last of which is the constant 1.

        Problems that float32 cannot resolve, such as the tiny losses of separable classes, are finished in
        float64.
        """
        l2, tolerance = self._values(features), tolerance or self.tolerance
        objective = LogLikelihood.of(features, target, l2, k)
        optimum = minimise(objective, start, tolerance, self.max_iterations)
        missed = (~optimum.converged).any(1).nonzero().squeeze(1)
        if len(missed) and features.dtype == torch.float32 and optimum.sweeps < self.max_iterations:
            finer = LogLikelihood.of(features[missed].double(), target, l2, k)
            limit = self.max_iterations - optimum.sweeps
            optimum = optimum.replace(missed, minimise(finer, optimum.weights[missed], tolerance, limit))
        self._report(optimum)
        return optimum

    def _values(self, like: torch.Tensor) -> torch.Tensor:
        return torch.tensor(self.l2, dtype=torch.float64, device=like.device)

    def _polish(
        self, vectors: torch.Tensor, target: torch.Tensor, weights: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return polish(
            vectors, target, weights, self._values(vectors).expand(len(vectors), -1), self.standardize
        )

    @staticmethod
    def _report(optimum: Optimum) -> None:
        missed = int((~optimum.converged).sum())
        if missed:
            worst = float((optimum.gap / optimum.loss).max())
            logger.warning(
                "%d of %d fits stopped after %d passes without reaching the optimum, with a loss up to %.1g "
                "(relative) above it; raise probe.max_iterations or probe.tolerance",
                missed,
                optimum.converged.numel(),
                optimum.sweeps,
                worst,
            )


def _few(k: int, vectors: torch.Tensor) -> bool:
    return k <= MOST_CLASSES and (k - 1) * (vectors.shape[2] + 1) <= MOST_WEIGHTS
