"""The choice in conf/task for the ten sentence tasks from a treebank."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

from probing.datasets.treebank.balance import balance
from probing.datasets.treebank.files import read_treebank
from probing.datasets.treebank.held_out import warn_of_pooling
from probing.datasets.treebank.licence import licence_of, source_of
from probing.datasets.treebank.needs import check_columns, check_feature
from probing.datasets.treebank.pool import Pool, SentenceExample, pooled
from probing.datasets.treebank.properties import KINDS
from probing.datasets.treebank.sentence import TextStyle
from probing.errors import ProbingError
from probing.tasks.target import Classes, Metric
from probing.tasks.task import SPLITS, Task, Unit
from probing.validation.ranges import AtLeast, Seed, check_ranges


@dataclass(frozen=True)
class TreebankTask:
    """One of SentEval's ten probing tasks (Conneau et al., 2018), built from a treebank.

    The controls are SentEval's, adapted to the size of a treebank. Every class is equally frequent in every
    split, and no sentence occurs twice or in two splits. The files' own splits are kept if their names give
    train and test (dev is then a tenth of train if it is missing); otherwise splits are made as 8:1:1. tense
    and the two number tasks pool all files, and the form of the target word determines the split. In
    odd_man_out the exchanged words determine it, and in word_content splits are made again.

    Attributes:
        name: Name on the command line, for example `treebank/tense`.
        path: A .conllu or .mrg file, or a folder with such files; see `read_treebank`.
        kind: One of the ten of `KINDS`, for example `tense`.
        n_train: Maximum number of sentences to train on; None takes all that can be balanced.
        n_dev: Maximum number of sentences to select settings on.
        n_test: Maximum number of sentences to score on.
        shortest: Minimum number of tokens of a sentence.
        longest: Maximum number of tokens of a sentence.
        per_class: Minimum number of sentences of a class if the treebank determines the classes, which is so
            in length, word_content, depth and top_constituents.
        shortest_word: Minimum number of characters of a target of word_content.
        text: Tokens joined by single spaces, as in SentEval, or with the spaces that the file records.
        seed: Seed of the sentences that are drawn and altered, of the splits of words, and of the splits of
            sentences if the file names do not give them.
        metric: Metric of the task.

    Raises:
        ProbingError: If there is no such kind or a number is out of range.
    """

    name: str
    path: Path
    kind: str
    n_train: Annotated[int, AtLeast(2)] | None = None
    n_dev: Annotated[int, AtLeast(1)] | None = None
    n_test: Annotated[int, AtLeast(1)] | None = None
    shortest: Annotated[int, AtLeast(1)] = 5
    longest: int = 28
    per_class: Annotated[int, AtLeast(10)] = 20
    shortest_word: Annotated[int, AtLeast(1)] = 4
    text: TextStyle = "tokens"
    seed: Seed = 0
    metric: Metric = "accuracy"

    def __post_init__(self) -> None:
        """Reject a task that cannot be built."""
        if self.kind not in KINDS:
            raise ProbingError(f"task {self.name}: unknown kind {self.kind!r}; use one of {', '.join(KINDS)}")
        check_ranges(self, "task")
        AtLeast(self.shortest).check(self.longest, "task.longest")

    def build(self) -> Task:
        """Read the treebank and draw sentences; see `TaskSource.build`."""
        examples, classes = self.examples()
        index = {label: number for number, label in enumerate(classes)}
        return Task(
            name=self.name,
            units=tuple(Unit(example.text) for example in examples),
            target=Classes(np.array([index[e.label] for e in examples], dtype=np.int64), classes),
            split=np.array([example.split for example in examples], dtype=np.str_),
            metric=self.metric,
            source=source_of(self.path),
            licence=licence_of(self.path),
        )

    def examples(self) -> tuple[list[SentenceExample], tuple[str, ...]]:
        """Return the sentences with their classes, those of train first, and the names of the classes.

        Raises:
            ProbingError: If the treebank cannot be read, lacks the annotation, or is too small.
        """
        kind = KINDS[self.kind]
        treebank = read_treebank(self.path)
        # the tags and constituents of bracketed trees serve all tasks
        if treebank[0].tree is None:
            check_columns(treebank, self.kind, {name: each.needs for name, each in KINDS.items()})
            wrong = f"no word has the feature {kind.feature}, which {self.name} needs; choose another task"
            if kind.feature:
                check_feature(treebank, kind.feature, self.path, wrong)
        warn_of_pooling(treebank, self.name, always=kind.pools)
        items = pooled(self.path, (self.shortest, self.longest), self.text, self.seed)
        title = f"{self.path}: task {self.name}"
        pool = Pool(title, treebank, items, self.text, self.seed, self.per_class, self.shortest_word)
        found = list(kind.examples(pool))
        classes = kind.classes or tuple(sorted({example.label for example in found}, key=_natural))
        if len(classes) < 2:
            there = f"only one class ({classes[0]})" if classes else "no class"
            raise ProbingError(
                f"{self.path}: {there} has task.per_class={self.per_class} sentences for {self.name}; lower "
                "it or give a larger treebank"
            )
        sizes = dict(zip(SPLITS, (self.n_train, self.n_dev, self.n_test), strict=True))
        return balance(found, classes, sizes, title), classes


def _natural(label: str) -> tuple[int, str]:
    """Return a sort key that orders numbers, and ranges `5-8` of numbers, by value."""
    number = label.partition("-")[0]
    return (int(number) if number.isdecimal() else 0, label)
