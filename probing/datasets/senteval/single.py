"""SentEval's tasks on single sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from probing.datasets.lines import read_lines
from probing.datasets.senteval.examples import (
    HINT,
    Example,
    Place,
    classes,
    columns,
    filled,
    in_order,
    one_of,
    rows,
)
from probing.datasets.senteval.files import check_sizes, locate
from probing.errors import ProbingError
from probing.tasks.target import Metric
from probing.tasks.task import SPLITS, Task
from probing.validation.ranges import Folds

SPLIT_CODES = {"tr": "train", "va": "dev", "te": "test"}
TREC_CLASSES = ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")


@dataclass(frozen=True)
class SentEvalProbing:
    """One of SentEval's ten probing tasks (Conneau et al., 2018).

    Attributes:
        name: As on the command line, `senteval/tense`.
        root: SentEval's data folder; None fetches.
        file: The task's file below it.
        metric: The score.
    """

    name: str
    root: Path | None
    file: str
    metric: Metric = "accuracy"

    def build(self) -> Task:
        """Read the file; see `TaskSource.build`."""
        (path,) = locate(self.root, [self.file])
        read = rows(path, "utf-8", 3, "tr, va or te, a label and a sentence")
        lines = [(place, *self._parse(fields, place)) for place, fields in read]
        names = tuple(sorted({label for _, split, label, _ in lines if split == "train"}))
        numbers = {label: number for number, label in enumerate(names)}
        examples = []
        for place, split, label, text in lines:
            if label not in numbers:
                raise ProbingError(f"{place}: label {label!r} is never seen in train; remove it")
            examples.append(Example(split, text, numbers[label]))
        examples = in_order(examples)
        task = Task(
            name=self.name,
            **columns(examples),
            target=classes(examples, names),
            metric=self.metric,
            source=f"SentEval {self.file} (Conneau et al., 2018), sentences of the Toronto BookCorpus",
        )
        return check_sizes(task, self.root)

    @staticmethod
    def _parse(fields: list[str], place: Place) -> tuple[str, str, str]:
        if fields[0] not in SPLIT_CODES:
            raise ProbingError(f"{place}: expected tr, va or te, a label and a sentence, between tabs")
        return SPLIT_CODES[fields[0]], fields[1], filled(fields[-1], place)


@dataclass(frozen=True)
class Trec:
    """TREC question types (Li and Roth, 2002), six coarse classes.

    Attributes:
        name: As on the command line.
        root: SentEval's data folder; None fetches.
        folds: Folds of the cross-validation that chooses settings, for want of a dev split.
        metric: The score.
    """

    name: str
    root: Path | None = None
    folds: Folds = 5
    metric: Metric = "accuracy"

    def build(self) -> Task:
        """Read both files; see `TaskSource.build`."""
        train, test = locate(
            self.root, [f"downstream/TREC/{name}.label" for name in ("train_5500", "TREC_10")]
        )
        examples = in_order([*self._read(train, "train"), *self._read(test, "test")])
        task = Task(
            name=self.name,
            **columns(examples),
            target=classes(examples, TREC_CLASSES),
            selection="kfold",
            folds=self.folds,
            metric=self.metric,
            source="SentEval TREC, question classification (Li and Roth, 2002)",
        )
        return check_sizes(task, self.root)

    @staticmethod
    def _read(path: Path, split: str) -> Iterator[Example]:
        for number, line in read_lines(path, "latin-1", HINT):
            place = Place(path, number)
            coarse, colon, rest = line.strip().partition(":")
            if not colon or coarse not in TREC_CLASSES:
                raise ProbingError(f"{place}: expected one of {', '.join(TREC_CLASSES)} before a colon")
            yield Example(split, filled(rest.partition(" ")[2], place), TREC_CLASSES.index(coarse))


@dataclass(frozen=True)
class Sst:
    """The Stanford Sentiment Treebank (Socher et al., 2013).

    Attributes:
        name: As on the command line.
        kind: `binary`, without the neutral sentences, or `fine`, five classes.
        root: SentEval's data folder; None fetches.
        metric: The score.
    """

    name: str
    kind: Literal["binary", "fine"]
    root: Path | None = None
    metric: Metric = "accuracy"

    def build(self) -> Task:
        """Read the three files; see `TaskSource.build`."""
        files = [f"downstream/SST/{self.kind}/sentiment-{split}" for split in SPLITS]
        paths = zip(SPLITS, locate(self.root, files), strict=True)
        examples = in_order(example for split, path in paths for example in self._read(path, split))
        names: tuple[str, ...] = ("negative", "positive")
        if self.kind == "fine":
            names = ("very negative", "negative", "neutral", "positive", "very positive")
        task = Task(
            name=self.name,
            **columns(examples),
            target=classes(examples, names),
            metric=self.metric,
            source="SentEval SST, the Stanford Sentiment Treebank (Socher et al., 2013)",
        )
        return check_sizes(task, self.root)

    def _read(self, path: Path, split: str) -> Iterator[Example]:
        binary = self.kind == "binary"
        digits = "01" if binary else "01234"
        for number, line in read_lines(path, "utf-8", HINT):
            place = Place(path, number)
            text, tab, label = line.strip().partition("\t") if binary else _label_first(line)
            if not tab:
                form = "a sentence, a tab and 0 or 1" if binary else "a number from 0 to 4 and a sentence"
                raise ProbingError(f"{place}: expected {form}; mend the line")
            yield Example(split, filled(text, place), one_of(label.strip(), digits, place))


def _label_first(line: str) -> tuple[str, str, str]:
    label, space, text = line.strip().partition(" ")
    return text, space, label
