"""A task as the problem that is put to a probe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probing.tasks.target import Classes, Metric, Target
from probing.tasks.task import Average, Selection, Task


@dataclass(frozen=True)
class Problem:
    """One problem, asked of every head of a layer at once.

    Attributes:
        target: The class, score or labels of each of the n rows.
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
        """The classes, int64, scores, float64, or labels, bool (n, k), of all n rows."""
        return self.target.labels if isinstance(self.target, Classes) else self.target.values


def pose(task: Task, seed: int) -> Problem:
    """A task as a probe sees it."""
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
