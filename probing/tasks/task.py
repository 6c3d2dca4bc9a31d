"""The question that is put to every head: units of text, their labels and their splits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from probing.errors import ProbingError

Selection = Literal["dev", "kfold", "holdout"]
Metric = Literal["accuracy", "macro_f1"]
SPLITS = ("train", "dev", "test")


@dataclass(frozen=True, slots=True)
class Unit:
    """A stretch of text that one vector stands for.

    Attributes:
        text: What the tokenizer is given.
        span: Character offsets [start, end) of a word or span in `text`; None stands for all of it.
    """

    text: str
    span: tuple[int, int] | None = None


@dataclass(frozen=True)
class Task:
    """Labelled units with their splits; checked when made, so that every later step may trust it.

    Attributes:
        name: As on the command line, `senteval/trec`.
        units: One for each of the n examples.
        labels: int64 (n,), indices into `classes`.
        classes: Names of the classes, in the order of their indices.
        split: str (n,), each "train", "dev" or "test".
        selection: Where settings such as L2 are chosen: on the dev split, by k-fold on train, or on a
            tenth of train held out (by class, seeded).
        folds: Number of folds, used by `selection="kfold"`.
        metric: What `dev` and `test` of the result frame hold.
        source: Where the data comes from and under what licence, for the record.

    Raises:
        ProbingError: If the data cannot make a probing experiment; the message says why.
    """

    name: str
    units: tuple[Unit, ...]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    split: NDArray[np.str_]
    selection: Selection = "dev"
    folds: int = 5
    metric: Metric = "accuracy"
    source: str = ""

    def __post_init__(self) -> None:
        """Refuse what no probe could be trained or scored on."""
        self._check_shapes()
        self._check_texts()
        self._check_labels()

    def rows(self, split: str) -> NDArray[np.int64]:
        """Indices of the examples of one split, in order; int64 (n_split,)."""
        return np.flatnonzero(self.split == split)

    def _check_shapes(self) -> None:
        if not len(self.units) == len(self.labels) == len(self.split):
            sizes = f"{len(self.units)} units, {len(self.labels)} labels, {len(self.split)} splits"
            raise ProbingError(f"task {self.name}: {sizes}; give one label and split for each unit")
        unknown = sorted(set(self.split.tolist()) - set(SPLITS))
        if unknown:
            raise ProbingError(f"task {self.name}: unknown split {unknown[0]!r}; use train, dev or test")
        needed = SPLITS if self.selection == "dev" else ("train", "test")
        for split in needed:
            if not len(self.rows(split)):
                raise ProbingError(f"task {self.name}: no {split} examples; every split needs some")

    def _check_texts(self) -> None:
        for row, unit in enumerate(self.units):
            if not unit.text.strip():
                raise ProbingError(f"task {self.name}: example {row} has an empty text; remove it")
            if unit.span and not 0 <= unit.span[0] < unit.span[1] <= len(unit.text):
                raise ProbingError(
                    f"task {self.name}: example {row}: span {unit.span} is not inside its text "
                    f"of {len(unit.text)} characters"
                )

    def _check_labels(self) -> None:
        train = Counter(self.labels[self.rows("train")].tolist())
        if len(train) < 2:
            raise ProbingError(f"task {self.name}: train has one class only; a probe needs two")
        for split in ("dev", "test"):
            unseen = set(self.labels[self.rows(split)].tolist()) - set(train)
            if unseen:
                label = self.classes[min(unseen)]
                raise ProbingError(f"task {self.name}: label {label!r} of {split} is never seen in train")
        if sum(train.values()) < 2 * len(train):
            raise ProbingError(
                f"task {self.name}: {sum(train.values())} train examples for {len(train)} classes; "
                "give at least two for each class"
            )
        label, fewest = min(train.items(), key=lambda item: item[1])
        if self.selection == "kfold" and fewest < self.folds:
            raise ProbingError(
                f"task {self.name}: class {self.classes[label]!r} has {fewest} train examples, fewer "
                f"than the {self.folds} folds; lower task.folds"
            )


class TaskSource(Protocol):
    """A choice in conf/task: a frozen dataclass that knows how to build its task."""

    @property
    def name(self) -> str:
        """The task's name, as on the command line."""

    def build(self) -> Task:
        """Read or generate the examples.

        Raises:
            ProbingError: With the file, the line and the fix, if the data is not as it should be.
        """
