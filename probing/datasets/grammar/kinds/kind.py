"""Description of one of the ten tasks, with a default for everything but the classes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from random import Random

from probing.datasets.grammar.fill import Filler
from probing.datasets.grammar.lexicon import Lexicon
from probing.datasets.grammar.skeleton import RICHNESS
from probing.datasets.grammar.tree import Tree, words

SHORTEST, LONGEST = 5, 20


class GrammarKind:
    """One of the ten tasks.

    Attributes:
        classes: Names of the classes.
        root: Symbol of the grammar that the sentences derive from.
        pool: Number of skeletons to draw and choose from.
        richness: Degrees of nesting, from the poorest to the richest.
    """

    classes: tuple[str, ...]
    root = "ROOT"
    pool = 2500
    richness: Sequence[float] = RICHNESS

    def places(self, skeleton: Tree) -> Sequence[tuple[int, Hashable]]:
        """Return the classes that a skeleton can serve, each with a key.

        The classes get equal numbers of sentences of each key. So the key, by default the sentence length,
        carries no information about the class.
        """
        label = self.label(skeleton)
        size = skeleton.size
        if label is None or not SHORTEST <= size <= LONGEST:
            return ()
        return ((self.classes.index(label), size),)

    def label(self, tree: Tree) -> str | None:
        """Return the class of a tree; None if it has none."""
        raise NotImplementedError

    def lexicons(self, seed: int) -> dict[str, Lexicon]:
        """Return the words of each split."""
        del seed
        return dict.fromkeys(("train", "dev", "test"), Lexicon())

    def filler(self, lexicon: Lexicon, rng: Random) -> Filler:
        """Return the filler of skeletons."""
        return Filler(lexicon, rng)

    def compose(self, filler: Filler, skeleton: Tree, label: int) -> Tree | None:
        """Return a sentence for a class, or None to try another skeleton."""
        del label
        return filler.fill(skeleton)

    def tokens(self, tree: Tree, label: int, rng: Random) -> list[str] | None:
        """Return the words to show for a sentence of a class, or None to try another sentence."""
        del label, rng
        return words(tree)

    def finish(self, trees: list[Tree], labels: Sequence[int], rng: Random) -> list[list[str]] | None:
        """Return the words to show for all sentences of a split together; None leaves them as they are."""
        del trees, labels, rng
        return None


class AlteredKind(GrammarKind):
    """A task that asks whether a sentence was altered; any skeleton can serve either class."""

    def places(self, skeleton: Tree) -> Sequence[tuple[int, Hashable]]:
        """Return both classes, keyed by length."""
        size = skeleton.size
        return ((0, size), (1, size)) if SHORTEST <= size <= LONGEST else ()
