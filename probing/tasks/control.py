"""The same task with other labels: control labels that only memorisation can solve, and shuffled ones."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.tasks.target import Classes, Labels, Scores, Target
from probing.tasks.task import Task, Unit

log = logging.getLogger(__name__)
By = Literal["auto", "word", "last", "text"]


def control_task(task: Task, by: By = "auto", draw: int = 0) -> Task:
    """Give every type one random label, the same in every split (Hewitt & Liang 2019, section 2).

    A probe can tell such labels only by remembering types, so what it scores on them shows how much of its
    score on the task may be memory. Labels are drawn from the distribution that train has over its
    examples; a type that train does not have gets the label of one that it has, so that no label of
    another split is new. For sentences the paper has no control: here the type is that of the last word, a
    feature that recurs, or, with `by="text"`, the whole text, whose label nothing could tell.

    Args:
        task: Any task.
        by: `word`, the lower-cased word or span; `last`, the last word of a text; `text`, all of it;
            `auto` takes words where the units are some, else `last`. Of pairs both types count.
        draw: Another number draws other labels.

    Returns:
        The task with other targets; units, splits and name stay.

    Raises:
        ProbingError: If there are no words to go by, or the drawn labels are all the same.
    """
    types = _types(task, by)
    trained = "train" if (task.split == "train").any() else "test"
    known = dict.fromkeys(types[row] for row in task.rows(trained))
    values = _values(task.target.take(task.rows(trained)))
    drawn = {kind: values[int(_share(kind, draw) * len(values))] for kind in known}
    pool = list(drawn.values())
    new = sum(kind not in drawn for row, kind in enumerate(types) if task.split[row] == "test")
    tested = len(task.rows("test"))
    if 2 * new > tested:
        log.warning(
            "control labels: %d of %d test examples are of types that train lacks: nothing can tell them",
            new,
            tested,
        )
    labels = [drawn[kind] if kind in drawn else pool[int(_share(kind, draw) * len(pool))] for kind in types]
    return _relabelled(task, np.asarray(labels), "control labels")


def permuted_task(task: Task, draw: int = 0, seed: int = 0) -> Task:
    """Shuffle the targets within each split, and within each data set of it.

    Args:
        task: Any task.
        draw: Which shuffle.
        seed: Seeds all of them.

    Returns:
        The task with its targets in another order.
    """
    generator = np.random.default_rng([seed, draw])
    values = _values(task.target).copy()
    groups = np.full(len(task), "") if task.groups is None else task.groups
    for split in np.unique(task.split):
        for group in np.unique(groups):
            rows = np.flatnonzero((task.split == split) & (groups == group))
            values[rows] = values[generator.permutation(rows)]
    return _relabelled(task, values, "permuted labels")


def _values(target: Target) -> NDArray[np.generic]:
    return target.labels if isinstance(target, Classes) else target.values


def _relabelled(task: Task, values: NDArray[np.generic], what: str) -> Task:
    target: Target
    if isinstance(task.target, Classes):
        target = replace(task.target, labels=values.astype(np.int64))
    elif isinstance(task.target, Labels):
        target = replace(task.target, values=values.astype(bool))
    else:
        target = Scores(values.astype(np.float64), task.target.anchors)
    try:
        return replace(task, target=target)
    except ProbingError as error:
        raise ProbingError(f"{what}: {error}; another baseline.draw may help, or a larger task") from error


def _types(task: Task, by: By) -> list[Hashable]:
    words = all(unit.span is not None for unit in task.units)
    if by == "word" and not words:
        raise ProbingError(f"baseline.by=word: the units of task {task.name} are no words; use last or text")
    how = ("word" if words else "last") if by == "auto" else by
    columns = [[_type(unit, how) for unit in units] for units in _columns(task)]
    return list(zip(*columns, strict=True))


def _columns(task: Task) -> list[Sequence[Unit]]:
    return [task.units] if task.partners is None else [task.units, task.partners]


def _type(unit: Unit, how: str) -> str:
    text = unit.text if unit.second is None else f"{unit.text} {unit.second}"
    if how == "word" and unit.span is not None:
        return unit.text[slice(*unit.span)].lower()
    if how == "text":
        return text
    words = re.findall(r"\w+", text.lower())
    return words[-1] if words else text


def _share(kind: Hashable, draw: int) -> float:
    """A number in [0, 1) that looks random but is the same for a type wherever it occurs."""
    digest = hashlib.blake2b(repr((draw, kind)).encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48
