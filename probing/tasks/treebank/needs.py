"""Whether a treebank has the annotation that a task asks about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from probing.errors import ProbingError
from probing.tasks.treebank.sentence import Sentence, Word

Need = Literal["tree", "part of speech", "Tense", "Number"]

# what a word has that is annotated for each, and the column it would be in; of bracketed trees, whose words
# have no heads and no features, tags and constituents serve for all
_HAS: dict[Need, tuple[Callable[[Word], bool], str]] = {
    "tree": (lambda word: word.head is not None, "a head (column HEAD)"),
    "part of speech": (lambda word: bool(word.upos), "a universal part of speech (column UPOS)"),
    "Tense": (lambda word: "Tense" in word.feats, "the feature Tense (column FEATS)"),
    "Number": (lambda word: "Number" in word.feats, "the feature Number (column FEATS)"),
}


def check_needs(sentences: Sequence[Sentence], needs: Sequence[Need], path: Path, name: str) -> None:
    """Refuse a treebank that does not say what a task asks.

    Args:
        sentences: All sentences of the treebank.
        needs: What must be annotated somewhere in it.
        path: The treebank, for messages.
        name: Of the task, for messages.

    Raises:
        ProbingError: Naming the column.
    """
    if any(sentence.tree for sentence in sentences):
        return
    for need in needs:
        has, what = _HAS[need]
        if not any(has(word) for sentence in sentences for word in sentence.words):
            raise ProbingError(
                f"{path}: no word has {what}, which {name} needs; annotate the treebank first, or choose "
                "another task"
            )
