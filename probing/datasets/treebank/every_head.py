"""The choice in conf/task for all words of a treebank with their heads and relations."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np

from probing.datasets.treebank.files import read_treebank
from probing.datasets.treebank.held_out import in_random_order, split_sentences, warn_of_pooling
from probing.datasets.treebank.licence import licence_of, source_of
from probing.datasets.treebank.needs import Column, check_columns
from probing.datasets.treebank.sentence import Sentence
from probing.datasets.treebank.word_spans import WordStyle, words_of
from probing.errors import ProbingError
from probing.tasks.target import Classes, Metric
from probing.tasks.task import SPLITS, Features, Task, Unit
from probing.validation.ranges import AtLeast, Seed, check_ranges

log = logging.getLogger(__name__)
NEEDS: dict[str, tuple[Column, ...]] = {"dependencies": ("HEAD", "DEPREL")}
Sentences = Annotated[int, AtLeast(1)] | None


class Governed(NamedTuple):
    """A word, its head and their relation; a root is its own head."""

    word: Unit
    head: Unit
    relation: str


@dataclass(frozen=True)
class DependencyTask:
    """All words of whole sentences, each with its head and the relation to it.

    An example is a pair of a word and its head, with the relation as its class. A root is a pair of the word
    and itself. Every unit also has the spans of all words of its sentence.

    Attributes:
        name: Name on the command line.
        path: A treebank; see `read_treebank`.
        n_train: Maximum number of sentences to train on, drawn at random; None takes all, in order.
        n_dev: Maximum number of sentences to select heads on.
        n_test: Maximum number of sentences to score on.
        text: Style of the texts; see `words_of`.
        subtypes: Whether `nsubj:pass` is a different relation from `nsubj`.
        seed: Seed of the draw, and of splits if the file names do not give them.
        features: Combination of the two vectors of a pair.
        metric: Metric of the task.

    Raises:
        ProbingError: If a number is out of range.
    """

    name: str
    path: Path
    n_train: Sentences = None
    n_dev: Sentences = None
    n_test: Sentences = None
    text: WordStyle = "words"
    subtypes: bool = True
    seed: Seed = 0
    features: Features = "concat"
    metric: Metric = "accuracy"

    def __post_init__(self) -> None:
        """Reject a task that cannot be built."""
        check_ranges(self, "task")

    def build(self) -> Task:
        """Read the treebank; see `TaskSource.build`."""
        found = self._examples()
        counts = Counter(each.relation for each in found["train"])
        unseen = Counter(e.relation for each in found.values() for e in each if e.relation not in counts)
        if unseen:
            lost = ", ".join(f"{name} ({number})" for name, number in unseen.most_common())
            log.info("%s: left out, relations that train does not have: %s", self.name, lost)
        kept = {split: [e for e in found[split] if e.relation in counts] for split in SPLITS}
        empty = [split for split in SPLITS if not kept[split]]
        if empty or len(counts) < 2:
            what = f"no word in {empty[0]}" if empty else "a single relation in train"
            raise ProbingError(f"{self.path}: {what}; give a larger treebank, or raise task.n_train")
        ordered = [example for split in SPLITS for example in kept[split]]
        names = tuple(sorted(counts))
        index = {name: number for number, name in enumerate(names)}
        return Task(
            name=self.name,
            units=tuple(example.word for example in ordered),
            partners=tuple(example.head for example in ordered),
            features=self.features,
            target=Classes(np.array([index[e.relation] for e in ordered], dtype=np.int64), names),
            split=np.repeat(SPLITS, [len(kept[split]) for split in SPLITS]),
            metric=self.metric,
            source=source_of(self.path),
            licence=licence_of(self.path),
        )

    def _examples(self) -> dict[str, list[Governed]]:
        sentences = read_treebank(self.path)
        check_columns(sentences, "dependencies", NEEDS)
        warn_of_pooling(sentences, self.name)
        sizes = dict(zip(SPLITS, (self.n_train, self.n_dev, self.n_test), strict=True))
        return {
            split: [each for sentence in self._drawn(members, sizes[split]) for each in self._words(sentence)]
            for split, members in split_sentences(sentences, self.seed).items()
        }

    def _drawn(self, sentences: Sequence[Sentence], size: int | None) -> Sequence[Sentence]:
        if size is None:
            return sentences
        return in_random_order(sentences, self.seed)[:size]

    def _words(self, sentence: Sentence) -> Iterator[Governed]:
        text, spans = words_of(sentence, self.text)
        listed = tuple(dict.fromkeys(spans))
        for span, word in zip(spans, sentence.words, strict=True):
            if word.head is None or not word.deprel:
                continue
            head = span if word.head < 0 else spans[word.head]
            if word.head >= 0 and head == span:  # both are parts of one token
                continue
            relation = word.deprel if self.subtypes else word.deprel.partition(":")[0]
            yield Governed(Unit(text, span, words=listed), Unit(text, head, words=listed), relation)
