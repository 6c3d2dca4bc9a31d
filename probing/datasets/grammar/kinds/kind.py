"""What one of the ten tasks has to say to be generated; all but the classes has a default."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from random import Random

from probing.datasets.grammar.fill import Filler
from probing.datasets.grammar.lexicon import Lexicon
from probing.datasets.grammar.skeleton import RICHNESS
from probing.datasets.grammar.tree import Tree, words

SHORTEST, LONGEST = 5, 20


class Kind:
    """A question about sentences.

    Attributes:
        classes: Names of the answers.
        root: Symbol of the grammar that the sentences come from.
        pool: Number of skeletons drawn to choose from.
        richness: How much they nest, from the poorest to the richest.
    """

    classes: tuple[str, ...]
    root = "ROOT"
    pool = 2500
    richness: Sequence[float] = RICHNESS

    def places(self, skeleton: Tree) -> Sequence[tuple[int, Hashable]]:
        """Classes for which a skeleton may serve, each with a key.

        The classes get equally many sentences of each key, so the key, sentence length by default, says
        nothing of the class.
        """
        label = self.label(skeleton)
        size = skeleton.size
        if label is None or not SHORTEST <= size <= LONGEST:
            return ()
        return ((self.classes.index(label), size),)

    def label(self, tree: Tree) -> str | None:
        """The class as read off the tree; None if the question does not arise."""
        raise NotImplementedError

    def lexicons(self, seed: int) -> dict[str, Lexicon]:
        """The words of each split."""
        del seed
        return dict.fromkeys(("train", "dev", "test"), Lexicon())

    def filler(self, lexicon: Lexicon, rng: Random) -> Filler:
        """What puts words into skeletons."""
        return Filler(lexicon, rng)

    def compose(self, filler: Filler, skeleton: Tree, label: int) -> Tree | None:
        """A sentence for a class, or None to try another skeleton."""
        del label
        return filler.fill(skeleton)

    def tokens(self, tree: Tree, label: int, rng: Random) -> list[str] | None:
        """The words that are shown for a sentence of a class, or None to try another."""
        del label, rng
        return words(tree)

    def finish(self, trees: list[Tree], labels: Sequence[int], rng: Random) -> list[list[str]] | None:
        """The words shown for all sentences of a split together; None leaves them as they are."""
        del trees, labels, rng
        return None


class AlteredKind(Kind):
    """A question whether a sentence was altered; any skeleton may serve for either answer."""

    def places(self, skeleton: Tree) -> Sequence[tuple[int, Hashable]]:
        """Both classes, keyed by length."""
        size = skeleton.size
        return ((0, size), (1, size)) if SHORTEST <= size <= LONGEST else ()
