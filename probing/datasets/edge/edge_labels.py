"""Labels of edges as a target: one class for each edge, or any number of labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from probing.datasets.edge.edge_text import Edge, EdgeText
from probing.datasets.treebank.words.classes import frequent, report_lost
from probing.errors import ProbingError
from probing.tasks.target import Classes, Labels
from probing.tasks.task import SPLITS, Unit

LabelCount = Literal["auto", "one", "several"]


class EdgeExample(NamedTuple):
    """A unit with its labels, and its place for messages."""

    unit: Unit
    labels: tuple[str, ...]
    place: str


@dataclass(frozen=True)
class LabelChoice:
    """The labels that a task keeps.

    Attributes:
        count: `one` makes a class of the label of an edge, `several` a yes or no of each label. `auto` takes
            `one` if every edge has exactly one label.
        least: Minimum number of train examples of a label.
        most: Maximum number of labels, the most frequent in train; None keeps all.
    """

    count: LabelCount
    least: int
    most: int | None

    def target(
        self, examples: Mapping[str, Sequence[EdgeExample]], name: str
    ) -> tuple[dict[str, list[EdgeExample]], Classes | Labels]:
        """Leave out rare labels, and those that train does not have, and return the target of the others.

        With one label for each example, examples of other labels are left out. With several, examples stay
        and lose the other labels.

        Args:
            examples: Examples by split.
            name: Name of the task, for the log, which lists what is left out.

        Returns:
            The remaining examples by split, and the target of all of them, in the order of the splits.

        Raises:
            ProbingError: If an example has several labels or none, but `count` is one.
        """
        several = self._several(examples)
        counts = Counter(label for example in examples["train"] for label in example.labels)
        kept = frequent(counts, self.most, self.least)
        every = [example for split in SPLITS for example in examples[split]]
        report_lost(Counter(label for e in every for label in e.labels if label not in kept), counts, name)
        names = tuple(sorted(kept))
        if several:
            left = {split: list(examples[split]) for split in SPLITS}
            values = np.array([[label in example.labels for label in names] for example in every], dtype=bool)
            return left, Labels(values.reshape(len(every), len(names)), names)
        left = {split: [e for e in examples[split] if e.labels[0] in kept] for split in SPLITS}
        index = {label: number for number, label in enumerate(names)}
        numbers = [index[e.labels[0]] for split in SPLITS for e in left[split]]
        return left, Classes(np.array(numbers, dtype=np.int64), names)

    def _several(self, examples: Mapping[str, Sequence[EdgeExample]]) -> bool:
        others = (e for members in examples.values() for e in members if len(e.labels) != 1)
        other = next(others, None)
        if self.count == "one" and other is not None:
            raise ProbingError(
                f"{other.place} has {len(other.labels)} labels, and task.labels=one needs one for each; "
                "leave task.labels out"
            )
        return self.count == "several" or other is not None


def examples_of(texts: Sequence[EdgeText]) -> list[EdgeExample]:
    """Return an example for each edge.

    Raises:
        ProbingError: If some edges have two spans and others one.
    """
    first = next((edge for text in texts for edge in text.edges), None)
    return [
        EdgeExample(text.unit(edge), edge.labels, _checked(text, number, edge, first))
        for text in texts
        for number, edge in enumerate(text.edges)
    ]


def _checked(text: EdgeText, number: int, edge: Edge, first: Edge | None) -> str:
    place = f"{text.place}, target {number}"
    if first is not None and (edge.second is None) is not (first.second is None):
        have = (
            "lacks the second span, which others have" if first.second else "has a second span, others do not"
        )
        raise ProbingError(f"{place} {have}; give every target of a task as many spans")
    return place
