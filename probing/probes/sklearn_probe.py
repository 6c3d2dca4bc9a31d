"""The same probe through scikit-learn, one head and one L2 value at a time, as a reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped, unused-ignore]

from probing.errors import ProbingError
from probing.io.lazy import torch
from probing.probes.contract import Fit
from probing.probes.label_sets import LabelSets
from probing.probes.scaling import Scaling
from probing.tasks.problem import Problem
from probing.validation.ranges import Iterations, Tolerance

Ints = NDArray[np.int64]
Solver = Literal["lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga"]
SOLVERS = get_args(Solver)


@dataclass(frozen=True)
class Sklearn(LabelSets):
    """`Logistic`, fitted by scikit-learn's LogisticRegression in float64.

    Attributes:
        l2: Candidate values of λ.
        standardize: Whether to scale every feature to unit variance on train.
        solver: A scikit-learn solver.
        tolerance: Its `tol`, which for lbfgs is the largest entry of the gradient.
        max_iterations: Its `max_iter`.

    Raises:
        ProbingError: If a setting is out of its range.
    """

    solver: Solver = "lbfgs"
    tolerance: Tolerance = 1e-5
    max_iterations: Iterations = 10000

    def __post_init__(self) -> None:
        """Reject a solver that scikit-learn does not have, in addition to other invalid settings."""
        super().__post_init__()
        if self.solver not in SOLVERS:
            raise ProbingError(
                f"probe.solver is {self.solver!r}; scikit-learn has {', '.join(SOLVERS)}, but liblinear "
                "penalises the bias and fits only two classes"
            )

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "sklearn"

    def fit(self, vectors: torch.Tensor, problem: Problem, *, log_probabilities: bool = False) -> Fit:
        """Select the L2 value without using test, then predict test once; see `Linear.fit`."""
        # fits this small are slower on several threads
        with threadpool_limits(1):
            return super().fit(vectors, problem, log_probabilities=log_probabilities)

    def train(
        self, vectors: torch.Tensor, target: torch.Tensor, k: int, start: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Fit every L2 value for every unit; see `Linear.train`. `start` is ignored."""
        del start
        scaling = Scaling.of(vectors, self.standardize)
        features = scaling.apply(vectors, torch.float64)[..., :-1].cpu().numpy()
        rows, labels, shares = _weighted(target.cpu().numpy())
        weights = [[self._fit_one(x[rows], labels, shares, l2) for l2 in self.l2] for x in features]
        return scaling.to_raw(torch.from_numpy(np.array(weights)).to(vectors.device))

    def _fit_one(
        self, features: NDArray[np.float64], labels: Ints, shares: NDArray[np.float64], l2: float
    ) -> NDArray[np.float64]:
        """Return one fit; (k, dim + 1), the bias last."""
        from sklearn.linear_model import LogisticRegression

        binary = labels.max() == 1
        # for two classes scikit-learn penalises w alone, and the two rows here are ±w/2
        strength = (2 if binary else 1) / (l2 * shares.sum())
        model = LogisticRegression(
            C=strength, solver=self.solver, tol=self.tolerance, max_iter=self.max_iterations
        )
        try:
            model.fit(features, labels, shares)
        except ValueError as error:
            raise ProbingError(
                f"probe.solver={self.solver}: scikit-learn rejects it: {str(error).splitlines()[0]}"
            ) from error
        weights = np.column_stack([model.coef_, model.intercept_])
        return np.vstack([-weights, weights]) / 2 if binary else weights


def _weighted(target: NDArray[Any]) -> tuple[Ints, Ints, NDArray[np.float64]]:
    """Return rows, classes and weights of single-class examples, one per class in which a row has a share."""
    if target.ndim == 1:
        return np.arange(len(target)), target, np.ones(len(target))
    rows, labels = np.nonzero(target)
    return rows, labels, target[rows, labels]
