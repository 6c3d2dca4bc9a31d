"""The part of a task that all formats of edge probing share: from texts to units, target and splits."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np

from probing.datasets.edge.edge_files import EdgeFiles
from probing.datasets.edge.edge_labels import EdgeExample, LabelChoice, LabelCount, examples_of
from probing.datasets.edge.edge_text import EdgeText
from probing.datasets.treebank.held_out import split_of_key, stable_number, warn_of_pooling
from probing.datasets.treebank.licence import licence_of
from probing.errors import ProbingError
from probing.tasks.target import Metric
from probing.tasks.task import SPLITS, Features, Task
from probing.validation.ranges import AtLeast, Seed, check_ranges

log = logging.getLogger(__name__)
Texts = Annotated[int, AtLeast(1)] | None


@dataclass(frozen=True, kw_only=True)
class EdgeTask:
    """Labelled spans and pairs of spans of texts as examples of a task; a format inherits from this class.

    The splits of the files are kept if their names give train and test; dev is then a tenth of the texts of
    train if it is missing. Otherwise the texts of all files are divided 8:1:1 by a hash, so that the targets
    of a text, and all copies of it, are in one split.

    Attributes:
        name: Name on the command line, and in results.
        path: A file, or a folder with a file or folder for each split.
        train: File or folder of the train split, instead of `path`.
        dev: File or folder of the dev split, with `train`.
        test: File or folder of the test split, with `train`.
        n_train: Maximum number of texts to train on, drawn at random; None takes all, in order.
        n_dev: Maximum number of texts to select settings on.
        n_test: Maximum number of texts to score on.
        labels: One class for each target, or any number of labels; see `LabelChoice`.
        least_examples: Minimum number of train examples of a label.
        most_classes: Maximum number of labels, the most frequent in train; None keeps all.
        features: Combination of the vectors of two spans.
        seed: Seed of the draw, and of splits if the names do not give them.
        metric: Metric of the task; None is accuracy for classes, and micro F1 for several labels.

    Raises:
        ProbingError: If a number is out of range.
    """

    name: str
    path: Path | None = None
    train: Path | None = None
    dev: Path | None = None
    test: Path | None = None
    n_train: Texts = None
    n_dev: Texts = None
    n_test: Texts = None
    labels: LabelCount = "auto"
    least_examples: Annotated[int, AtLeast(1)] = 1
    most_classes: Annotated[int, AtLeast(2)] | None = None
    features: Features = "concat"
    seed: Seed = 0
    metric: Metric | None = None

    format: ClassVar[str] = ""
    """Name of the format, for the record."""
    endings: ClassVar[tuple[str, ...]] = ()
    """Ends of the names of files that are read from a folder."""

    def __post_init__(self) -> None:
        """Reject a task that cannot be built."""
        check_ranges(self, "task")

    def texts(self, path: Path, split: str | None) -> Iterator[EdgeText]:
        """Yield the texts of a file, in order.

        Raises:
            ProbingError: With file and line, if the file is wrong.
        """
        raise NotImplementedError

    def build(self) -> Task:
        """Read the files and label their spans; see `TaskSource.build`."""
        found = self.by_split()
        examples = {split: examples_of(found[split]) for split in SPLITS}
        choice = LabelChoice(self.labels, self.least_examples, self.most_classes)
        kept, target = choice.target(examples, self.name)
        self._check(kept, target.names)
        ordered = [example for split in SPLITS for example in kept[split]]
        root = self._files.roots[0]
        return Task(
            name=self.name,
            units=tuple(example.unit for example in ordered),
            target=target,
            split=np.repeat(SPLITS, [len(kept[split]) for split in SPLITS]),
            features=self.features,
            metric=self.metric or target.metrics[0],
            source=f"{', '.join(path.resolve().name for path in self._files.roots)} ({self.format})",
            licence=licence_of(root),
        )

    def by_split(self) -> dict[str, list[EdgeText]]:
        """Return the texts that have targets, by split.

        Raises:
            ProbingError: If files are missing or wrong, or no text has a target.
        """
        read = [text for split, file in self._files.by_split() for text in self.texts(file, split)]
        texts = [text for text in read if text.edges]
        if not texts:
            where = ", ".join(map(str, self._files.roots))
            raise ProbingError(f"{where}: no text has a target of {self.name}; give other files")
        warn_of_pooling(texts, self.name)
        own = {text.split for text in texts}
        found: dict[str, list[EdgeText]] = {split: [] for split in SPLITS}
        for text in texts:
            found[split_of_key(text.key, text.split, own, self.seed)].append(text)
        sizes = zip(SPLITS, (self.n_train, self.n_dev, self.n_test), strict=True)
        drawn = {split: self._drawn(found[split], size) for split, size in sizes}
        counts = [f"{sum(len(t.edges) for t in drawn[split]):,} {split}" for split in SPLITS]
        log.info(
            "%s: %s texts, targets: %s", self.name, f"{sum(map(len, drawn.values())):,}", ", ".join(counts)
        )
        return drawn

    @property
    def _files(self) -> EdgeFiles:
        named = {"train": self.train, "dev": self.dev, "test": self.test}
        return EdgeFiles(self.path, named, self.endings)

    def _drawn(self, texts: Sequence[EdgeText], size: int | None) -> list[EdgeText]:
        if size is None or size >= len(texts):
            return list(texts)
        order = sorted(
            range(len(texts)), key=lambda at: (stable_number(self.seed, "order", texts[at].text), at)
        )
        return [texts[at] for at in order[:size]]

    def _check(self, examples: dict[str, list[EdgeExample]], names: Sequence[str]) -> None:
        where = ", ".join(map(str, self._files.roots))
        if not names or (len(names) < 2 and self.labels != "several"):
            there = f"only one label ({names[0]})" if names else "no label"
            raise ProbingError(
                f"{where}: {there} has task.least_examples={self.least_examples} targets in train; give more "
                "or other files"
            )
        for split in SPLITS:
            if not examples[split]:
                raise ProbingError(
                    f"{where}: {split} has no target; give more files, or raise task.n_{split}"
                )
