"""Sizes of a problem and gold values of its test items, as recorded in results."""

from __future__ import annotations

from typing import Any

import numpy as np

from probing.statistics.folds import inner_splits
from probing.tasks.problem import Problem
from probing.tasks.target import Labels, Scores


def counts(problem: Problem) -> dict[str, object]:
    """Return sizes, as columns. With nested folds every example is trained on, held out and tested."""
    target = problem.target
    trained = problem.selection in {"dev", "kfold", "holdout"}
    return {
        "metric": problem.metric,
        "n_train": len(problem.train),
        "n_dev": sum(len(held) for _, held in inner_splits(problem)) if trained else len(problem.train),
        "n_test": len(problem.test),
        "n_classes": None if isinstance(target, Scores) else len(target.names),
    }


def truth(problem: Problem) -> dict[str, Any]:
    """Return the gold values of the test items, and the data set of each or None, as plain values.

    Several labels are lists of the numbers of those that an item has.
    """
    groups = None if problem.groups is None else problem.groups[problem.test].tolist()
    gold = problem.gold[problem.test]
    if isinstance(problem.target, Labels):
        return {"gold": [np.flatnonzero(row).tolist() for row in gold], "groups": groups}
    return {"gold": gold.tolist(), "groups": groups}
