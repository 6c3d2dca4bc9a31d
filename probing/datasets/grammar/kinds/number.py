"""The number of the main clause's subject and of its direct object."""

from __future__ import annotations

from probing.datasets.grammar.gold import NUMBERS, direct_object, subject
from probing.datasets.grammar.kinds.kind import GrammarKind
from probing.datasets.grammar.lexicon import Lexicon, noun_shares
from probing.datasets.grammar.tree import Tree


class SubjNumber(GrammarKind):
    """Singular or plural subject; no noun, in any place of the sentence, is in two splits."""

    classes = ("singular", "plural")

    def label(self, tree: Tree) -> str | None:
        """Return the number if the subject is a common noun."""
        noun = subject(tree)
        return NUMBERS[noun.tag] if noun else None

    def lexicons(self, seed: int) -> dict[str, Lexicon]:
        """Return different nouns for each split."""
        return noun_shares(seed)


class ObjNumber(SubjNumber):
    """Singular or plural direct object; no noun, in any place of the sentence, is in two splits."""

    def label(self, tree: Tree) -> str | None:
        """Return the number if the main verb has an object that is a common noun."""
        noun = direct_object(tree)
        return NUMBERS[noun.tag] if noun else None
