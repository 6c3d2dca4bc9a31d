"""Checks that a treebank has the annotation that a task needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from probing.datasets.treebank.sentence import Sentence, Word
from probing.errors import ProbingError

Column = Literal["UPOS", "XPOS", "FEATS", "HEAD", "DEPREL"]
# number of other tasks that a message names
SHOWN = 4
_HAS: dict[Column, Callable[[Word], bool]] = {
    "UPOS": lambda word: bool(word.upos),
    "XPOS": lambda word: bool(word.xpos),
    "FEATS": lambda word: bool(word.feats),
    "HEAD": lambda word: word.head is not None,
    "DEPREL": lambda word: bool(word.deprel),
}


def check_columns(sentences: Sequence[Sentence], name: str, needs: Mapping[str, Sequence[Column]]) -> None:
    """Reject a treebank if one of its files lacks a column that a task needs.

    Args:
        sentences: All sentences of the treebank.
        name: Name of the task, one of `needs`: `tense` or `upos`.
        needs: The columns that each task of this family needs.

    Raises:
        ProbingError: If one does; with the column, the file, and tasks that the treebank can serve.
    """
    files: dict[str, list[Sentence]] = {}
    for sentence in sentences:
        files.setdefault(sentence.file, []).append(sentence)
    lacking = {file: {c for c in _HAS if not _filled(members, c)} for file, members in files.items()}
    for file, columns in lacking.items():
        missing = [column for column in needs[name] if column in columns]
        if missing:
            everywhere = set.union(*lacking.values())
            usable = [f"treebank/{task}" for task in needs if everywhere.isdisjoint(needs[task])][:SHOWN]
            others = f"use {' or '.join(usable)}, or " if usable else ""
            raise ProbingError(
                f"{file}: no word has a {missing[0]}, which treebank/{name} needs; {others}"
                "give a treebank that is annotated with it"
            )


def check_feature(sentences: Sequence[Sentence], feature: str | None, path: Path, wrong: str) -> None:
    """Reject a feature that no word has.

    Args:
        sentences: All sentences of the treebank.
        feature: Name of the feature, for example `Case`.
        path: The treebank, for messages.
        wrong: Message if no word has the feature.

    Raises:
        ProbingError: If no word has it; with the features that exist and the number of words of each.
    """
    if feature is not None and any(feature in word.feats for s in sentences for word in s.words):
        return
    counts = Counter(name for s in sentences for word in s.words for name in word.feats)
    there = ", ".join(f"{name} ({number:,} words)" for name, number in counts.most_common())
    raise ProbingError(f"{path}: {wrong}; there is {there}")


def _filled(sentences: Sequence[Sentence], column: Column) -> bool:
    return any(_HAS[column](word) for sentence in sentences for word in sentence.words)
