"""Sizes of a problem and gold values of its test items, as recorded in results."""

from __future__ import annotations

from typing import Any

from probing.statistics.folds import inner_splits
from probing.tasks.problem import Problem
from probing.tasks.target import Classes


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
