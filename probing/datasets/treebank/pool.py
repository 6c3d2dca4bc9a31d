"""Sentences that a task may use, and the examples made of them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from probing.datasets.treebank.files import Stamps, read_stamped, stamps_of
from probing.datasets.treebank.held_out import key_of, split_sentences, stable_number
from probing.datasets.treebank.sentence import Sentence, TextStyle, join

QUOTES = frozenset('"“”„«»') | {"``", "''"}
# the split of examples that may go to any split
ANY = ""


@dataclass(frozen=True, slots=True)
class SentenceExample:
    """A sentence, possibly altered, with its class.

    Attributes:
        sentence: The sentence as in the treebank.
        text: The text given to the model.
        label: Name of the class.
        split: train, dev or test; "" for any.
        key: Value by which classes are matched: they get equal numbers of examples with each key.
        order: Number that depends only on seed and sentence, and by which examples are drawn.
        form: The word whose form occurs only in this split, or "".
    """

    sentence: Sentence
    text: str
    label: str
    split: str
    key: Hashable
    order: int
    form: str = ""


@dataclass(frozen=True, slots=True)
class Pooled:
    """A sentence that a task may use; see `SentenceExample`."""

    sentence: Sentence
    text: str
    split: str
    order: int

    @property
    def length(self) -> int:
        """Number of tokens."""
        return len(self.sentence.tokens)

    def example(self, label: str, key: Hashable = None) -> SentenceExample:
        """Return the unaltered sentence as an example."""
        return SentenceExample(self.sentence, self.text, label, self.split, key, self.order)

    def altered(
        self, tokens: Sequence[str], spaces: Sequence[bool], style: TextStyle, label: str, key: Hashable
    ) -> SentenceExample:
        """Return the sentence with other tokens as an example."""
        text = join(tuple(tokens), tuple(spaces), style)
        return SentenceExample(self.sentence, text, label, self.split, key, self.order)


@dataclass(frozen=True)
class Pool:
    """Material for one of the ten tasks.

    Attributes:
        title: Treebank and task, for messages.
        treebank: All sentences, for counts.
        items: The sentences that may be used.
        style: Style of the texts.
        seed: Seed of all draws.
        per_class: Minimum number of sentences of a class, if the treebank determines the classes.
        shortest_word: Minimum number of characters of a word that is a class.
    """

    title: str
    treebank: Sequence[Sentence]
    items: Sequence[Pooled]
    style: TextStyle
    seed: int
    per_class: int
    shortest_word: int


def pooled(path: Path, lengths: tuple[int, int], style: TextStyle, seed: int) -> tuple[Pooled, ...]:
    """Return all distinct sentences of some lengths, in an order that depends only on seed and sentences.

    Args:
        path: The treebank.
        lengths: Minimum and maximum number of tokens.
        style: Style of the texts.
        seed: Seed of the order, and of dev if the file names give only train and test.

    Returns:
        Sentences with the splits that the file names give, or without a split.
    """
    return pool_stamped(stamps_of(path), lengths, style, seed)


@lru_cache(maxsize=2)
def pool_stamped(stamps: Stamps, lengths: tuple[int, int], style: TextStyle, seed: int) -> tuple[Pooled, ...]:
    """Pool the sentences of some files once for all tasks; see `pooled`."""
    treebank = read_stamped(stamps)
    own = {"train", "test"} <= {sentence.split for sentence in treebank}
    found = [
        Pooled(
            sentence,
            sentence.text(style),
            split if own else ANY,
            stable_number(seed, "order", key_of(sentence)),
        )
        for split, sentences in split_sentences(treebank, seed).items()
        for sentence in sentences
        if lengths[0] <= len(sentence.tokens) <= lengths[1]
    ]
    return tuple(sorted(found, key=lambda item: (item.order, item.text)))
