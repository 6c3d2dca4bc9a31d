"""What a treebank's columns hold, and what can be asked of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from probing.errors import ProbingError
from probing.tasks.treebank.sentence import Sentence, Word

Label = Literal["upos", "xpos", "feature", "deprel", "governs"]
NEEDED: dict[Label, tuple[str, ...]] = {
    "upos": ("UPOS",),
    "xpos": ("XPOS",),
    "feature": ("FEATS",),
    "deprel": ("HEAD", "DEPREL"),
    "governs": ("HEAD",),
}
_HAS: dict[str, Callable[[Word], bool]] = {
    "UPOS": lambda word: bool(word.upos),
    "XPOS": lambda word: bool(word.xpos),
    "FEATS": lambda word: bool(word.feats),
    "HEAD": lambda word: word.head is not None,
    "DEPREL": lambda word: bool(word.deprel),
}


def check_columns(sentences: Sequence[Sentence], label: Label) -> None:
    """Refuse a treebank of which a file lacks what a task needs.

    Args:
        sentences: All of the treebank.
        label: What is asked of the words.

    Raises:
        ProbingError: Naming the column, the file, and the tasks that the treebank is good for.
    """
    files: dict[str, list[Sentence]] = {}
    for sentence in sentences:
        files.setdefault(sentence.place.rpartition(", line ")[0], []).append(sentence)
    for file, members in files.items():
        for column in NEEDED[label]:
            if not _filled(members, column):
                usable = [task for task in NEEDED if all(_usable(group, task) for group in files.values())]
                others = f"use {' or '.join(f'treebank/{task}' for task in usable)}, or " if usable else ""
                raise ProbingError(
                    f"{file}: no word has a {column}, which treebank/{label} needs; {others}"
                    "give a treebank that is annotated with it"
                )


def check_feature(sentences: Sequence[Sentence], feature: str | None, path: Path) -> None:
    """Refuse a feature that no word has.

    Args:
        sentences: All of the treebank.
        feature: Its name, `Case`.
        path: Of the treebank, for messages.

    Raises:
        ProbingError: With the features that there are, and how many words have each.
    """
    if feature is not None and any(feature in word.feats for s in sentences for word in s.words):
        return
    counts = Counter(name for s in sentences for word in s.words for name in word.feats)
    there = ", ".join(f"{name} ({number:,} words)" for name, number in counts.most_common())
    wrong = "task.feature is not set" if feature is None else f"no word has task.feature={feature}"
    raise ProbingError(f"{path}: {wrong}; there is {there}")


def _filled(sentences: Sequence[Sentence], column: str) -> bool:
    return any(_HAS[column](word) for sentence in sentences for word in sentence.words)


def _usable(sentences: Sequence[Sentence], label: Label) -> bool:
    return all(_filled(sentences, column) for column in NEEDED[label])
