"""Columns of CoNLL-2012 in which brackets open and close spans over the words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from probing.datasets.tagged_words import TaggedSpan
from probing.datasets.treebank.brackets import tree_of
from probing.datasets.treebank.sentence import Phrase
from probing.errors import ProbingError

_OPENS_OR_CLOSES = re.compile(r"\(([^()*\s]+)|\)")
# `(12` opens a mention of entity 12, `12)` closes it, `(12)` does both
_MENTION = re.compile(r"(\()?([^()|]+)(\))?")
_NOTHING = frozenset({"", "-", "_", "*"})
_FIX = "fix the column"


def bracketed_spans(cells: Sequence[str], places: Sequence[str]) -> list[TaggedSpan]:
    """Return the spans of a column such as `(ARG0*`, `*`, `*)`, `(V*)`, by their start.

    Args:
        cells: The cell of each word.
        places: The place of each word, for messages.

    Raises:
        ProbingError: With the place, if a bracket is not closed, or was not opened.
    """
    opened: list[tuple[int, str]] = []
    found: list[TaggedSpan] = []
    for at, cell in enumerate(cells):
        for match in _OPENS_OR_CLOSES.finditer(cell):
            if match[1]:
                opened.append((at, match[1]))
            elif opened:
                start, label = opened.pop()
                found.append(TaggedSpan(start, at + 1, label))
            else:
                raise ProbingError(f"{places[at]}: {cell!r} closes a bracket that is not open; {_FIX}")
    if opened:
        start, label = opened[-1]
        raise ProbingError(f"{places[start]}: the bracket of {label!r} is not closed in its sentence; {_FIX}")
    return sorted(found, key=lambda span: (span.start, -span.end))


def mention_spans(cells: Sequence[str], places: Sequence[str]) -> list[TaggedSpan]:
    """Return the mentions of a column of coreference, `(0|(1`, `0)`, `1)`, `-`, with the names of entities.

    Args:
        cells: The cell of each word.
        places: The place of each word, for messages.

    Raises:
        ProbingError: With the place, if a mention is not closed, or was not opened.
    """
    opened: dict[str, list[int]] = {}
    found: list[TaggedSpan] = []
    for at, cell in enumerate(cells):
        for opens, name, closes in _mentions(cell, places[at]):
            if opens:
                opened.setdefault(name, []).append(at)
            if closes and not opened.get(name):
                raise ProbingError(
                    f"{places[at]}: a mention of entity {name} ends but does not start; {_FIX}"
                )
            if closes:
                found.append(TaggedSpan(opened[name].pop(), at + 1, name))
    for name, starts in opened.items():
        if starts:
            raise ProbingError(
                f"{places[starts[0]]}: a mention of entity {name} starts but does not end; {_FIX}"
            )
    return sorted(found, key=lambda span: (span.start, -span.end))


def _mentions(cell: str, place: str) -> Iterator[tuple[bool, str, bool]]:
    """Yield whether a mention starts at a word, the name of its entity, and whether it ends there."""
    for part in () if cell in _NOTHING else cell.split("|"):
        match = _MENTION.fullmatch(part)
        if match is None or not (match[1] or match[3]):
            raise ProbingError(f"{place}: {cell!r} is not a mention, such as (12, 12) or (12); {_FIX}")
        yield bool(match[1]), match[2], bool(match[3])


def tree_of_cells(cells: Sequence[str], place: str) -> Phrase | None:
    """Return the tree of a column of parse bits, `(TOP(S(NP*`, `*)`, ...; None if it has no bracket.

    Raises:
        ProbingError: If the brackets are unbalanced.
    """
    if not any("(" in cell for cell in cells):
        return None
    # words are numbers here, as a word may contain a bracket
    text = "".join(cell.replace("*", f" (X {at}) ") for at, cell in enumerate(cells))
    tree, words = tree_of(text, place)
    if len(words) != len(cells):
        raise ProbingError(
            f"{place}: the parse has {len(words)} words instead of {len(cells)}; give each cell one *"
        )
    return tree
