"""How deep the sentence's tree is."""

from __future__ import annotations

from probing.datasets.grammar.kinds.kind import Kind
from probing.datasets.grammar.tree import Tree

DEPTHS = tuple(range(5, 10))


class Depth(Kind):
    """Levels of the constituency tree from the root down to the tags, both counted."""

    classes = tuple(str(depth) for depth in DEPTHS)
    pool = 8000
    richness = (0.4, 1.2, 2.4)

    def label(self, tree: Tree) -> str | None:
        """The depth, if it is one of those asked for."""
        depth = tree.depth
        return str(depth) if depth in DEPTHS else None
