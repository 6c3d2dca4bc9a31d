"""Conversion of a task to the problem that a probe is fitted to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probing.tasks.target import Metric, Target
from probing.tasks.task import Average, Selection, Task

Rows = NDArray[np.int64]
"""Indices of examples."""


@dataclass(frozen=True)
class Problem:
    """Labels and splits as arrays: what the probes of all heads of a layer are fitted to.

    Attributes:
        target: The class, score or labels of each of the n rows.
        train: int64 row indices of the training examples. All rows with `selection="nested"`, none with
            "none".
        dev: int64 row indices of the dev examples; empty unless `selection` is "dev".
        test: int64 row indices of the test examples; with `selection="nested"` all rows.
        selection: Rows on which the L2 value is selected: `dev`, `folds`-fold cross-validation on train, or a
            stratified tenth of train. With `nested` it is k-fold within each of `folds` outer folds, and
            every outer fold is tested once. With `none` nothing is trained.
        folds: Number of folds of `selection="kfold"` and of "nested".
        metric: Metric that is maximised on dev.
        seed: Seed of fold assignment, initialisation and shuffling.
        groups: int64 (n,), the data set of each row, for scores that are averaged over data sets; or None.
        average: Average over the scores of data sets: plain or weighted by size.
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
        """Classes, int64, scores, float64, or labels, bool (n, k), of all n rows."""
        return self.target.gold


def make_problem(task: Task, seed: int) -> Problem:
    """Return a task as a problem."""
    everything = np.arange(len(task))
    nested = task.selection == "nested"
    return Problem(
        target=task.target,
        train=everything if nested else task.rows("train"),
        dev=task.rows("dev"),
        test=everything if nested else task.rows("test"),
        selection=task.selection,
        folds=task.folds,
        metric=task.metric,
        seed=seed,
        groups=None if task.groups is None else np.unique(task.groups, return_inverse=True)[1],
        average=task.average,
    )
