"""Task cards: sizes, classes, lengths, overlap and licence of a task, for the record and the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probing.tasks.target import Classes, Labels, Scores
from probing.tasks.task import SPLITS, Task, Unit

_FEATURES = {"concat": "[u, v]", "compare": "[|u-v|, u*v]", "all": "[u, v, u*v, |u-v|]"}


@dataclass(frozen=True)
class Lengths:
    """Summary of the text lengths of a split, with one length per example.

    Attributes:
        mean: Mean length.
        median: Median length.
        low: 5th percentile.
        high: 95th percentile.
        most: Maximum length.
    """

    mean: float
    median: float
    low: int
    high: int
    most: int


@dataclass(frozen=True)
class ScoreRange:
    """Summary of the scores of a split; `sd` is the population standard deviation."""

    mean: float
    sd: float
    low: float
    high: float


@dataclass(frozen=True)
class SplitCard:
    """The facts of one split.

    Attributes:
        name: train, dev or test.
        size: Number of examples.
        classes: Number of examples per class or label, in the task's order; None for scores.
        majority: Share of the largest class; None for scores and for several labels.
        scores: Summary of the scores; None for classes and labels.
        lengths: Lengths of the texts; for pairs, of both texts together.
        in_train: Number of examples whose text, or pair of texts, is also in train; 0 for train itself.
        repeated: Number of examples that repeat an earlier one of the split, spans included.
    """

    name: str
    size: int
    classes: Mapping[str, int] | None
    majority: float | None
    scores: ScoreRange | None
    lengths: Lengths
    in_train: int
    repeated: int


@dataclass(frozen=True)
class TaskCard:
    """The facts of a task.

    Attributes:
        name: Name on the command line.
        source: Origin of the data.
        licence: Licence of the data.
        metric: Name of the metric.
        selection: Data that settings are selected on, in words.
        units: Description of an example, in words.
        length_unit: "words" between whitespace, or "characters" if most texts have no whitespace.
        splits: The splits that have examples.
        conflicts: Number of texts, or pairs of texts, that occur with different labels, spans included.
        groups: Number of examples per data set within the task; None if there is only one.
    """

    name: str
    source: str
    licence: str
    metric: str
    selection: str
    units: str
    length_unit: str
    splits: tuple[SplitCard, ...]
    conflicts: int
    groups: Mapping[str, int] | None

    def __repr__(self) -> str:
        """Return the name, the metric and the sizes of the splits."""
        sizes = ", ".join(f"{split.size} {split.name}" for split in self.splits)
        return f"TaskCard({self.name}: {sizes}; {self.metric})"

    def as_dict(self) -> dict[str, Any]:
        """Return the card as plain JSON values."""
        return asdict(self)


def card_from(content: Mapping[str, Any]) -> TaskCard:
    """Return a card from plain values as `TaskCard.as_dict` gives them.

    Raises:
        TypeError: If a version with other fields wrote them.
        KeyError: If a field is missing.
    """
    splits = [
        {
            **split,
            "lengths": Lengths(**split["lengths"]),
            "scores": None if split["scores"] is None else ScoreRange(**split["scores"]),
        }
        for split in content["splits"]
    ]
    return TaskCard(**{**content, "splits": tuple(SplitCard(**split) for split in splits)})


def card(task: Task) -> TaskCard:
    """Compute the card of a task."""
    texts = [_text(row, task) for row in range(len(task))]
    items = _items(task, texts)
    length_unit, lengths = _measure(texts)
    train = {texts[row] for row in task.rows("train")}

    def of_split(name: str) -> SplitCard:
        rows = task.rows(name)
        counts, majority = _class_counts(task, rows)
        return SplitCard(
            name=name,
            size=len(rows),
            classes=counts,
            majority=majority,
            scores=_score_range(task, rows),
            lengths=_lengths(lengths[rows]),
            in_train=0 if name == "train" else sum(texts[row] in train for row in rows),
            repeated=len(rows) - len({items[row] for row in rows}),
        )

    return TaskCard(
        name=task.name,
        source=task.source,
        licence=task.licence,
        metric=task.metric,
        selection=_selection(task),
        units=_units(task),
        length_unit=length_unit,
        splits=tuple(of_split(name) for name in SPLITS if len(task.rows(name))),
        conflicts=_conflicts(items, task.target.shown()),
        groups=None if task.groups is None else dict(Counter(task.groups.tolist())),
    )


def _text(row: int, task: Task) -> str:
    """Return all text of an example; a separator that no text contains divides the texts of a pair."""
    unit = task.units[row]
    if unit.second is None and task.partners is None:
        return unit.text
    parts = [unit.text] if unit.second is None else [unit.text, unit.second]
    if task.partners is not None:
        partner = task.partners[row]
        if not (unit.span and partner.text == unit.text):  # two spans of the same text, which counts once
            parts.append(partner.text)
    return "\0\n".join(parts)


def _items(task: Task, texts: Sequence[str]) -> Sequence[Hashable]:
    """Return what identifies each example: its text, and its spans if there are any."""
    if not any(unit.span for unit in task.all_units):
        return texts
    partners: Sequence[Unit | None] = task.partners or [None] * len(task)
    return [
        (text, unit.span, partner and partner.span)
        for text, unit, partner in zip(texts, task.units, partners, strict=True)
    ]


def _measure(texts: Sequence[str]) -> tuple[str, NDArray[np.int64]]:
    """Return the unit of length and the length of every text."""
    words = {text: len(text.split()) for text in dict.fromkeys(texts)}
    spaceless = sum(count == 1 + text.count("\0") for text, count in words.items())
    if 2 * spaceless > len(words):
        words = {text: len(text) - 2 * text.count("\0") for text in words}
        return "characters", np.array([words[text] for text in texts], dtype=np.int64)
    return "words", np.array([words[text] for text in texts], dtype=np.int64)


def _lengths(lengths: NDArray[np.int64]) -> Lengths:
    low, high = np.percentile(lengths, (5, 95), method="nearest").tolist()
    return Lengths(float(lengths.mean()), float(np.median(lengths)), low, high, int(lengths.max()))


def _class_counts(task: Task, rows: NDArray[np.int64]) -> tuple[dict[str, int] | None, float | None]:
    if isinstance(task.target, Labels):
        return dict(zip(task.target.names, task.target.values[rows].sum(0).tolist(), strict=True)), None
    if not isinstance(task.target, Classes):
        return None, None
    counts = np.bincount(task.target.labels[rows], minlength=len(task.target.names))
    return dict(zip(task.target.names, counts.tolist(), strict=True)), float(counts.max() / len(rows))


def _score_range(task: Task, rows: NDArray[np.int64]) -> ScoreRange | None:
    if not isinstance(task.target, Scores):
        return None
    values = task.target.values[rows]
    return ScoreRange(*(float(value) for value in (values.mean(), values.std(), values.min(), values.max())))


def _conflicts(items: Sequence[Hashable], labels: Sequence[str]) -> int:
    first: dict[Hashable, str] = {}
    return len(
        {item for item, label in zip(items, labels, strict=True) if first.setdefault(item, label) != label}
    )


def _selection(task: Task) -> str:
    return {
        "dev": "settings selected on dev",
        "kfold": f"settings selected by {task.folds}-fold cross-validation on train",
        "holdout": "settings selected on a tenth of train",
        "nested": f"tested by {task.folds}-fold cross-validation, settings selected by an inner one",
        "none": "nothing is trained",
    }[task.selection]


def _units(task: Task) -> str:
    spans = any(unit.span for unit in task.units)
    if task.partners is not None:
        return (
            f"pairs of {'spans' if spans else 'texts'}, one vector each, "
            f"combined as {_FEATURES[task.features]}"
        )
    if any(unit.second is not None for unit in task.units):
        return "pairs of texts, read together"
    return "words or spans of texts" if spans else "texts"
