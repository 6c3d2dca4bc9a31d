"""Conversion of a task to the problem that a probe is fitted to."""

from __future__ import annotations

from typing import Any

import numpy as np

from probing.probes.problem import Problem
from probing.probes.splits import inner_splits
from probing.tasks.target import Classes
from probing.tasks.task import Task


def pose(task: Task, seed: int) -> Problem:
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


def counts(problem: Problem) -> dict[str, object]:
    """Return sizes, as columns. With nested folds every example is trained on, held out and tested."""
    target = problem.target
    trained = problem.selection in {"dev", "kfold", "holdout"}
    return {
        "metric": problem.metric,
        "n_train": len(problem.train),
        "n_dev": sum(len(held) for _, held in inner_splits(problem)) if trained else len(problem.train),
        "n_test": len(problem.test),
        "n_classes": len(target.names) if isinstance(target, Classes) else None,
    }


def truth(problem: Problem) -> dict[str, Any]:
    """Return the gold values of the test items, and the data set of each or None, as plain values."""
    groups = None if problem.groups is None else problem.groups[problem.test].tolist()
    return {"gold": problem.gold[problem.test].tolist(), "groups": groups}
