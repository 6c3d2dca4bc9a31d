"""From the labels in SentEval's files to the targets of a task: classes and scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probing.datasets.senteval.readers import FilePlace, FileRow
from probing.errors import ProbingError
from probing.tasks.target import Classes, Scores


@dataclass(frozen=True)
class ClassLabels:
    """Labels of classes.

    Attributes:
        names: Name of each class by its label in the files, in the order of the classes. The second of two
            is the positive one.
    """

    names: Mapping[str, str]

    def answer(self, label: str, place: FilePlace) -> int:
        """Return the index of the class.

        Raises:
            ProbingError: If there is no such label.
        """
        index = self._indices.get(label, self._indices.get(label.strip()))
        if index is None:
            names = ", ".join(self.names)
            raise ProbingError(f"{place}: the label is {label.strip()!r}; expected one of {names}")
        return index

    def target(self, answers: Sequence[float]) -> Classes:
        """Return the classes of all examples."""
        return Classes(np.array(answers, dtype=np.int64), tuple(self.names.values()))

    @cached_property
    def _indices(self) -> dict[str, int]:
        return {label: index for index, label in enumerate(self.names)}


@dataclass(frozen=True)
class Scale:
    """Scores on a scale.

    Attributes:
        lowest: Lowest score.
        highest: Highest score.
    """

    lowest: int
    highest: int

    def answer(self, label: str, place: FilePlace) -> float:
        """Return the score.

        Raises:
            ProbingError: If the label is not a number on the scale.
        """
        try:
            value = float(label)
        except ValueError as error:
            raise ProbingError(
                f"{place}: the score is {label!r}, which is not a number; fix the line"
            ) from error
        if not self.lowest <= value <= self.highest:
            outside = f"outside {self.lowest} to {self.highest}"
            raise ProbingError(f"{place}: the score is {label.strip()}, {outside}; fix the line")
        return value

    def target(self, answers: Sequence[float]) -> Scores:
        """Return the scores of all examples, with every whole number of the scale as an anchor."""
        anchors = tuple(float(anchor) for anchor in range(self.lowest, self.highest + 1))
        return Scores(np.array(answers, dtype=np.float64), anchors)


def named(*labels: str) -> ClassLabels:
    """Return labels that are the names of their classes."""
    return ClassLabels({label: label for label in labels})


def labels_of_train(rows: Sequence[FileRow]) -> ClassLabels:
    """Return the labels of train, in alphabetical order.

    Raises:
        ProbingError: If dev or test have another label.
    """
    seen = {row.label for row in rows if row.split == "train"}
    for row in rows:
        if row.label not in seen:
            raise ProbingError(f"{row.place}: label {row.label!r} is never seen in train; remove it")
    return named(*sorted(seen))
