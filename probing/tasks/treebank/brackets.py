"""Bracketed trees as the Penn Treebank has them (.mrg), parsed by `nltk.tree`."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from probing.errors import ProbingError
from probing.tasks.lines import read_lines
from probing.tasks.treebank.sentence import Phrase, Sentence, Word

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
# no sentence has as many levels; beyond a few hundred Python could not follow
DEEPEST = 200
_BRACKET = re.compile(r"[()]")
# words that English spelling writes without a space before, or after, them
_LEFT = re.compile(r"[.,;:?!%]|\.\.\.|n't|'[a-z]{0,2}", re.IGNORECASE)
_LEFT_TAGS = frozenset({".", ",", "POS", "''", "-RRB-"})
_RIGHT_TAGS = frozenset({"``", "-LRB-", "$", "#"})


def read_brackets(path: Path, split: str | None, hint: str) -> Iterator[Sentence]:
    """Read the sentences of a file of bracketed trees.

    Traces and constituents without words are left out, brackets and quotes are written as such. The
    format does not record spaces; `Sentence.spaces` follows English spelling.

    Args:
        path: The file, UTF-8.
        split: Of all its sentences.
        hint: What to do if the file is not there.

    Raises:
        ProbingError: With file and line, if brackets are unbalanced or a tree is not as it should be.
    """
    from nltk.tree import Tree

    for number, text in _trees(path, hint):
        place = f"{path}, line {number}"
        try:
            tree = Tree.fromstring(text, remove_empty_top_bracketing=True)
        except ValueError as error:
            raise ProbingError(f"{place}: this tree cannot be read; mend its brackets") from error
        words: list[Word] = []
        phrase = _phrase(tree, words, place)
        if phrase is not None:
            top = phrase if isinstance(phrase, Phrase) else Phrase("", (phrase,))
            tokens = tuple(word.form for word in words)
            yield Sentence(place, split, tokens, _spaces(words), tuple(words), top)


def _trees(path: Path, hint: str) -> Iterator[tuple[int, str]]:
    """The text of each tree and the line that it starts at; whatever stands between trees is passed over.

    Raises:
        ProbingError: If brackets are unbalanced.
    """
    text = "\n".join(line for _, line in read_lines(path, "utf-8", hint, blank=True))
    ends = [match.start() for match in re.finditer("\n", text)]
    depth = start = 0
    for match in _BRACKET.finditer(text):
        if match[0] == "(":
            start = start if depth else match.start()
            depth += 1
            if depth > DEEPEST:
                place = f"{path}, line {bisect(ends, start) + 1}"
                raise ProbingError(f"{place}: a tree of more than {DEEPEST} levels; mend its brackets")
            continue
        depth -= 1
        if depth < 0:
            line = bisect(ends, match.start()) + 1
            raise ProbingError(f"{path}, line {line}: unbalanced brackets; one closes that was not opened")
        if not depth:
            yield bisect(ends, start) + 1, text[start : match.end()]
    if depth:
        # trees start at the margin: one that does so inside another shows where a bracket is missing
        inner = text.find("\n(", start)
        until = f"before line {bisect(ends, inner) + 1}" if inner > 0 else "in this file"
        raise ProbingError(
            f"{path}, line {bisect(ends, start) + 1}: unbalanced brackets; the tree that starts here is not "
            f"closed {until}"
        )


def _phrase(tree: Any, words: list[Word], place: str) -> Phrase | int | None:  # noqa: ANN401
    """A constituent, or a word's place, adding the words below it; None where nothing is written.

    Raises:
        ProbingError: If a word stands without a tag, a tag without a word, or a label is missing.
    """
    label = tree.label()
    if len(tree) == 1 and isinstance(tree[0], str):
        if label == EMPTY:
            return None
        words.append(_word(tree[0], label, len(words)))
        return len(words) - 1
    if not label or not tree or any(isinstance(child, str) for child in tree):
        what = f"a word in {label} has no tag of its own" if tree else f"{label} has no word"
        what = what if label else "a constituent has no label"
        raise ProbingError(f"{place}: {what}; mend the tree's brackets")
    found = [_phrase(child, words, place) for child in tree]
    kept = tuple(child for child in found if child is not None)
    return Phrase(label, kept) if kept else None


def _word(form: str, tag: str, at: int) -> Word:
    form = ESCAPED.get(form) or form.replace("\\/", "/").replace("\\*", "*")
    return Word(form, "", "", tag, {}, None, "", at)


def _spaces(words: list[Word]) -> tuple[bool, ...]:
    """Whether a space follows each word in English spelling."""
    left = [word.xpos in _LEFT_TAGS or _LEFT.fullmatch(word.form) is not None for word in words]
    right = [word.xpos in _RIGHT_TAGS for word in words]
    return tuple(not (r or nxt) for r, nxt in zip(right, [*left[1:], False], strict=True))
