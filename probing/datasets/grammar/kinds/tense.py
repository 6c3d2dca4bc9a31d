"""Tense of the main verb."""

from __future__ import annotations

from probing.datasets.grammar.gold import TENSES, main_verb
from probing.datasets.grammar.kinds.kind import GrammarKind
from probing.datasets.grammar.lexicon import Lexicon, verb_shares
from probing.datasets.grammar.tree import Tree


class Tense(GrammarKind):
    """Past or present; no verb, in any clause of the sentence, is in two splits."""

    classes = ("past", "present")

    def label(self, tree: Tree) -> str | None:
        """Return the tense if there is one main verb and it is finite."""
        verb = main_verb(tree)
        return TENSES.get(verb.tag) if verb else None

    def lexicons(self, seed: int) -> dict[str, Lexicon]:
        """Return different verbs for each split."""
        return verb_shares(seed)
