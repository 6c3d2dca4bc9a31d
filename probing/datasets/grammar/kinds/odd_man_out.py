"""Detection of one noun or verb that makes no sense in its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from random import Random

from probing.datasets.grammar.kinds.kind import AlteredKind
from probing.datasets.grammar.nouns import KINDS, NOUNS
from probing.datasets.grammar.tree import Leaf, Tree, words
from probing.datasets.grammar.verbs import VERBS
from probing.datasets.grammar.vocabulary import VOWELS, Lexeme, Noun

LEFT_OUT = 0.5
LeafPlace = tuple[int, int, Leaf]


class OddManOut(AlteredKind):
    """Originals, and sentences in which another noun or verb of the same form makes no sense in its place.

    The odd sentences exchange words in pairs. So they contain the same words, equally often, as they would
    unaltered, and no word gives them away.
    """

    classes = ("original", "odd")

    def tokens(self, tree: Tree, label: int, rng: Random) -> list[str] | None:
        """Return the words; sentences without a place for an odd word are not used for either class.

        Some of the sentences in which only words about people can be exchanged are left out, so that all the
        others find a partner.
        """
        del label
        places = [(0, place, leaf) for place, leaf in breakable(tree)]
        if not places or (all(map(about_people, places)) and rng.random() < LEFT_OUT):
            return None
        return words(tree)

    def finish(self, trees: list[Tree], labels: Sequence[int], rng: Random) -> list[list[str]]:
        """Exchange words among the odd sentences."""
        odd = [index for index, label in enumerate(labels) if label]
        changed = dict(exchanges({index: trees[index] for index in odd}, rng))
        return [words(changed.get(index, tree)) for index, tree in enumerate(trees)]


def exchanges(trees: dict[int, Tree], rng: Random) -> Iterator[tuple[int, Tree]]:
    """Yield each tree with one word of another tree, which gets its word in return.

    The few that find no partner get a word from the lexicon.
    """
    waiting: dict[int, list[LeafPlace]] = {}
    by_form: dict[tuple[str, str], list[LeafPlace]] = {}
    for index, tree in trees.items():
        places = [(index, place, leaf) for place, leaf in breakable(tree)]
        rng.shuffle(places)
        places.sort(key=about_people)
        pair = next(filter(None, (partner(place, by_form, waiting) for place in places)), None)
        if pair is None:
            waiting[index] = places
            for place in places:
                by_form.setdefault(form(place[2]), []).append(place)
            continue
        del waiting[pair[1][0]]
        for (here, at, leaf), (_, _, other) in (pair, pair[::-1]):
            assert other.lexeme
            yield here, trees[here].with_leaf(at, leaf.with_lexeme(other.lexeme))
    for index, places in waiting.items():
        _, at, leaf = places[0]
        yield index, trees[index].with_leaf(at, leaf.with_lexeme(rng.choice(breakers(leaf))))


def partner(
    place: LeafPlace, by_form: dict[tuple[str, str], list[LeafPlace]], waiting: dict[int, list[LeafPlace]]
) -> tuple[LeafPlace, LeafPlace] | None:
    """Return the first waiting place that can exchange words with this one."""
    for other in by_form.get(form(place[2]), []):
        if other[0] in waiting and breaks(place[2], other[2].lexeme) and breaks(other[2], place[2].lexeme):
            return place, other
    return None


def about_people(place: LeafPlace) -> bool:
    """Return whether people make sense in a place, or as the subject of its verb.

    There are more of these places than of others, and they can only be exchanged with others, so they come
    last.
    """
    leaf = place[2]
    return "human" in leaf.allows


def form(leaf: Leaf) -> tuple[str, str]:
    """Return tag and frame, which the two words of an exchange share."""
    return leaf.tag, leaf.slot


def breaks(leaf: Leaf, lexeme: Lexeme | None) -> bool:
    """Return whether a word makes no sense in a place and nothing else shows it, like `a` before a vowel."""
    if lexeme is None or leaf.lexeme is None or leaf.fits(lexeme):
        return False
    return (leaf.word[0] in VOWELS) == (lexeme.form(leaf.tag)[0] in VOWELS)


def breakable(tree: Tree) -> Iterator[tuple[int, Leaf]]:
    """Yield places for an odd word."""
    for place, leaf in enumerate(tree.leaves()):
        if leaf.lexeme and is_particular(leaf.lexeme) and breakers(leaf):
            yield place, leaf


@cache
def is_particular(lexeme: Lexeme) -> bool:
    """Return whether a word can be out of place at all; `vanish` never is."""
    if isinstance(lexeme, Noun):
        return True
    return any(not lexeme.takes(kind, kind if lexeme.objects else "") for kind in KINDS)


def breakers(leaf: Leaf) -> list[Lexeme]:
    """Return the words that make no sense in a place."""
    noun = isinstance(leaf.lexeme, Noun)
    return found_breakers(leaf.tag, "" if noun else leaf.slot[2:], leaf.word[0] in VOWELS, leaf.allows)


@cache
def found_breakers(tag: str, frame: str, vowel: bool, allows: tuple[str, ...]) -> list[Lexeme]:
    """Return the words as `breakers` does: verbs of a frame, or nouns if it is empty."""
    if not frame:
        return [n for n in NOUNS if n.kind not in allows and (n.form(tag)[0] in VOWELS) == vowel]
    verbs = [verb for verb in VERBS if verb.frame == frame and not verb.takes(allows[0], allows[1])]
    return [verb for verb in verbs if (verb.form(tag)[0] in VOWELS) == vowel]
