"""Mentions of entities, from the field `Entity` of MISC in the Universal Dependencies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from probing.datasets.treebank.sentence import Sentence, Word
from probing.errors import ProbingError

# `(e1-person-new` opens an entity, `e1)` closes it, `(e1-person)` does both; [1/2] is a part of a mention
_BRACKET = re.compile(
    r"\((?P<opened>[^-()\[\]]+)(?P<rest>[^()]*)(?P<single>\))?|(?P<closed>[^-()\[\]]+)(?:\[[^\]]*\])?\)"
)
_PART = re.compile(r"\[(\d+)/\d+\]")


class Mention(NamedTuple):
    """A mention of an entity within one sentence.

    Attributes:
        entity: Name of the entity in its document.
        first: Place of its first word.
        last: Place of its last word.
        head: Place of its head word, the first one that a word outside of it governs.
    """

    entity: str
    first: int
    last: int
    head: int


def mentions_of(sentence: Sentence) -> list[Mention]:
    """Return the mentions of a sentence, those that end first before others.

    Of a mention in several parts, only the first part is returned.

    Raises:
        ProbingError: If a mention ends that has not started.
    """
    opened: dict[str, list[tuple[int, bool]]] = {}
    found = []
    for place, word in enumerate(sentence.words):
        for match in _BRACKET.finditer(word.entity):
            name = match["opened"] or match["closed"]
            if match["opened"]:
                part = _PART.search(match["rest"])
                opened.setdefault(name, []).append((place, part is None or part[1] == "1"))
            if match["closed"] or match["single"]:
                if not opened.get(name):
                    raise ProbingError(
                        f"{sentence.place}: entity {name!r} ends at {word.form!r} but does not start in this "
                        "sentence; fix the field Entity of MISC"
                    )
                first, wanted = opened[name].pop()
                if wanted:
                    found.append(Mention(name, first, place, _head(sentence.words, first, place)))
    return found


def has_entities(sentences: Sequence[Sentence]) -> bool:
    """Return whether any word of a treebank starts or ends an entity."""
    return any(word.entity for sentence in sentences for word in sentence.words)


def _head(words: Sequence[Word], first: int, last: int) -> int:
    return next(_governed_outside(words, first, last), last)


def _governed_outside(words: Sequence[Word], first: int, last: int) -> Iterator[int]:
    for place in range(first, last + 1):
        head = words[place].head
        if head is not None and not first <= head <= last:
            yield place
