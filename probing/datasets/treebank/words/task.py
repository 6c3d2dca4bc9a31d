"""The choice in conf/task for tasks on the words of a treebank."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Annotated, Literal

import numpy as np

from probing.datasets.treebank.files import read_treebank
from probing.datasets.treebank.held_out import warn_of_pooling
from probing.datasets.treebank.licence import licence_of, source_of
from probing.datasets.treebank.needs import Column, check_columns, check_feature
from probing.datasets.treebank.sentence import TextStyle
from probing.datasets.treebank.words.classes import keep_classes
from probing.datasets.treebank.words.draws_of_words import Passage, draw_words
from probing.datasets.treebank.words.governs import NO, YES, governs_examples
from probing.datasets.treebank.words.targets import WordExample, narrow, relation_examples, word_examples
from probing.errors import ProbingError
from probing.tasks.target import Classes, Metric
from probing.tasks.task import SPLITS, Features, Task, Unit
from probing.validation.ranges import AtLeast, Seed, check_ranges

Label = Literal["upos", "xpos", "feature", "deprel", "governs"]
NEEDS: dict[str, tuple[Column, ...]] = {
    "upos": ("UPOS",),
    "xpos": ("XPOS",),
    "feature": ("FEATS",),
    "deprel": ("HEAD", "DEPREL"),
    "governs": ("HEAD",),
}
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WordTask:
    """Tasks on the words of a treebank: a part of speech, a feature, a relation, or a governor.

    With the same treebank, seed and numbers, all of them use the same words, so that a model's vectors are
    extracted once. A word of a multiword token is represented by the whole token. Pairs are a dependent and
    its head, in this order, as in edge probing (Tenney et al., 2019).

    Attributes:
        name: Name on the command line, for example `treebank/upos`; in results, a feature is appended as in
            `treebank/feature-Case`.
        path: A treebank; see `read_treebank`.
        label: Target: `upos`, `xpos` or `feature` of a word, `deprel` of a dependent and its head, or
            `governs` for two words of which the second is, or is not, the head of the first.
        feature: Name of the morphological feature, for example `Case`; words without it give no examples.
        n_train: Maximum number of words to train on, before words without a label are left out.
        n_dev: Maximum number of words to select settings on.
        n_test: Maximum number of words to score on.
        seed: Seed of the order of sentences, of negative pairs, and of splits if the files do not give them.
        text: Tokens joined by spaces, or the original text.
        punctuation: Whether examples may be about punctuation, and it may be a head.
        unseen: Whether dev and test are only about words whose form, in lower case, train does not have; for
            pairs this is the first word.
        least_examples: Minimum number of train examples of a class.
        most_classes: Maximum number of classes, the most frequent ones; None keeps all.
        subtypes: Whether `nsubj:pass` is a different relation from `nsubj`.
        features: Combination of the two vectors of a pair.
        metric: Metric of the task.

    Raises:
        ProbingError: If a number is out of range.
    """

    name: str
    path: Path
    label: Label
    feature: str | None = None
    n_train: Annotated[int, AtLeast(2)] = 20_000
    n_dev: Annotated[int, AtLeast(1)] = 4_000
    n_test: Annotated[int, AtLeast(1)] = 4_000
    seed: Seed = 0
    text: TextStyle = "tokens"
    punctuation: bool = True
    unseen: bool = False
    least_examples: Annotated[int, AtLeast(1)] = 10
    most_classes: Annotated[int, AtLeast(2)] | None = None
    subtypes: bool = False
    features: Features = "concat"
    metric: Metric = "accuracy"

    def __post_init__(self) -> None:
        """Reject a task that cannot be built."""
        check_ranges(self, "task")

    def build(self) -> Task:
        """Read the treebank and label its words; see `TaskSource.build`."""
        examples, classes = self.examples()
        self._check(examples, classes)
        ordered = [example for split in SPLITS for example in examples[split]]
        units, partners = self._units(ordered)
        index = {label: number for number, label in enumerate(classes)}
        return Task(
            name=self._title,
            units=units,
            partners=partners,
            features=self.features,
            target=Classes(np.array([index[e.label] for e in ordered], dtype=np.int64), classes),
            split=np.repeat(SPLITS, [len(examples[split]) for split in SPLITS]),
            metric=self.metric,
            source=source_of(self.path),
            licence=licence_of(self.path),
        )

    @property
    def _title(self) -> str:
        """The name with the feature, so that results distinguish Case from Number."""
        return f"{self.name}-{self.feature}" if self.label == "feature" else self.name

    def examples(self) -> tuple[dict[str, list[WordExample]], tuple[str, ...]]:
        """Return labelled words or pairs by split, and the names of the classes.

        Raises:
            ProbingError: If the treebank lacks the annotation.
        """
        sentences = read_treebank(self.path)
        check_columns(sentences, self.label, NEEDS)
        if self.label == "feature":
            unset = "task.feature is not set"
            wrong = unset if self.feature is None else f"no word has task.feature={self.feature}"
            check_feature(sentences, self.feature, self.path, wrong)
        warn_of_pooling(sentences, self.name)
        sizes = dict(zip(SPLITS, (self.n_train, self.n_dev, self.n_test), strict=True))
        passages = draw_words(sentences, sizes, self.seed)
        left_out: Counter[str] = Counter()
        found = {split: self._label(passages, split, left_out) for split in SPLITS}
        n_words = sum(len(passage.tokens) for split in SPLITS for passage in passages[split])
        n_examples = sum(map(len, found.values()))
        reasons = "".join(f"; {number:,} {reason}" for reason, number in left_out.items() if number)
        log.info("%s: %s examples from %s words%s", self.name, f"{n_examples:,}", f"{n_words:,}", reasons)
        if self.label == "governs":
            return found, (NO, YES)
        return keep_classes(found, self.most_classes, self.least_examples, self.name)

    def _label(
        self, passages: dict[str, tuple[Passage, ...]], split: str, left_out: Counter[str]
    ) -> list[WordExample]:
        seen = frozenset[str]()
        if self.unseen and split != "train":
            seen = frozenset(p.sentence.tokens[t].lower() for p in passages["train"] for t in p.tokens)
        narrowed = narrow(passages[split], seen, left_out, punctuation=self.punctuation)
        if self.label == "governs":
            return list(governs_examples(narrowed, self.seed, left_out))
        if self.label == "deprel":
            return list(relation_examples(narrowed, left_out, subtypes=self.subtypes))
        if self.label == "feature":
            name = self.feature or ""
            return list(word_examples(narrowed, lambda word: word.feats.get(name, ""), left_out))
        column = self.label
        return list(word_examples(narrowed, lambda word: str(getattr(word, column)), left_out))

    def _check(self, examples: dict[str, list[WordExample]], classes: tuple[str, ...]) -> None:
        what = "pairs" if self.label in {"deprel", "governs"} else "words"
        if len(classes) < 2:
            there = f"only one class ({classes[0]})" if classes else "no class"
            raise ProbingError(
                f"{self.path}: {there} has task.least_examples={self.least_examples} {what} among the "
                f"task.n_train={self.n_train} words of train; lower the first, raise the second, or give a "
                "larger treebank"
            )
        for split in SPLITS:
            if not examples[split]:
                raise ProbingError(
                    f"{self.path}: {split} has none of the {what} that {self.name} needs; raise "
                    f"task.n_{split} or give a larger treebank"
                )

    def _units(self, examples: Sequence[WordExample]) -> tuple[tuple[Unit, ...], tuple[Unit, ...] | None]:
        """Return the first and second words with their spans; the text of a sentence is made once."""
        first: list[Unit] = []
        second: list[Unit] = []
        for _, group in groupby(examples, key=lambda example: id(example.sentence)):
            members = list(group)
            sentence = members[0].sentence
            text, spans = sentence.text(self.text), sentence.spans(self.text)
            first += [Unit(text, spans[example.first]) for example in members]
            second += [Unit(text, spans[e.second]) for e in members if e.second is not None]
        return tuple(first), tuple(second) or None
