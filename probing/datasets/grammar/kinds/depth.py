"""Depth of the sentence's tree."""

from __future__ import annotations

from probing.datasets.grammar.kinds.kind import GrammarKind
from probing.datasets.grammar.tree import Tree

DEPTHS = tuple(range(5, 10))


class Depth(GrammarKind):
    """Levels of the constituency tree from the root down to the tags, both included."""

    classes = tuple(str(depth) for depth in DEPTHS)
    pool = 8000
    richness = (0.4, 1.2, 2.4)

    def label(self, tree: Tree) -> str | None:
        """Return the depth if it is one of the classes."""
        depth = tree.depth
        return str(depth) if depth in DEPTHS else None
