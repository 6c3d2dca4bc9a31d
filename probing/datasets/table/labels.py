"""Labels of a table as classes or scores, and the checks on them."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from probing.datasets.table.row_names import NUMBER, WHOLE, as_shown, class_names, ignored, meant
from probing.datasets.table.units import TableExample
from probing.errors import ProbingError
from probing.tasks.target import BINS, Classes, Labels, Scores
from probing.validation.suggestions import suggest

log = logging.getLogger(__name__)
TargetKind = Literal["auto", "classes", "scores"]
# scores with a range of at most this many steps get an anchor at every whole number
_STEPS = 10


def labelled(examples: Iterable[TableExample], column: str, ignore: Sequence[str]) -> list[TableExample]:
    """Return the examples that have a label, without those whose label is ignored.

    Raises:
        ProbingError: With the row, if a label is missing; also if an entry of `ignore` names no label.
    """
    kept, every = [], list(examples)
    leave = ignored((example.label for example in every), ignore)
    for example in every:
        if example.label in leave:
            continue
        if not example.label:
            raise ProbingError(
                f"{example.place}: column {column!r} is empty; fill it, remove the row, or leave such rows "
                "out with task.ignore=['']"
            )
        kept.append(example)
    if not kept:
        raise ProbingError("task.ignore leaves no example; name fewer labels")
    return kept


def is_score(examples: Sequence[TableExample], column: str, kind: TargetKind) -> bool:
    """Return whether labels are scores; by default they are if all are numbers and any has a fraction.

    Raises:
        ProbingError: If some labels are numbers with a fraction and others are not numbers.
    """
    if kind != "auto":
        return kind == "scores"
    labels = [example.label for example in examples]
    numbers = [label for label in labels if NUMBER.fullmatch(label)]
    fractions = [label for label in numbers if not float(label).is_integer()]
    if fractions:
        for example in examples:
            if not NUMBER.fullmatch(example.label):
                raise ProbingError(
                    f"{example.place}: label {example.label!r} is not a number, but others are, such as "
                    f"{fractions[0]}; fix it, or give task.kind=classes"
                )
    if len(numbers) == len(labels):
        read, other = ("scores", "classes") if fractions else ("classes", "scores")
        log.info("labels: column %r is read as %s; task.kind=%s reads it as %s", column, read, other, other)
    return bool(fractions)


def make_classes(examples: Sequence[TableExample], column: str, order: Sequence[str] | None) -> Classes:
    """Make classes in the given order, or else sort numbers by value and words alphabetically.

    Raises:
        ProbingError: If there are too many, one is given twice, or a label is not among those given.
    """
    labels = [example.label for example in examples]
    if all(WHOLE.fullmatch(label) for label in labels):
        labels = [as_shown(label) for label in labels]
        order = order and [as_shown(name) for name in order]
    found = set(labels)
    if 2 * len(found) > len(labels):
        raise ProbingError(
            f"{examples[0].table.where}: column {column!r} has {len(found)} different labels for "
            f"{len(labels)} examples, too many for classes; choose another column, task.label=..., or give "
            "task.kind=scores for numbers"
        )
    if order:
        known = {label for entry in order for label in meant(entry, found)}
        for example, label in zip(examples, labels, strict=True):
            if label not in known:
                there = suggest(label, list(order))
                raise ProbingError(f"{example.place}: label {label!r} is not in task.classes; {there}")
    names = class_names(order, found)
    index = {name: number for number, name in enumerate(names)}
    return Classes(np.array([index[label] for label in labels], dtype=np.int64), names)


def make_scores(examples: Sequence[TableExample], low: float | None, high: float | None) -> Scores:
    """Make scores with anchors over the possible range or, if that is not given, the range of the data.

    Raises:
        ProbingError: With the row, if a score is not a number or is out of range.
    """
    values = np.array([_score(example, low, high) for example in examples], dtype=np.float64)
    return Scores(
        values, anchors(values.min() if low is None else low, values.max() if high is None else high)
    )


def _score(example: TableExample, low: float | None, high: float | None) -> float:
    # float alone would accept 1_000
    value = float(example.label) if NUMBER.fullmatch(example.label) else math.nan
    if not math.isfinite(value):
        raise ProbingError(
            f"{example.place}: {example.label!r} is not a score; give a number, or remove the row"
        )
    if (low is not None and value < low) or (high is not None and value > high):
        raise ProbingError(
            f"{example.place}: score {value:g} is outside task.low={low} to task.high={high}; fix it or "
            "the range"
        )
    return value


def anchors(low: float, high: float) -> tuple[float, ...]:
    """Return whole numbers that enclose a range of 1 to 10; else its ends and four points between them."""
    if 1 <= high - low <= _STEPS:
        return tuple(map(float, range(math.floor(low), math.ceil(high) + 1)))
    return tuple(np.linspace(low, high, BINS + 1).tolist())


def check_seen(examples: Sequence[TableExample], target: Classes | Labels, split: NDArray[np.str_]) -> None:
    """Reject a label that is only in dev or test.

    Raises:
        ProbingError: With the row.
    """
    sets = target.sets()
    seen = {label for labels, of in zip(sets, split, strict=True) for label in labels if of == "train"}
    for example, labels, of in zip(examples, sets, split, strict=True):
        for label in labels:
            if label not in seen:
                raise ProbingError(
                    f"{example.place}: label {label!r} of {of} is never seen in train; fix it, remove the "
                    f"row, or leave the label out with task.ignore=[{label}]"
                )
