"""Tasks: units of text with their targets and splits, the same for every head."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.tasks.target import Metric, Target
from probing.validation.ranges import Folds, check_ranges
from probing.validation.shortened import shortened

Selection = Literal["dev", "kfold", "holdout", "nested", "none"]
Features = Literal["concat", "compare", "all"]
Average = Literal["mean", "weighted"]
# one vector for each text of a pair, or both texts in one model input
PairInput = Literal["vectors", "joint"]
SPLITS = ("train", "dev", "test")
_NEEDED = {
    "dev": ("train", "dev", "test"),
    "kfold": ("train", "test"),
    "holdout": ("train", "test"),
    "nested": ("train",),
    "none": ("test",),
}


@dataclass(frozen=True, slots=True)
class Unit:
    """A text, or a span of it, that gets one vector; or two spans of it that get one each.

    Attributes:
        text: The text given to the tokenizer.
        span: Character offsets [start, end) of a word or span in `text`; None for the whole text.
        second: A second text that the model reads in the same input, for joint sentence pairs.
        second_span: Character offsets of a second span in `text`, as the object of a relation. A task divides
            such a unit into a pair of units, one for each span, whose vectors become one as those of any
            pair, see `Task.features`. A statistic of attention reads both spans of one unit. The model reads
            a text once for all its spans.
        words: Character offsets [start, end) of the words of `text`, for statistics of attention between
            words; None if the words do not matter.
        origin: The text that `text` was made from, such as code whose leaves were joined by blanks. The model
            does not read it. None if `text` is as it was found.
    """

    text: str
    span: tuple[int, int] | None = None
    second: str | None = None
    second_span: tuple[int, int] | None = None
    words: tuple[tuple[int, int], ...] | None = None
    origin: str | None = None

    def __repr__(self) -> str:
        """Return the start of the text, and the spans."""
        others = {"span": self.span, "second": self.second, "second_span": self.second_span}
        parts = [
            shortened(self.text),
            *(f"{name}={shortened(str(each))}" for name, each in others.items() if each),
        ]
        return f"Unit({parts[0]!r}{''.join(f', {part}' for part in parts[1:])})"


@dataclass(frozen=True)
class Task:
    """Units with their targets and splits, checked when made so that every later step can rely on them.

    Attributes:
        name: Name on the command line, for example `senteval/trec`.
        units: One unit for each of the n examples; for pairs, the first unit. Units with two spans become
            pairs when the task is made, and keep only their first span here.
        target: The class, score or labels of each example.
        split: str (n,), each "train", "dev" or "test".
        partners: The second unit of each pair, which may be another span of the same text; None if an example
            is a single unit.
        features: Combination of the vectors u and v of a pair: [u, v], [|u−v|, u·v] or
            [u, v, u·v, |u−v|].
        selection: Data that settings such as L2 are selected on: the dev split, k-fold on train, or a tenth
            of train held out (stratified, seeded). `nested` tests every example of train once, by an outer
            k-fold, and selects by an inner one. `none` has only test examples and trains nothing.
        folds: Number of folds, used by `kfold` and, for both the outer and the inner folds, by `nested`.
        metric: Metric of the columns `dev` and `test` of the result frame.
        groups: str (n,), data sets within the task that are scored separately; None if there is only one.
        average: Average of the scores of `groups`: their plain mean, or weighted by size.
        source: Origin of the data, for the record.
        licence: Licence of the data, for the record.

    Raises:
        ProbingError: If the data cannot be probed; the message says why.
    """

    name: str
    units: tuple[Unit, ...]
    target: Target
    split: NDArray[np.str_]
    partners: tuple[Unit, ...] | None = None
    features: Features = "compare"
    selection: Selection = "dev"
    folds: Folds = 5
    metric: Metric = "accuracy"
    groups: NDArray[np.str_] | None = None
    average: Average = "mean"
    source: str = ""
    licence: str = "unknown"

    def __post_init__(self) -> None:
        """Make pairs of units with two spans, and reject a task that no probe can be trained or scored on."""
        if any(unit.second_span for unit in self.units):
            self._divide()
        self._check_shapes()
        for units in (self.units, self.partners or ()):
            self._check_texts(units)
        if self.metric not in self.target.metrics:
            there = ", ".join(self.target.metrics)
            raise ProbingError(f"task {self.name}: task.metric={self.metric} does not apply; use {there}")
        try:
            rows = {name: self.rows(name) for name in SPLITS if name in _NEEDED[self.selection]}
            # two more, so that the rows outside an outer fold are enough for as many inner folds
            least = {"kfold": self.folds, "nested": self.folds + 2}.get(self.selection, 0)
            self.target.check(rows, least)
        except ProbingError as error:
            raise ProbingError(f"task {self.name}: {error}") from error

    def __len__(self) -> int:
        """Number of examples."""
        return len(self.units)

    def __repr__(self) -> str:
        """Return the name, the number of examples in each split, and the target."""
        sizes = ", ".join(f"{len(self.rows(name))} {name}" for name in SPLITS if len(self.rows(name)))
        what = "pairs" if self.partners is not None else "units"
        return f"Task({self.name}: {len(self)} {what}, {sizes}; {self.metric}; {self.target!r})"

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the name, units, targets, splits and scoring rules."""
        digest = hashlib.sha256()
        rules = (self.features, self.selection, self.folds, self.metric, self.average)
        digest.update(json.dumps((self.name, rules)).encode())
        for units in (self.units, self.partners or ()):
            digest.update(json.dumps([(unit.text, unit.span, unit.second) for unit in units]).encode())
            if any(unit.words is not None for unit in units):
                digest.update(_words_as_bytes(units))
        digest.update(self.target.as_bytes())
        for column in (self.split, self.groups):
            digest.update("\n".join([] if column is None else column.tolist()).encode())
        return digest.hexdigest()

    @property
    def all_units(self) -> tuple[Unit, ...]:
        """All units that need a vector: n, or 2n for pairs, with the first units of all pairs first."""
        return self.units + (self.partners or ())

    def rows(self, split: str) -> NDArray[np.int64]:
        """Return the indices of the examples of one split, in order; int64 (n_split,)."""
        return np.flatnonzero(self.split == split)

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> Task:
        """Return the task with only some of its examples, in the given order.

        Raises:
            ProbingError: If too few examples are left to probe.
        """
        at = np.asarray(rows, dtype=np.int64)
        return replace(
            self,
            units=tuple(self.units[row] for row in at),
            target=self.target.take(at),
            split=self.split[at],
            partners=None if self.partners is None else tuple(self.partners[row] for row in at),
            groups=None if self.groups is None else self.groups[at],
        )

    def _divide(self) -> None:
        """Make pairs of units that have two spans."""
        if self.partners is not None:
            raise ProbingError(
                f"task {self.name}: units have second spans, and partners as well; give one of the two"
            )
        for row, unit in enumerate(self.units):
            if unit.span is None or unit.second_span is None:
                raise ProbingError(
                    f"task {self.name}: example {row} lacks one of its two spans, which others have; "
                    "give every example two spans"
                )
        seconds = tuple(replace(unit, span=unit.second_span, second_span=None) for unit in self.units)
        object.__setattr__(self, "units", tuple(replace(unit, second_span=None) for unit in self.units))
        object.__setattr__(self, "partners", seconds)

    def _check_shapes(self) -> None:
        if not len(self.units) == len(self.target) == len(self.split):
            sizes = f"{len(self.units)} units, {len(self.target)} labels, {len(self.split)} splits"
            raise ProbingError(f"task {self.name}: {sizes}; give one label and split for each unit")
        for what, values in (("second texts", self.partners), ("groups", self.groups)):
            if values is not None and len(values) != len(self.units):
                raise ProbingError(f"task {self.name}: {len(values)} {what} for {len(self.units)} units")
        unknown = sorted(set(self.split.tolist()) - set(SPLITS))
        if unknown:
            raise ProbingError(f"task {self.name}: unknown split {unknown[0]!r}; use train, dev or test")
        check_ranges(self, "task")
        for split in _NEEDED[self.selection]:
            if not len(self.rows(split)):
                raise ProbingError(f"task {self.name}: no {split} examples; every split needs some")

    def _check_texts(self, units: Sequence[Unit]) -> None:
        for row, unit in enumerate(units):
            if not unit.text.strip() or (unit.second is not None and not unit.second.strip()):
                raise ProbingError(f"task {self.name}: example {row} has an empty text; remove it")
            if unit.second_span:
                raise ProbingError(f"task {self.name}: partner {row} has a second span; give it one span")
            if unit.span and not 0 <= unit.span[0] < unit.span[1] <= len(unit.text):
                raise ProbingError(
                    f"task {self.name}: example {row}: span {unit.span} is not inside its text "
                    f"of {len(unit.text)} characters"
                )


def _words_as_bytes(units: Sequence[Unit]) -> bytes:
    """Return the words of units for digests; units of one text share them, so each list is written once."""
    numbers: dict[tuple[tuple[int, int], ...] | None, int] = {}
    of_units = [numbers.setdefault(unit.words, len(numbers)) for unit in units]
    return json.dumps((list(numbers), of_units)).encode()
