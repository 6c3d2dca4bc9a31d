"""The choice in conf/task for mentions of entities with the mentions before them that they refer to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np

from probing.datasets.treebank.entities import has_entities, mentions_of
from probing.datasets.treebank.files import read_treebank
from probing.datasets.treebank.held_out import split_of, warn_of_pooling
from probing.datasets.treebank.licence import licence_of, source_of
from probing.datasets.treebank.sentence import Sentence, Word
from probing.datasets.treebank.word_spans import words_of
from probing.errors import ProbingError
from probing.tasks.target import Classes, Metric
from probing.tasks.task import SPLITS, Features, Task, Unit
from probing.validation.ranges import AtLeast, Seed, check_ranges

KINDS = {"PRON": "pronoun", "DET": "pronoun", "PROPN": "proper"}
"""Kinds of mentions by the part of speech of their head; all others are nominal."""
Document = tuple[Sentence, ...]


class Anaphor(NamedTuple):
    """A mention, one mention before it of the same entity, and the kind of the first."""

    mention: Unit
    antecedent: Unit
    label: str


@dataclass(frozen=True)
class CoreferenceTask:
    """Mentions of an entity, each with all earlier mentions of it in the same passage.

    A passage is a run of sentences of one document. A mention is its head word. The words of a unit are the
    head words of all mentions of the passage, among which a head chooses the antecedent. An example is a pair
    of a mention and one of its antecedents, and its class is the kind of the mention: pronoun, proper name or
    nominal, as in Clark et al. (2019).

    Attributes:
        name: Name on the command line.
        path: A treebank that marks entities in the field `Entity` of MISC, as UD_English-GUM does.
        longest: Maximum number of words of a passage; a longer sentence is a passage of its own.
        seed: Seed of the splits if the file names do not give them.
        features: Combination of the two vectors of a pair.
        metric: Metric of the task.

    Raises:
        ProbingError: If a number is out of range.
    """

    name: str
    path: Path
    longest: Annotated[int, AtLeast(2)] = 100
    seed: Seed = 0
    features: Features = "concat"
    metric: Metric = "accuracy"

    def __post_init__(self) -> None:
        """Reject a task that cannot be built."""
        check_ranges(self, "task")

    def build(self) -> Task:
        """Read the treebank; see `TaskSource.build`."""
        sentences = read_treebank(self.path)
        if not has_entities(sentences):
            raise ProbingError(
                f"{self.path}: no word has the field Entity in MISC, which {self.name} needs; give a "
                "treebank that marks entities, such as UD_English-GUM"
            )
        warn_of_pooling(sentences, self.name)
        found: dict[str, list[Anaphor]] = {split: [] for split in SPLITS}
        for split, document in self._documents(sentences):
            for passage in passages_of(document, self.longest):
                found[split] += anaphors_of(passage)
        counts = Counter(anaphor.label for anaphor in found["train"])
        kept = {split: [each for each in found[split] if each.label in counts] for split in SPLITS}
        empty = [split for split in SPLITS if not kept[split]]
        if empty or len(counts) < 2:
            what = (
                f"{empty[0]} has no mention with an earlier one" if empty else "train has one kind of mention"
            )
            raise ProbingError(f"{self.path}: {what}; give a larger treebank, or raise task.longest")
        ordered = [anaphor for split in SPLITS for anaphor in kept[split]]
        names = tuple(sorted(counts))
        return Task(
            name=self.name,
            units=tuple(anaphor.mention for anaphor in ordered),
            partners=tuple(anaphor.antecedent for anaphor in ordered),
            features=self.features,
            target=Classes(np.array([names.index(anaphor.label) for anaphor in ordered]), names),
            split=np.repeat(SPLITS, [len(kept[split]) for split in SPLITS]),
            metric=self.metric,
            source=source_of(self.path),
            licence=licence_of(self.path),
        )

    def _documents(self, sentences: Sequence[Sentence]) -> Iterator[tuple[str, Document]]:
        """Yield each document with its split, which its file gives, or a hash of its first sentence."""
        own = {sentence.split for sentence in sentences}
        for _, members in groupby(sentences, key=lambda sentence: (sentence.file, sentence.document)):
            document = tuple(members)
            yield split_of(document[0], own, self.seed, "document"), document


def passages_of(document: Document, longest: int) -> Iterator[Document]:
    """Yield runs of whole sentences of at most `longest` words; a longer sentence is a passage of its own."""
    passage: list[Sentence] = []
    for sentence in document:
        if passage and sum(len(each.words) for each in passage) + len(sentence.words) > longest:
            yield tuple(passage)
            passage = []
        passage.append(sentence)
    if passage:
        yield tuple(passage)


def anaphors_of(passage: Document) -> Iterator[Anaphor]:
    """Yield every mention of a passage with each earlier mention of its entity.

    Mentions with the same head word, as those of `Ann` and `Ann and Bob`, are one that has both entities.
    """
    text = ""
    spans: list[tuple[int, int]] = []
    words: list[Word] = []
    entities: dict[int, set[str]] = {}
    for sentence in passage:
        for mention in mentions_of(sentence):
            entities.setdefault(len(words) + mention.head, set()).add(mention.entity)
        own, places = words_of(sentence, "words")
        start = len(text) + bool(text)
        text = f"{text} {own}" if text else own
        spans += [(start + first, start + last) for first, last in places]
        words += sentence.words
    heads = sorted(entities)
    listed = tuple(spans[head] for head in heads)
    for at, head in enumerate(heads):
        for earlier in heads[:at]:
            if entities[head] & entities[earlier]:
                first, second = (Unit(text, spans[each], words=listed) for each in (head, earlier))
                yield Anaphor(first, second, _label(words[head]))


def _label(word: Word) -> str:
    return f"coreference:{KINDS.get(word.upos, 'nominal')}"
