"""SentEval's own files, read and ordered as SentEval does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from probing.errors import ProbingError
from probing.tasks.lines import read_lines
from probing.tasks.task import Metric, Selection, Task, Unit

SPLIT_CODES = {"tr": "train", "va": "dev", "te": "test"}
TREC_CLASSES = ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")
_HINT = "task.root must be SentEval's data folder, the one with probing/ and downstream/"


@dataclass(frozen=True)
class Example:
    """One line of a data file.

    Attributes:
        place: File and line, for messages.
        split: train, dev or test.
        label: As written.
        text: Tokens joined by one space.
    """

    place: str
    split: str
    label: str
    text: str


@dataclass(frozen=True)
class SentEvalProbing:
    """One of SentEval's ten probing tasks (Conneau et al., 2018).

    Attributes:
        name: As on the command line, `senteval/tense`.
        root: SentEval's data folder.
        file: The task's file below it.
        metric: The score.
    """

    name: str
    root: Path
    file: str
    metric: Metric = "accuracy"

    def build(self) -> Task:
        """Read the file; see `TaskSource.build`."""
        examples = list(self._read(self.root / self.file))
        classes = tuple(sorted({example.label for example in examples if example.split == "train"}))
        return make_task(
            self.name, examples, classes, metric=self.metric, source=_source(self.root / self.file)
        )

    @staticmethod
    def _read(path: Path) -> Iterator[Example]:
        for number, line in read_lines(path, "utf-8", _HINT):
            place = f"{path}, line {number}"
            fields = line.rstrip().split("\t")
            if len(fields) < 3 or fields[0] not in SPLIT_CODES:
                raise ProbingError(f"{place}: expected tr, va or te, a label and a sentence between tabs")
            yield Example(place, SPLIT_CODES[fields[0]], fields[1], _clean(fields[-1], place))


@dataclass(frozen=True)
class Trec:
    """TREC question types (Li and Roth, 2002), six coarse classes.

    Attributes:
        name: As on the command line.
        root: SentEval's data folder.
        folds: Folds of the cross-validation that chooses settings, for want of a dev split.
        metric: The score.
    """

    name: str
    root: Path
    folds: int = 5
    metric: Metric = "accuracy"

    def __post_init__(self) -> None:
        """Refuse fewer than two folds."""
        if self.folds < 2:
            raise ProbingError(f"task.folds is {self.folds}; give at least 2")

    def build(self) -> Task:
        """Read both files; see `TaskSource.build`."""
        folder = self.root / "downstream" / "TREC"
        train = self._read(folder / "train_5500.label", "train")
        test = self._read(folder / "TREC_10.label", "test")
        return make_task(
            self.name,
            [*train, *test],
            TREC_CLASSES,
            selection="kfold",
            folds=self.folds,
            metric=self.metric,
            source=_source(folder),
        )

    @staticmethod
    def _read(path: Path, split: str) -> Iterator[Example]:
        for number, line in read_lines(path, "latin-1", _HINT):
            place = f"{path}, line {number}"
            coarse, colon, rest = line.strip().partition(":")
            if not colon or coarse not in TREC_CLASSES:
                raise ProbingError(f"{place}: expected one of {', '.join(TREC_CLASSES)} before a colon")
            yield Example(place, split, coarse, _clean(rest.partition(" ")[2], place))


def make_task(
    name: str,
    examples: Iterable[Example],
    classes: tuple[str, ...],
    *,
    selection: Selection = "dev",
    folds: int = 5,
    metric: Metric = "accuracy",
    source: str = "",
) -> Task:
    """Order examples as SentEval does, each split by number of tokens, then class.

    The order matters: folds and batches are drawn by position.

    Raises:
        ProbingError: If a label is never seen in train, or the task cannot be probed.
    """
    index = {label: number for number, label in enumerate(classes)}
    for example in examples:
        if example.label not in index:
            raise ProbingError(f"{example.place}: label {example.label!r} is never seen in train; remove it")
    splits = ("train", "dev", "test")
    ordered = sorted(examples, key=lambda e: (splits.index(e.split), len(e.text.split()), index[e.label]))
    return Task(
        name=name,
        units=tuple(Unit(example.text) for example in ordered),
        labels=np.array([index[example.label] for example in ordered], dtype=np.int64),
        classes=classes,
        split=np.array([example.split for example in ordered], dtype=np.str_),
        selection=selection,
        folds=folds,
        metric=metric,
        source=source,
    )


def _clean(text: str, place: str) -> str:
    tokens = text.split()
    if not tokens:
        raise ProbingError(f"{place}: the sentence is empty; remove the line")
    return " ".join(tokens)


def _source(path: Path) -> str:
    return f"SentEval, {path.name}"
