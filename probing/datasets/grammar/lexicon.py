"""Lookup of words by their properties; a lexicon may contain only a part of the words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from probing.datasets.grammar.modifiers import ADJECTIVES, PREPOSITIONS
from probing.datasets.grammar.nouns import NOUNS
from probing.datasets.grammar.verbs import VERBS
from probing.datasets.grammar.vocabulary import Adjective, Noun, Preposition, Verb

_T = TypeVar("_T")
_W = TypeVar("_W", Noun, Verb)

# The splits of five similar words.
SHARES = ("train", "train", "train", "dev", "test")


@dataclass
class Lexicon:
    """Nouns and verbs with methods to look them up."""

    nouns: Sequence[Noun] = NOUNS
    verbs: Sequence[Verb] = VERBS
    _found: dict[tuple[str, ...], list[Verb]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Index words that are looked up by one key."""
        self._nouns = grouped(self.nouns, lambda noun: (noun.kind,))
        self._adjectives = grouped(ADJECTIVES, lambda adjective: adjective.kinds)
        self._prepositions = grouped(PREPOSITIONS, lambda preposition: preposition.heads)

    def nouns_of(self, kind: str) -> Sequence[Noun]:
        """Return the nouns of a semantic class."""
        return self._nouns.get(kind, ())

    def adjectives_of(self, kind: str) -> Sequence[Adjective]:
        """Return adjectives that can describe a semantic class."""
        return self._adjectives.get(kind, ())

    def prepositions_of(self, head: str) -> Sequence[Preposition]:
        """Return prepositions that can attach to a semantic class or to "verb"."""
        return self._prepositions.get(head, ())

    def verbs_of(self, frame: str, subject: str = "", obj: str = "") -> Sequence[Verb]:
        """Return verbs of a frame that take a subject and an object of these classes ("" for any)."""
        key = (frame, subject, obj)
        if key not in self._found:
            self._found[key] = [
                verb
                for verb in self.verbs
                if verb.frame == frame
                and (not subject or subject in verb.subjects)
                and (not obj or obj in verb.objects)
            ]
        return self._found[key]


def grouped(items: Sequence[_T], kinds: Callable[[_T], Sequence[str]]) -> dict[str, list[_T]]:
    """Return the items by kind; an item may have several kinds."""
    found: dict[str, list[_T]] = {}
    for item in items:
        for kind in kinds(item):
            found.setdefault(kind, []).append(item)
    return found


def noun_shares(seed: int) -> dict[str, Lexicon]:
    """Return a lexicon for each split; no noun is in two of them."""
    parts = dealt(NOUNS, lambda noun: (noun.kind, ""), Random(f"nouns {seed}"))
    return {split: Lexicon(nouns=nouns) for split, nouns in parts.items()}


def verb_shares(seed: int) -> dict[str, Lexicon]:
    """Return a lexicon for each split; no verb is in two of them."""
    parts = dealt(VERBS[::-1], lambda verb: (verb.frame, str(verb.objects)), Random(f"verbs {seed}"))
    return {split: Lexicon(verbs=verbs) for split, verbs in parts.items()}


def dealt(items: Sequence[_W], alike: Callable[[_W], tuple[str, str]], rng: Random) -> dict[str, list[_W]]:
    """Distribute items over the splits, five similar ones at a time; all frames of a lemma stay together.

    Every split gets some items of each group, the first part of `alike`. Groups keep their order, so those
    with few words should come first.
    """
    given: dict[str, str] = {}
    parts: dict[str, list[_W]] = {split: [] for split in ("train", "dev", "test")}
    groups = list(dict.fromkeys(alike(item)[0] for item in items))
    for group in groups:
        hand: list[str] = []
        for item in sorted((item for item in items if alike(item)[0] == group), key=alike):
            if item.lemma not in given:
                hand = hand or rng.sample(SHARES, len(SHARES))
                given[item.lemma] = hand.pop()
            parts[given[item.lemma]].append(item)
    return parts
