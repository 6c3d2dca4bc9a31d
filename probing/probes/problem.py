"""What crosses the boundary to and from a probe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from probing.tasks.target import Classes, Metric, Target
from probing.tasks.task import Average, Features, Selection, Task


@dataclass(frozen=True)
class Problem:
    """One problem, asked of every head of a layer at once.

    Attributes:
        target: The class or score of each of the n rows.
        train: int64 row indices of the training examples; with `selection="nested"` all rows, with "none"
            no row.
        dev: int64 row indices of the dev examples; empty unless `selection` is "dev".
        test: int64 row indices of the test examples; with `selection="nested"` all rows.
        selection: Where the L2 value is chosen: on `dev`, by `folds`-fold cross-validation on train, or
            on a stratified tenth of train; `nested` is k-fold within each of `folds` outer folds, of which
            every one is tested once; with `none` nothing is trained.
        folds: Number of folds of `selection="kfold"` and of "nested".
        metric: The score that is maximised on dev.
        seed: Seeds fold assignment, initialisation and shuffling.
        groups: int64 (n,), the data set of each row, for scores that are averaged over data sets; or None.
        average: How the scores of data sets become one: their mean, or weighted by size.
    """

    target: Target
    train: NDArray[np.int64]
    dev: NDArray[np.int64]
    test: NDArray[np.int64]
    selection: Selection
    folds: int
    metric: Metric
    seed: int
    groups: NDArray[np.int64] | None = None
    average: Average = "mean"

    @property
    def gold(self) -> NDArray[Any]:
        """The classes, int64, or scores, float64, of all n rows."""
        return self.target.labels if isinstance(self.target, Classes) else self.target.values


@dataclass(frozen=True)
class Fit:
    """Probes of all `u` units (heads, or one layer) that were fitted together.

    Attributes:
        dev: float64 (u,), score at the chosen L2 value: on dev, or its mean over folds, inner and outer;
            NaN where nothing is trained.
        l2: float64 (u,), the chosen L2 value; of outer folds the median; NaN where nothing is trained.
        predictions: (u, n_test), predicted classes, int64, or scores, float64; rows as in `Problem.test`.
        weights: float32 (u, outputs, dim), of the final probe, for vectors as they were given; of outer
            folds the mean; (u, 0, dim) where nothing is trained or the probe is not linear.
        bias: float32 (u, outputs).
    """

    dev: NDArray[np.float64]
    l2: NDArray[np.float64]
    predictions: NDArray[np.int64] | NDArray[np.float64]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]


class Probe(Protocol):
    """A choice in conf/probe: a frozen dataclass of settings with one method.

    Attributes:
        features: How the probe wants the vectors of a pair; None takes what the task says.
    """

    features: ClassVar[Features | None]

    @property
    def name(self) -> str:
        """As on the command line, `logistic`."""

    def check(self, task: Task) -> None:
        """Refuse a task that this probe cannot answer, before any vector is extracted for it.

        Raises:
            ProbingError: Naming another probe.
        """

    def fit(self, vectors: torch.Tensor, problem: Problem) -> Fit:
        """Choose the L2 value without looking at test, then predict test once.

        Args:
            vectors: float32 (u, n, dim), on the device where the work shall be done; not modified.
            problem: Targets and splits of the n rows.
        """
