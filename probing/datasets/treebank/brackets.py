"""Bracketed trees in the format of the Penn Treebank (.mrg), parsed by `nltk.tree`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from probing.datasets.treebank.constituents import plain
from probing.datasets.treebank.facts import is_punctuation
from probing.datasets.treebank.sentence import Phrase, Sentence, Word
from probing.datasets.treebank.trees import trees_of
from probing.errors import ProbingError

EMPTY = "-NONE-"
ESCAPED = {
    "-LRB-": "(",
    "-RRB-": ")",
    "-LSB-": "[",
    "-RSB-": "]",
    "-LCB-": "{",
    "-RCB-": "}",
    "``": '"',
    "''": '"',
}
# labels that parsers and converters give to the node above a sentence
WRAPPERS = frozenset({"", "ROOT", "TOP", "S1", "VROOT", "PSEUDO"})
# words without a space before them (left) or after them (right) in English spelling
_LEFT = re.compile(r"[.,;:?!%]|\.\.\.|n't|'[a-z]{0,2}", re.IGNORECASE)
_LEFT_TAGS = frozenset({".", ",", "POS", "''", "-RRB-"})
_RIGHT_TAGS = frozenset({"``", "-LRB-", "$", "#"})


def read_brackets(path: Path, split: str | None, hint: str) -> Iterator[Sentence]:
    """Read the sentences of a file of bracketed trees.

    Traces and constituents without words are left out, and so are nodes of `WRAPPERS` above a sentence.
    Escaped brackets and quotes are restored. The format does not record spaces, so `Sentence.spaces`
    follows English spelling.

    Args:
        path: The file, UTF-8.
        split: Split of all its sentences.
        hint: The remedy if the file is missing.

    Raises:
        ProbingError: With file and line, if brackets are unbalanced or a tree is invalid.
    """
    from nltk.tree import Tree

    for number, text in trees_of(path, hint):
        place = f"{path}, line {number}"
        try:
            tree = Tree.fromstring(text)
        except ValueError as error:
            raise ProbingError(f"{place}: this tree cannot be read; fix its brackets") from error
        words: list[Word] = []
        top = _top(tree, words, place)
        if top is not None:
            tokens = tuple(word.form for word in words)
            yield Sentence(place, split, tokens, _spaces(words), tuple(words), top)


def _top(tree: Any, words: list[Word], place: str) -> Phrase | None:  # noqa: ANN401
    """Return the topmost constituent without nodes that parsers put above it; None if it has no words."""
    while tree.label() in WRAPPERS and len(tree) == 1 and not isinstance(tree[0], str):
        tree = tree[0]
    phrase = _phrase(tree, words, place, top=True)
    if isinstance(phrase, int):
        return Phrase("", (phrase,))
    return phrase and _unwrapped(phrase, words)


def _unwrapped(phrase: Phrase, words: list[Word]) -> Phrase:
    """Return the constituent below parsers' labels; punctuation next to it becomes a part of it.

    NEGRA and TIGER attach punctuation to VROOT, and the Penn Treebank to the sentence. If several
    constituents are left, or only words, their common node is the topmost one and stays, without its label.
    """
    while plain(phrase) in WRAPPERS:
        inner = [child for child in phrase.children if isinstance(child, Phrase)]
        marks = [child for child in phrase.children if isinstance(child, int)]
        if len(inner) != 1 or not all(is_punctuation(words[mark].form) for mark in marks):
            return Phrase("", phrase.children)
        at = phrase.children.index(inner[0])
        around = phrase.children[:at], phrase.children[at + 1 :]
        phrase = Phrase(inner[0].label, (*around[0], *inner[0].children, *around[1]))
    return phrase


def _phrase(
    tree: Any,  # noqa: ANN401
    words: list[Word],
    place: str,
    *,
    top: bool = False,
) -> Phrase | int | None:
    """Return a constituent, or a word's place, and add the words below it; None if there are none.

    Only the topmost constituent may lack a label.

    Raises:
        ProbingError: If a word has no tag, a tag has no word, or a label is missing.
    """
    label = tree.label()
    if len(tree) == 1 and isinstance(tree[0], str):
        if label == EMPTY:
            return None
        words.append(_word(tree[0], label, len(words)))
        return len(words) - 1
    if not (label or top) or not tree or any(isinstance(child, str) for child in tree):
        what = "a constituent has no label"
        if not tree:
            what = f"{label or 'a constituent'} has no word"
        elif label or top:
            what = f"a word in {label or 'the topmost constituent'} has no tag"
        raise ProbingError(f"{place}: {what}; fix the tree's brackets")
    found = [_phrase(child, words, place) for child in tree]
    kept = tuple(child for child in found if child is not None)
    return Phrase(label, kept) if kept else None


def _word(form: str, tag: str, at: int) -> Word:
    form = ESCAPED.get(form) or form.replace("\\/", "/").replace("\\*", "*")
    return Word(form, "", "", tag, {}, None, "", at)


def _spaces(words: list[Word]) -> tuple[bool, ...]:
    """Return whether a space follows each word in English spelling."""
    left = [word.xpos in _LEFT_TAGS or _LEFT.fullmatch(word.form) is not None for word in words]
    right = [word.xpos in _RIGHT_TAGS for word in words]
    return tuple(not (r or nxt) for r, nxt in zip(right, [*left[1:], False], strict=True))
