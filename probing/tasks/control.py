"""The same task with other labels: control labels, which only memorisation can solve, or shuffled labels."""

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
from probing.tasks.task import Task, Unit

log = logging.getLogger(__name__)
By = Literal["auto", "word", "last", "text"]


def control_task(task: Task, by: By = "auto", draw: int = 0) -> Task:
    """Give every type one random label, the same in every split (Hewitt & Liang 2019, section 2).

    A probe can predict such labels only by memorising types. Its score on them therefore shows how much of
    its score on the task may be memorisation. Labels are drawn from the label distribution of the train
    examples. A type that train lacks gets the label of a type that train has, so that no label of another
    split is new. The paper has no control for sentences. Here the type of a sentence is its last word, a
    feature that recurs, or, with `by="text"`, the whole text, whose label nothing can predict.

    Args:
        task: Any task.
        by: `word`, the lower-cased word or span; `last`, the last word of a text; `text`, the whole text;
            `auto` uses words if the units are words, and `last` otherwise. For pairs, both types count.
        draw: Number of the draw; each number gives other labels.

    Returns:
        The task with other targets; units, splits and name stay the same.

    Raises:
        ProbingError: If `by` is `word` but the units are not words, or if the drawn labels are all the same.
    """
    types = _types(task, by)
    trained = "train" if (task.split == "train").any() else "test"
    known = dict.fromkeys(types[row] for row in task.rows(trained))
    values = task.target.gold[task.rows(trained)]
    drawn = {kind: values[int(_share(kind, draw) * len(values))] for kind in known}
    pool = list(drawn.values())
    new = sum(kind not in drawn for row, kind in enumerate(types) if task.split[row] == "test")
    tested = len(task.rows("test"))
    if 2 * new > tested:
        log.warning(
            "control labels: %d of %d test examples are of types that train lacks; nothing predicts them",
            new,
            tested,
        )
    labels = [drawn[kind] if kind in drawn else pool[int(_share(kind, draw) * len(pool))] for kind in types]
    return _relabelled(task, np.asarray(labels), "control labels")


def permuted_task(task: Task, draw: int = 0, seed: int = 0) -> Task:
    """Shuffle the targets within each split, and within each data set of it.

    Args:
        task: Any task.
        draw: Number of the shuffle.
        seed: Seed of all shuffles.

    Returns:
        The task with its targets in another order.
    """
    generator = np.random.default_rng([seed, draw])
    values = task.target.gold.copy()
    groups = np.full(len(task), "") if task.groups is None else task.groups
    for split in np.unique(task.split):
        for group in np.unique(groups):
            rows = np.flatnonzero((task.split == split) & (groups == group))
            values[rows] = values[generator.permutation(rows)]
    return _relabelled(task, values, "permuted labels")


def _relabelled(task: Task, values: NDArray[np.generic], what: str) -> Task:
    try:
        return replace(task, target=task.target.with_gold(values))
    except ProbingError as error:
        raise ProbingError(f"{what}: {error}; try another baseline.draw or a larger task") from error


def _types(task: Task, by: By) -> list[Hashable]:
    words = all(unit.span is not None for unit in task.units)
    if by == "word" and not words:
        raise ProbingError(f"baseline.by=word: the units of task {task.name} are not words; use last or text")
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
    """Return a number in [0, 1) that looks random but is always the same for a type."""
    digest = hashlib.blake2b(repr((draw, kind)).encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48
