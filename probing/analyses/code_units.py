"""Code as the input of a model, with its leaves as words."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from probing.analyses.read_texts import Split, texts_of
from probing.datasets.code.syntax import parse
from probing.errors import ProbingError
from probing.tasks.task import Task, Unit

log = logging.getLogger(__name__)
Reads = Literal["leaves", "code"]


def code_units(task: Task, split: Split, language: str, reads: Reads) -> list[Unit]:
    """Return the pieces of code of a split, each once, with their leaves as words.

    Args:
        task: The task, with code as its texts.
        split: The split.
        language: Name of the tree-sitter grammar.
        reads: Input of the model. `leaves` are the leaves joined by blanks, without comments, so that no
            token touches two leaves; `code` is the code as it is.

    Raises:
        ProbingError: If the examples are pairs, or no piece has two leaves.
    """
    codes = [unit.text for unit in texts_of(task, split)]
    trees = [tree for tree in (parse(code, language) for code in codes) if len(tree.leaves) > 1]
    if not trees:
        raise ProbingError(
            f"analysis=cat: no text of {split} has two leaves in {language}; name the language of the code "
            "with analysis.language"
        )
    torn = sum(not tree.sound for tree in trees)
    if torn or len(trees) < len(codes):
        log.warning(
            "cat: of %d texts of %s, %d have fewer than two leaves and are left out, and %d do not parse "
            "as %s without errors; their trees are as tree-sitter repairs them",
            len(codes), split, len(codes) - len(trees), torn, language,
        )  # fmt: skip
    if reads == "code":
        return [Unit(tree.code, words=tree.spans) for tree in trees]
    joined = [(tree.joined(), tree.code) for tree in trees]
    return [Unit(string, words=spans, origin=code) for (string, spans), code in joined]


def frequent_types(units: Sequence[Unit], language: str) -> tuple[str, ...]:
    """Return the types of leaves that are frequent enough to be selected, in alphabetical order.

    These have more ends of pairs of leaves, 2 · n for each leaf of a text with n leaves, than all texts
    together have leaves (Chen et al. 2022).
    """
    ends: Counter[str] = Counter()
    leaves = 0
    for unit in units:
        types = parse(unit.origin or unit.text, language).types
        leaves += len(types)
        for name, count in Counter(types).items():
            ends[name] += 2 * count * len(types)
    return tuple(sorted(name for name, count in ends.items() if count > leaves))
