"""How long the sentence is."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from probing.datasets.grammar.kinds.kind import Kind
from probing.datasets.grammar.tree import Tree

BINS = ((5, 8), (9, 12), (13, 16), (17, 20), (21, 25), (26, 28))


class Length(Kind):
    """The bin of the number of tokens, punctuation counted; the bins are SentEval's."""

    classes = tuple(f"{low}-{high}" for low, high in BINS)

    def label(self, tree: Tree) -> str | None:
        """The bin, if there is one."""
        size = tree.size
        return next((f"{low}-{high}" for low, high in BINS if low <= size <= high), None)

    def places(self, skeleton: Tree) -> Sequence[tuple[int, Hashable]]:
        """The one class that is no secret of the length."""
        label = self.label(skeleton)
        return () if label is None else ((self.classes.index(label), None),)
