"""What the labels of a table are, classes or scores, and what is wrong with them."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np

from probing.datasets.table.row_names import NUMBER, WHOLE, as_shown, class_order, ignored, meant, ordered
from probing.datasets.table.units import Example
from probing.errors import ProbingError
from probing.tasks.target import BINS, Classes, Scores
from probing.validation.suggestions import suggest

log = logging.getLogger(__name__)
Kind = Literal["auto", "classes", "scores"]
# scores that are so many steps apart at most get an anchor at every whole number
_STEPS = 10


def labelled(examples: Iterable[Example], column: str, ignore: Sequence[str]) -> list[Example]:
    """The examples with a label, without those whose label is to be left out.

    Raises:
        ProbingError: With the row, if a label is missing; if an entry of `ignore` names no label.
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


def is_score(examples: Sequence[Example], column: str, kind: Kind) -> bool:
    """Whether labels are scores: if not said, numbers of which one at least has a fraction.

    Raises:
        ProbingError: If some labels are numbers with a fraction and others no numbers.
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
                    f"{example.place}: label {example.label!r} is no number while others are, "
                    f"{fractions[0]} say; mend it, or give task.kind=classes"
                )
    if len(numbers) == len(labels):
        read, other = ("scores", "classes") if fractions else ("classes", "scores")
        log.info("labels: column %r is read as %s; task.kind=%s reads it as %s", column, read, other, other)
    return bool(fractions)


def make_classes(examples: Sequence[Example], column: str, order: Sequence[str] | None) -> Classes:
    """Classes in the order given, or numbers by size, or by the alphabet.

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
            f"{len(labels)} examples, too many for classes; choose another, task.label=..., or give "
            "task.kind=scores for numbers"
        )
    if order:
        known = {label for entry in order for label in meant(entry, found)}
        for example, label in zip(examples, labels, strict=True):
            if label not in known:
                there = suggest(label, list(order))
                raise ProbingError(f"{example.place}: label {label!r} is not in task.classes; {there}")
    names = ordered(order, found) if order else tuple(sorted(found, key=class_order))
    index = {name: number for number, name in enumerate(names)}
    return Classes(np.array([index[label] for label in labels], dtype=np.int64), names)


def make_scores(examples: Sequence[Example], low: float | None, high: float | None) -> Scores:
    """Scores, with anchors from the lowest possible to the highest, or from and to what there is.

    Raises:
        ProbingError: With the row, if a score is no number or out of range.
    """
    values = np.array([_score(example, low, high) for example in examples], dtype=np.float64)
    return Scores(
        values, anchors(values.min() if low is None else low, values.max() if high is None else high)
    )


def _score(example: Example, low: float | None, high: float | None) -> float:
    # Python alone would take 1_000 for a number
    value = float(example.label) if NUMBER.fullmatch(example.label) else math.nan
    if not math.isfinite(value):
        raise ProbingError(
            f"{example.place}: {example.label!r} is no score; give a number, or remove the row"
        )
    if (low is not None and value < low) or (high is not None and value > high):
        raise ProbingError(
            f"{example.place}: score {value:g} is outside task.low={low} to task.high={high}; mend it or "
            "the range"
        )
    return value


def anchors(low: float, high: float) -> tuple[float, ...]:
    """Whole numbers that enclose a range of 1 to 10; of another range, its ends and four points between."""
    if 1 <= high - low <= _STEPS:
        return tuple(map(float, range(math.floor(low), math.ceil(high) + 1)))
    return tuple(np.linspace(low, high, BINS + 1).tolist())


def check_seen(examples: Sequence[Example], classes: Classes, split: Sequence[str]) -> None:
    """Refuse a label that is in dev or test only.

    Raises:
        ProbingError: With the row.
    """
    seen = {label for label, of in zip(classes.labels.tolist(), split, strict=True) if of == "train"}
    for example, label, of in zip(examples, classes.labels.tolist(), split, strict=True):
        if label not in seen:
            raise ProbingError(
                f"{example.place}: label {classes.names[label]!r} of {of} is never seen in train; mend it, "
                f"remove the row, or leave the label out with task.ignore=[{classes.names[label]}]"
            )
