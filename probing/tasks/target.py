"""Targets of examples: one of several classes, a score, or any number of several labels."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.tasks.trainable import SplitRows, check_classes, check_label_sets, check_scores
from probing.validation.shortened import some

Metric = Literal[
    "accuracy", "macro_f1", "f1", "matthews", "pearson", "spearman", "micro_f1", "exact_match"
]  # fmt: skip
CLASS_METRICS: tuple[Metric, ...] = ("accuracy", "macro_f1", "f1", "matthews")
SCORE_METRICS: tuple[Metric, ...] = ("pearson", "spearman")
LABEL_METRICS: tuple[Metric, ...] = ("micro_f1", "macro_f1", "exact_match")
# metrics from -1 to 1, for which guessing scores 0
COEFFICIENTS = ("matthews", *SCORE_METRICS)
# number of strata that scores are divided into to balance splits
BINS = 5


@dataclass(frozen=True)
class Classes:
    """One class for every example.

    Attributes:
        labels: int64 (n,), indices into `names`.
        names: Names of the classes, in the order of their indices; the second of two is the positive class.
    """

    labels: NDArray[np.int64]
    names: tuple[str, ...]

    def __len__(self) -> int:
        """Number of examples."""
        return len(self.labels)

    def __repr__(self) -> str:
        """Return the number of examples and the classes."""
        return f"Classes({len(self)} examples, {len(self.names)} classes: {some(self.names)})"

    @property
    def gold(self) -> NDArray[np.int64]:
        """The labels."""
        return self.labels

    def with_gold(self, gold: NDArray[np.generic]) -> Classes:
        """Return the same classes for examples with other labels."""
        return replace(self, labels=gold.astype(np.int64))

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that apply, the default first; F1 and Matthews' coefficient need two classes."""
        return CLASS_METRICS if len(self.names) == 2 else ("accuracy", "macro_f1")

    @property
    def strata(self) -> NDArray[np.int64]:
        """Groups of examples that every split should contain in equal shares: the labels; int64 (n,)."""
        return self.labels

    def take(self, rows: NDArray[np.int64]) -> Classes:
        """Return the classes of some examples."""
        return replace(self, labels=self.labels[rows])

    def shown(self) -> list[str]:
        """Return the class name of every example."""
        return [self.names[label] for label in self.labels.tolist()]

    def sets(self) -> list[tuple[str, ...]]:
        """Return the class name of every example as a tuple of one, as of `Labels.sets`."""
        return [(name,) for name in self.shown()]

    def as_bytes(self) -> bytes:
        """Return names and labels as bytes that are the same on every machine, for digests."""
        return json.dumps(("classes", self.names)).encode() + self.labels.astype("<i8").tobytes()

    def check(self, splits: SplitRows, least: int = 0) -> None:
        """Reject labels that no probe can be trained or scored on.

        Args:
            splits: Rows of the splits in use, by name, with the training split first.
            least: Minimum number of examples of each class that the folds need; 0 if there are no folds.

        Raises:
            ProbingError: If the labels cannot be used; the message says why.
        """
        check_classes(self.labels, self.names, splits, least)


@dataclass(frozen=True)
class Scores:
    """One number for every example.

    Attributes:
        values: float64 (n,).
        anchors: Evenly spaced scores in ascending order, at least two. A probe that predicts a distribution
            spreads it over these, and its prediction is the mean (Tai, Socher & Manning 2015, section 4.2).
    """

    values: NDArray[np.float64]
    anchors: tuple[float, ...]

    def __len__(self) -> int:
        """Number of examples."""
        return len(self.values)

    def __repr__(self) -> str:
        """Return the number of examples and the range of the scale."""
        return f"Scores({len(self)} examples, anchors from {self.anchors[0]:g} to {self.anchors[-1]:g})"

    @property
    def gold(self) -> NDArray[np.float64]:
        """The scores."""
        return self.values

    def with_gold(self, gold: NDArray[np.generic]) -> Scores:
        """Return the same scale for examples with other scores."""
        return replace(self, values=gold.astype(np.float64))

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that apply, the default first."""
        return SCORE_METRICS

    @property
    def strata(self) -> NDArray[np.int64]:
        """Groups of examples that every split should contain in equal shares: fifths by rank; int64 (n,)."""
        edges = np.unique(np.quantile(self.values, np.linspace(0, 1, BINS + 1)[1:-1]))
        return np.searchsorted(edges, self.values, side="left").astype(np.int64)

    def take(self, rows: NDArray[np.int64]) -> Scores:
        """Return the scores of some examples."""
        return replace(self, values=self.values[rows])

    def shown(self) -> list[str]:
        """Return the score of every example as text."""
        return [f"{value:g}" for value in self.values.tolist()]

    def as_bytes(self) -> bytes:
        """Return anchors and scores as bytes that are the same on every machine, for digests."""
        return json.dumps(("scores", self.anchors)).encode() + self.values.astype("<f8").tobytes()

    def check(self, splits: SplitRows, least: int = 0) -> None:
        """Reject scores that no probe can be trained or scored on; see `Classes.check`.

        Raises:
            ProbingError: If the scores cannot be used; the message says why.
        """
        check_scores(self.values, splits, least)


@dataclass(frozen=True)
class Labels:
    """Any number of labels for every example, none included: a yes or no for each label.

    Attributes:
        values: bool (n, k), whether an example has a label.
        names: Names of the k labels, in the order of the columns.
    """

    values: NDArray[np.bool_]
    names: tuple[str, ...]

    def __len__(self) -> int:
        """Number of examples."""
        return len(self.values)

    def __repr__(self) -> str:
        """Return the number of examples and the labels."""
        return f"Labels({len(self)} examples, {len(self.names)} labels: {some(self.names)})"

    @property
    def gold(self) -> NDArray[np.bool_]:
        """The labels of every example."""
        return self.values

    def with_gold(self, gold: NDArray[np.generic]) -> Labels:
        """Return the same names for examples with other labels."""
        return replace(self, values=gold.astype(np.bool_))

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that apply, the default first."""
        return LABEL_METRICS

    @property
    def strata(self) -> NDArray[np.int64]:
        """Groups of examples that every split should contain in equal shares; int64 (n,).

        The group of an example is the rarest of its labels, counted from 1, or 0 without any.
        """
        counts = np.where(self.values, self.values.sum(0), len(self.values) + 1)
        return np.where(self.values.any(1), 1 + counts.argmin(1), 0).astype(np.int64)

    def take(self, rows: NDArray[np.int64]) -> Labels:
        """Return the labels of some examples."""
        return replace(self, values=self.values[rows])

    def of_label(self, place: int) -> Classes:
        """Return one label as a target of two classes, `no` and `yes`."""
        return Classes(self.values[:, place].astype(np.int64), ("no", "yes"))

    def shown(self) -> list[str]:
        """Return the names of the labels of every example with a bar between two; "" where there are none."""
        return ["|".join(names) for names in self.sets()]

    def sets(self) -> list[tuple[str, ...]]:
        """Return the names of the labels of every example."""
        return [tuple(self.names[place] for place in np.flatnonzero(row)) for row in self.values]

    def as_bytes(self) -> bytes:
        """Return names and labels as bytes that are the same on every machine, for digests."""
        return json.dumps(("labels", self.names)).encode() + np.packbits(self.values, axis=1).tobytes()

    def check(self, splits: SplitRows, least: int = 0) -> None:
        """Reject labels that no probe can be trained or scored on; see `Classes.check`.

        Raises:
            ProbingError: If the labels cannot be used; the message says why.
        """
        check_label_sets(self.values, self.names, splits, least)


Target = Classes | Scores | Labels


def one_answer(target: Target, who: str, instead: str) -> Classes | Scores:
    """Return a target with one answer for each example, and reject several labels.

    Args:
        target: Any target.
        who: The option that needs one answer, `probe=ridge`.
        instead: The option to choose, `probe=logistic`.

    Raises:
        ProbingError: If examples have several labels.
    """
    if isinstance(target, Labels):
        raise ProbingError(
            f"{who} gives one answer for each example, but here examples have several labels; use {instead}"
        )
    return target
