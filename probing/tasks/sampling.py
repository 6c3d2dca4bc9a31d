"""Subsets of any task: a limit on the number of examples, and classes of equal size."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.tasks.problem import Rows
from probing.tasks.target import Classes, Labels
from probing.tasks.task import SPLITS, Task

# minimum number of examples to learn a class from, or to compute a correlation
LEAST = 2


def sample(task: Task, limit: int | None, balance: bool, seed: int) -> Task:
    """Draw some examples of every split at random, and keep their order.

    Args:
        task: Any task.
        limit: Maximum number of examples of each split; None keeps all. Classes, fifths of scores and data
            sets within a task keep their shares as closely as whole numbers allow. No class of train gets
            fewer examples than selecting settings needs: two, or one for each fold (two more for nested
            folds), or all its examples if it has fewer. A larger limit with the same seed adds examples and
            drops none.
        balance: Whether to reduce all classes of a split to the size of its smallest, before the limit.
        seed: Seed of the draw.

    Returns:
        The smaller task, or the task itself if nothing is left out.

    Raises:
        ProbingError: If there are no classes to balance, or the limit leaves too little to probe.
    """
    if limit is not None and limit < 1:
        raise ProbingError(f"task.limit is {limit}; give at least 1, or null for all examples")
    if balance:
        task = _take(task, _balanced(task, seed), "task.balance=true")
    if limit is not None:
        task = _take(task, _limited(task, limit, seed), f"task.limit={limit}")
    return task


def _take(task: Task, rows: Rows, key: str) -> Task:
    if len(rows) == len(task):
        return task
    try:
        return task.take(rows)
    except ProbingError as error:
        raise ProbingError(f"{key} leaves too little: {error}") from error


def _balanced(task: Task, seed: int) -> Rows:
    """Return rows with as many examples of each class as the smallest class of the split has."""
    if not isinstance(task.target, Classes):
        kind = "several labels for each example" if isinstance(task.target, Labels) else "scores"
        raise ProbingError(f"task.balance=true needs classes, but task {task.name} has {kind}; leave it out")
    strata = _number(task.split, task.target.labels)
    rank, sizes = _ranks(strata, seed)
    smallest = {}
    for split in set(task.split.tolist()):
        rows = task.rows(split)
        row = rows[sizes[rows].argmin()]
        smallest[split] = int(sizes[row])
        if split == "train" and sizes[row] < _needed(task):
            name = task.target.names[task.target.labels[row]]
            raise ProbingError(
                f"task.balance=true would cut every class of train to the {sizes[row]} examples of {name!r}, "
                f"fewer than the {_needed(task)} that a probe needs; leave it out"
            )
    return np.flatnonzero(rank < np.array([smallest[split] for split in task.split.tolist()]))


def _limited(task: Task, limit: int, seed: int) -> Rows:
    """Return rows in proportion to the strata of each split, after those that no class can do without."""
    groups = np.full(len(task), "") if task.groups is None else task.groups
    strata = _number(task.split, groups, task.target.strata)
    rank, sizes = _ranks(strata, seed)
    # taking the smallest of these is Webster's method: no share falls when the total rises
    order = (rank + 0.5) / sizes
    order[_indispensable(task, groups, order)] = -1
    kept = []
    for split in SPLITS:
        rows = task.rows(split)
        least = _least(task, split, int((order[rows] < 0).sum()))
        if limit < min(least, len(rows)):
            raise ProbingError(
                f"task.limit={limit} is too small for {split} of task {task.name}; give at least {least}"
            )
        kept.append(rows[np.lexsort((_shuffle(len(task), seed)[rows], order[rows]))[:limit]])
    return np.sort(np.concatenate(kept))


def _least(task: Task, split: str, indispensable: int) -> int:
    """Return the minimum number of examples of a split."""
    if not isinstance(task.target, Classes):
        return max(indispensable, _needed(task) if split == "train" else LEAST)
    classes = len(np.unique(task.target.labels[task.rows(split)]))
    return max(indispensable, LEAST * classes if split == "train" else 1)


def _indispensable(task: Task, groups: NDArray[np.str_], order: NDArray[np.float64]) -> Rows:
    """Return rows without which train would lack a class, or another split a data set to score."""
    kept = []
    for split in SPLITS:
        rows = task.rows(split)
        if split == "train" and isinstance(task.target, Classes):
            kept += _firsts(rows, task.target.labels, order, _needed(task))
        elif split == "train" and isinstance(task.target, Labels):
            for has in task.target.values.T:
                kept += _firsts(rows[has[rows]], has, order, LEAST)
        elif split != "train" and task.groups is not None:
            kept += _firsts(rows, groups, order, LEAST)
    return np.array(kept, dtype=np.int64)


def _firsts(rows: Rows, keys: NDArray[Any], order: NDArray[np.float64], n: int) -> list[int]:
    """Return the first n rows of each key."""
    kept: list[int] = []
    for key in np.unique(keys[rows]):
        of_key = rows[keys[rows] == key]
        kept += of_key[np.argsort(order[of_key], kind="stable")[:n]].tolist()
    return kept


def _needed(task: Task) -> int:
    """Return the number of examples per class, or of scores, that train needs to select settings."""
    # two more than folds leave one for each inner fold, regardless of the outer fold held out
    folds = {"kfold": task.folds, "nested": task.folds + 2}
    return max(LEAST, folds.get(task.selection, 0))


def _number(*keys: NDArray[np.str_] | Rows) -> Rows:
    """Return a number, from 0, for every combination of keys that occurs; int64 (n,)."""
    numbers = np.zeros(len(keys[0]), dtype=np.int64)
    for key in keys:
        values, places = np.unique(key, return_inverse=True)
        numbers = np.unique(numbers * len(values) + places, return_inverse=True)[1]
    return numbers


def _ranks(strata: Rows, seed: int) -> tuple[Rows, Rows]:
    """Return the position of each row in a random order of its stratum, and the size of the stratum."""
    order = np.lexsort((_shuffle(len(strata), seed), strata))
    sizes = np.bincount(strata)
    starts = np.cumsum(sizes) - sizes
    rank = np.empty(len(strata), dtype=np.int64)
    rank[order] = np.arange(len(strata)) - starts[strata[order]]
    return rank, sizes[strata].astype(np.int64)


def _shuffle(n: int, seed: int) -> Rows:
    return np.random.default_rng(seed).permutation(n)
