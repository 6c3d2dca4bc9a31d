"""Fewer examples of any task: a limit for a quick look, and classes of one size."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.tasks.target import Classes, Labels
from probing.tasks.task import SPLITS, Task

Rows = NDArray[np.int64]
# examples without which nothing can be learned of a class, nor a correlation be taken
LEAST = 2


def sample(task: Task, limit: int | None, balance: bool, seed: int) -> Task:
    """Draw some examples of every split at random; those that stay keep their order.

    Args:
        task: Any task.
        limit: Most examples of each split; None takes all. Classes, fifths of scores and data sets
            within a task keep their shares as nearly as whole numbers allow, but no class of train gets
            fewer examples than choosing settings needs: two, or one for each fold (of nested folds two
            more), or all that it has. A greater limit with the same seed adds examples and drops none.
        balance: Whether to cut all classes of a split to the size of its smallest, before the limit.
        seed: Of the draw.

    Returns:
        The task itself if nothing is to be left out.

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
    """Rows with as many of each class as a split's smallest class has."""
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
                f"fewer than the {_needed(task)} that it takes to probe; leave it out"
            )
    return np.flatnonzero(rank < np.array([smallest[split] for split in task.split.tolist()]))


def _limited(task: Task, limit: int, seed: int) -> Rows:
    """Rows in proportion to the strata of each split, those first that each class cannot do without."""
    groups = np.full(len(task), "") if task.groups is None else task.groups
    strata = _number(task.split, groups, task.target.strata)
    rank, sizes = _ranks(strata, seed)
    # to take the least of these is Webster's method, by which no share falls when the total rises
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
    """The fewest examples of a split that make a task."""
    if not isinstance(task.target, Classes):
        return max(indispensable, _needed(task) if split == "train" else LEAST)
    classes = len(np.unique(task.target.labels[task.rows(split)]))
    return max(indispensable, LEAST * classes if split == "train" else 1)


def _indispensable(task: Task, groups: NDArray[np.str_], order: NDArray[np.float64]) -> Rows:
    """Rows without which train would lack a class, or another split a data set to score."""
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
    """Of each key the n rows that come first."""
    kept: list[int] = []
    for key in np.unique(keys[rows]):
        of_key = rows[keys[rows] == key]
        kept += of_key[np.argsort(order[of_key], kind="stable")[:n]].tolist()
    return kept


def _needed(task: Task) -> int:
    """Examples of a class, or scores, that train needs for settings to be chosen."""
    # two more than folds leave one for each inner fold, whichever outer fold is taken away
    folds = {"kfold": task.folds, "nested": task.folds + 2}
    return max(LEAST, folds.get(task.selection, 0))


def _number(*keys: NDArray[np.str_] | Rows) -> Rows:
    """A number for every combination of keys that there is, from 0; int64 (n,)."""
    numbers = np.zeros(len(keys[0]), dtype=np.int64)
    for key in keys:
        values, places = np.unique(key, return_inverse=True)
        numbers = np.unique(numbers * len(values) + places, return_inverse=True)[1]
    return numbers


def _ranks(strata: Rows, seed: int) -> tuple[Rows, Rows]:
    """The place of each row in a random order of its stratum, and the size of the stratum."""
    order = np.lexsort((_shuffle(len(strata), seed), strata))
    sizes = np.bincount(strata)
    starts = np.cumsum(sizes) - sizes
    rank = np.empty(len(strata), dtype=np.int64)
    rank[order] = np.arange(len(strata)) - starts[strata[order]]
    return rank, sizes[strata].astype(np.int64)


def _shuffle(n: int, seed: int) -> Rows:
    return np.random.default_rng(seed).permutation(n)
