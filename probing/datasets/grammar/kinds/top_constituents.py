"""Constituents right below the root."""

from __future__ import annotations

from probing.datasets.grammar.gold import top_constituents
from probing.datasets.grammar.kinds.kind import GrammarKind
from probing.datasets.grammar.tree import Tree


class TopConstituents(GrammarKind):
    """The sequence of constituents below the root, without punctuation."""

    classes = (
        "ADVP_NP_VP",
        "CC_ADVP_NP_VP",
        "CC_NP_VP",
        "CC_PP_NP_VP",
        "NP_ADVP_VP",
        "NP_VP",
        "PP_NP_ADVP_VP",
        "PP_NP_VP",
        "SBAR_NP_VP",
        "S_CC_S",
        "S_NP_VP",
        "VP",
    )
    pool = 3500

    def label(self, tree: Tree) -> str | None:
        """Return the sequence."""
        return top_constituents(tree)
