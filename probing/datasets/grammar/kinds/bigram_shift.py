"""Detection of two swapped adjacent words."""

from __future__ import annotations

from random import Random

from probing.datasets.grammar.kinds.kind import AlteredKind
from probing.datasets.grammar.rules import neighbours, terminal
from probing.datasets.grammar.tree import PUNCTUATION, Tree, words


class BigramShift(AlteredKind):
    """Originals, and sentences with two adjacent words swapped so that the grammar cannot make them."""

    classes = ("original", "shifted")

    def tokens(self, tree: Tree, label: int, rng: Random) -> list[str] | None:
        """Return the words; sentences without a possible swap are not used for either class."""
        found = words(tree)
        places = [place for place in swaps(tree) if found[place] != found[place + 1]]
        if not places:
            return None
        if label:
            place = rng.choice(places)
            found[place : place + 2] = found[place + 1], found[place]
        return found


def swaps(tree: Tree) -> list[int]:
    """Return the places of words that may be swapped with the next one.

    The first word, whose capital would give it away, and punctuation keep their places. A swap must make two
    parts of speech adjacent that never are in the grammar.
    """
    tags = [terminal(leaf.slot) for leaf in tree.leaves()]
    legal = neighbours()
    return [
        place
        for place in range(1, len(tags) - 2)
        if tags[place] not in PUNCTUATION
        and tags[place + 1] not in PUNCTUATION
        and not legal.issuperset(
            (
                (tags[place - 1], tags[place + 1]),
                (tags[place + 1], tags[place]),
                (tags[place], tags[place + 2]),
            )
        )
    ]
