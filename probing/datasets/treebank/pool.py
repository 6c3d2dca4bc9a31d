"""The sentences that a task may use, and the examples that are made of them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from probing.datasets.treebank.files import Stamps, read_stamped, stamps_of
from probing.datasets.treebank.held_out import key_of, split_sentences, stable_number
from probing.datasets.treebank.sentence import Sentence, TextStyle, join

QUOTES = frozenset('"“”„«»') | {"``", "''"}
# the split of examples that may go to any
ANY = ""


@dataclass(frozen=True, slots=True)
class Example:
    """A sentence, perhaps altered, with its class.

    Attributes:
        sentence: As it is in the treebank.
        text: What the model is given.
        label: Name of the class.
        split: train, dev or test; "" if it may be any.
        key: The classes get equally many examples of each key.
        order: A number that only seed and sentence decide; examples are drawn by it.
        form: The word whose form is kept to this split, or "".
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
    """A sentence that a task may use; see `Example`."""

    sentence: Sentence
    text: str
    split: str
    order: int

    @property
    def length(self) -> int:
        """Number of tokens."""
        return len(self.sentence.tokens)

    def example(self, label: str, key: Hashable = None) -> Example:
        """The sentence as it is."""
        return Example(self.sentence, self.text, label, self.split, key, self.order)

    def altered(
        self, tokens: Sequence[str], spaces: Sequence[bool], style: TextStyle, label: str, key: Hashable
    ) -> Example:
        """The sentence with other tokens."""
        text = join(tuple(tokens), tuple(spaces), style)
        return Example(self.sentence, text, label, self.split, key, self.order)


@dataclass(frozen=True)
class Pool:
    """What a kind of task is made from.

    Attributes:
        title: Of treebank and task, for messages.
        treebank: All sentences, for counts.
        items: Those that may be used.
        style: Of the texts.
        seed: Of all that is drawn.
        per_class: Fewest examples of a class, where the treebank decides which classes there are.
        shortest_word: Fewest characters of a word that is a class.
    """

    title: str
    treebank: Sequence[Sentence]
    items: Sequence[Pooled]
    style: TextStyle
    seed: int
    per_class: int
    shortest_word: int


def pooled(path: Path, lengths: tuple[int, int], style: TextStyle, seed: int) -> tuple[Pooled, ...]:
    """Every different sentence of a length, in an order that only seed and sentences decide.

    Args:
        path: The treebank.
        lengths: Fewest and most tokens.
        style: Of the texts.
        seed: Of the order, and of dev where the files' names tell train and test only.

    Returns:
        Sentences with the splits that the files' names tell, or with none.
    """
    return pool_stamped(stamps_of(path), lengths, style, seed)


@lru_cache(maxsize=2)
def pool_stamped(stamps: Stamps, lengths: tuple[int, int], style: TextStyle, seed: int) -> tuple[Pooled, ...]:
    """Pool the sentences of some files, once for all tasks; see `pooled`."""
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
