"""Draws of single words that do not depend on the sentence around them."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from probing.datasets.grammar.lexicon import Lexicon
from probing.datasets.grammar.modifiers import ADVERBS, LINKERS, PRONOUNS
from probing.datasets.grammar.nouns import NAMES
from probing.datasets.grammar.tree import Leaf
from probing.datasets.grammar.vocabulary import Adjective, Noun, Verb

_T = TypeVar("_T")
_W = TypeVar("_W", Noun, Verb)
FIXED = {"TO": "to", "IN.that": "that", "IN.to": "to"}


class CannotFillError(Exception):
    """No word of the lexicon fits a place, so another sentence must be tried."""


class Chooser:
    """Draws words from a lexicon and prefers those that the sentence has not used yet."""

    def __init__(self, lexicon: Lexicon, rng: Random) -> None:
        """Keep the lexicon and the random number generator."""
        self.lexicon = lexicon
        self.rng = rng
        self._used: list[str] = []

    def start(self) -> None:
        """Forget the words of the last sentence."""
        self._used.clear()

    def one(self, options: Sequence[_T]) -> _T:
        """Draw one option uniformly."""
        return options[int(self.rng.random() * len(options))]

    def kind(self, options: Sequence[str], human: float) -> str:
        """Draw a semantic class, people with at least the probability `human` if they are an option."""
        if human and "human" in options and self.rng.random() < human:
            return "human"
        return self.one(options)

    def new(self, options: Sequence[_W]) -> _W:
        """Draw a noun or verb.

        Raises:
            CannotFillError: If there are no options.
        """
        if not options:
            raise CannotFillError
        for _ in range(8):
            word = self.one(options)
            if word.lemma not in self._used:
                break
        self._used.append(word.lemma)
        return word

    def adjectives(self, kind: str, count: int) -> list[str]:
        """Draw adjectives of different ranks for a kind, in their usual order: `large red`.

        Raises:
            CannotFillError: If there are too few.
        """
        chosen: list[Adjective] = []
        for _ in range(count):
            ranks = [word.rank for word in chosen]
            options = [word for word in self.lexicon.adjectives_of(kind) if word.rank not in ranks]
            if not options:
                raise CannotFillError
            chosen.append(self.one(options))
        return [word.lemma for word in sorted(chosen, key=lambda word: word.rank)]

    def adverbs(self, leaves: Sequence[Leaf], kind: str) -> list[Leaf]:
        """Fill the words of an adverb phrase, the last of which is of the given kind."""
        *degrees, last = leaves
        return [*(self.function(leaf) for leaf in degrees), Leaf("RB", last.slot, self.one(ADVERBS[kind]))]

    def function(self, leaf: Leaf) -> Leaf:
        """Fill a conjunction, an adverb of degree, a particle or a punctuation mark."""
        if leaf.slot in LINKERS:
            return Leaf(leaf.tag, leaf.slot, self.one(LINKERS[leaf.slot]))
        if leaf.tag == "RB":
            return Leaf(leaf.tag, leaf.slot, self.one(ADVERBS[leaf.slot[3:]]))
        return Leaf(leaf.tag, leaf.slot, FIXED.get(leaf.slot, leaf.slot))

    def person(self, leaf: Leaf) -> Leaf:
        """Fill a name or a pronoun for people in subject position."""
        gender = self.one("mf")
        if leaf.tag == "NNP":
            return Leaf("NNP", leaf.slot, self.one(NAMES[gender]))
        return Leaf("PRP", leaf.slot, PRONOUNS["pl" if leaf.slot == "PRP.pl" else gender][0])
