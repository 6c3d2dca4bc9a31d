"""Detection of swapped coordinate clauses."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from random import Random

from probing.datasets.grammar.clauses import PairFiller
from probing.datasets.grammar.fill import Filler
from probing.datasets.grammar.kinds.kind import LONGEST, GrammarKind
from probing.datasets.grammar.lexicon import Lexicon
from probing.datasets.grammar.tree import Tree, words


class CoordinationInversion(GrammarKind):
    """Originals, and sentences in which an effect or a pronoun comes before what it refers to."""

    classes = ("original", "inverted")
    root = "PAIR"

    def places(self, skeleton: Tree) -> Sequence[tuple[int, Hashable]]:
        """Return both classes, keyed by the lengths of the clauses in the order in which they are shown."""
        first, second = length_of_clauses(skeleton)
        if first + second + 3 > LONGEST:
            return ()
        return ((0, (first, second)), (1, (second, first)))

    def filler(self, lexicon: Lexicon, rng: Random) -> Filler:
        """Return a filler that writes an effect after its cause."""
        return PairFiller(lexicon, rng)

    def tokens(self, tree: Tree, label: int, rng: Random) -> list[str]:
        """Return the words, with the clauses swapped for the second class."""
        del rng
        first, comma, link, second, stop = tree.children
        inverted = Tree(tree.label, tree.role, (second, comma, link, first, stop))
        return words(inverted if label else tree)


def length_of_clauses(tree: Tree) -> tuple[int, int]:
    """Return the numbers of tokens of the two clauses."""
    first, second = (child.size for child in tree.children if isinstance(child, Tree))
    return first, second
