"""The one of several words that the sentence contains."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from random import Random

from probing.datasets.grammar.fill import Filler
from probing.datasets.grammar.kinds.kind import LONGEST, SHORTEST, GrammarKind
from probing.datasets.grammar.lexicon import Lexicon
from probing.datasets.grammar.nouns import KINDS, NOUNS
from probing.datasets.grammar.tree import Leaf, Tree
from probing.datasets.grammar.verbs import VERBS
from probing.datasets.grammar.vocabulary import Lexeme, Noun

NOUN_TARGETS = (
    "teacher lawyer dancer painter student hunter waiter engineer goat bear rabbit lion cake sandwich "
    "carrot banana clock ladder bottle key scarf jacket truck boat garden market museum library river "
    "island letter song secret method wedding concert"
)
VERB_TARGETS = "carry remember visit watch describe notice"
LEMMAS = (*NOUN_TARGETS.split(), *VERB_TARGETS.split())
NOUNS_LIKE = {kind: [n.lemma for n in NOUNS if n.kind == kind and n.lemma in LEMMAS] for kind in KINDS}
VERBS_LIKE = {verb.past: verb for verb in VERBS if verb.lemma in LEMMAS}
TARGETS: dict[str, Lexeme] = {**{noun.lemma: noun for noun in NOUNS if noun.lemma in LEMMAS}, **VERBS_LIKE}


class WordContent(GrammarKind):
    """42 target words; each sentence contains exactly one of them, once."""

    classes = tuple(TARGETS)
    pool = 1500

    def label(self, tree: Tree) -> str | None:
        """Return the target, if the sentence contains one."""
        return next((leaf.word for leaf in tree.leaves() if leaf.word in TARGETS), None)

    def places(self, skeleton: Tree) -> Sequence[tuple[int, Hashable]]:
        """Return all classes, because any sentence may get any target."""
        if not SHORTEST <= skeleton.size <= LONGEST:
            return ()
        return tuple((label, None) for label in range(len(self.classes)))

    def lexicons(self, seed: int) -> dict[str, Lexicon]:
        """Return words without targets, which are inserted afterwards."""
        del seed
        nouns = [noun for noun in NOUNS if noun.lemma not in LEMMAS]
        verbs = [verb for verb in VERBS if verb.lemma not in LEMMAS]
        return dict.fromkeys(("train", "dev", "test"), Lexicon(nouns, verbs))

    def filler(self, lexicon: Lexicon, rng: Random) -> Filler:
        """Return a filler that can insert targets into sentences."""
        return TargetFiller(lexicon, rng)

    def compose(self, filler: Filler, skeleton: Tree, label: int) -> Tree | None:
        """Return a sentence with the target in the place of a word that is used alike."""
        assert isinstance(filler, TargetFiller)
        return filler.with_target(skeleton, self.classes[label])


class TargetFiller(Filler):
    """Inserts targets into sentences; a sentence without a place for one target is kept for another."""

    def __init__(self, lexicon: Lexicon, rng: Random) -> None:
        """Draw as any filler does."""
        super().__init__(lexicon, rng)
        self._kept: dict[str, list[tuple[Tree, int]]] = {target: [] for target in TARGETS}

    def with_target(self, skeleton: Tree, target: str) -> Tree | None:
        """Return a sentence that contains the target, or None if this skeleton has led to none."""
        kept = self._kept[target]
        if not kept:
            self._keep(self.fill(skeleton))
        if not kept:
            return None
        tree, place = kept.pop()
        leaf = list(tree.leaves())[place]
        return tree.with_leaf(place, leaf.with_lexeme(TARGETS[target]))

    def _keep(self, tree: Tree) -> None:
        """Keep a sentence for the possible target that has the fewest sentences."""
        options = [
            (target, place)
            for place, leaf in enumerate(tree.leaves())
            if leaf.tag in ("NN", "VBD")
            for target in replacing(leaf)
        ]
        if options:
            target, place = min(options, key=lambda option: len(self._kept[option[0]]))
            self._kept[target].append((tree, place))


def replacing(leaf: Leaf) -> list[str]:
    """Return the targets that would be used like the word in this place."""
    word = leaf.lexeme
    if isinstance(word, Noun):
        return NOUNS_LIKE.get(word.kind, [])
    return [target for target, verb in VERBS_LIKE.items() if leaf.slot == "V.tr" and leaf.fits(verb)]
