"""Filling of two coordinate clauses, the second of which follows up on the first."""

from __future__ import annotations

from random import Random

from probing.datasets.grammar.fill import ACTOR, Filler, is_person, leaf, subtrees, tree
from probing.datasets.grammar.lexicon import Lexicon
from probing.datasets.grammar.modifiers import PRONOUNS
from probing.datasets.grammar.scripts import DONE_BY, DONE_TO, Script
from probing.datasets.grammar.tree import Leaf, Tree
from probing.datasets.grammar.vocabulary import Noun, Verb

ARTICLES = {"NN": ["the", "the", "this", "that"], "NNS": ["the", "the", "these", "those"]}


class PairFiller(Filler):
    """Fills skeletons of the symbol PAIR."""

    def __init__(self, lexicon: Lexicon, rng: Random) -> None:
        """Draw as any filler does."""
        super().__init__(lexicon, rng)
        self._shared: Leaf = Leaf("NN", "N")

    def fill(self, skeleton: Tree) -> Tree:
        """Return a sentence `cause , and effect .` with this skeleton."""
        self.choose.start()
        cause, comma, link, effect, stop = skeleton.children
        acts = tree(effect).first("NP")
        script = self.choose.one(DONE_BY if acts and acts.role == "again" else DONE_TO)
        parts = (
            self._cause(tree(cause), script),
            self.choose.function(leaf(comma)),
            self.choose.function(leaf(link)),
            self._effect(tree(effect), script),
            self.choose.function(leaf(stop)),
        )
        return Tree(skeleton.label, skeleton.role, parts)

    def _cause(self, node: Tree, script: Script) -> Tree:
        """Fill the first clause and remember its topic."""
        subject, phrase = subtrees(node.children)
        actor = "human" if is_person(subject) else self._actor_of(script.cause)
        done = self.verb_phrase_of(phrase, script.cause, actor, script.kind)
        shared = tree(done.children[1])
        while not isinstance(shared.children[-1], Leaf):
            shared = tree(shared.children[0])
        self._shared = leaf(shared.children[-1])
        return Tree(node.label, node.role, (self._subject(subject, script.cause, actor), done))

    def _effect(self, node: Tree, script: Script) -> Tree:
        """Fill the second clause."""
        subject, phrase = subtrees(node.children)
        if subject.role == "again":
            done = self.verb_phrase_of(phrase, script.effect, script.kind, "")
            return Tree(node.label, node.role, (self._mention(subject, 0), done))
        actor = "human" if is_person(subject) else self._actor_of(script.effect)
        done = self.verb_phrase_of(phrase, script.effect, actor, script.kind)
        return Tree(node.label, node.role, (self._subject(subject, script.effect, actor), done))

    def argument(self, node: Tree, verb: Verb, kind: str) -> Tree:
        """Fill an object: the topic of the first clause, or its mention in the second."""
        if node.role == "again":
            return self._mention(node, 1)
        return super().argument(node, verb, kind)

    def _actor_of(self, verb: Verb) -> str:
        return self.choose.kind(verb.subjects, ACTOR)

    def _subject(self, node: Tree, verb: Verb, actor: str) -> Tree:
        return self.noun_phrase(node, actor, verb.subjects + verb.bears[0])

    def _mention(self, node: Tree, case: int) -> Tree:
        """Return a pronoun or a definite noun phrase for the topic."""
        noun = self._shared.lexeme
        assert isinstance(noun, Noun)
        if leaf(node.children[0]).tag == "PRP":
            word = PRONOUNS[self._gender(noun)][case]
            return Tree(node.label, node.role, (Leaf("PRP", "PRP.again", word),))
        article = Leaf("DT", "DT.again", self.choose.one(ARTICLES[self._shared.tag]))
        return Tree(node.label, node.role, (article, self._shared))

    def _gender(self, noun: Noun) -> str:
        if self._shared.tag == "NNS":
            return "pl"
        return "n" if noun.kind != "human" else noun.gender or self.choose.one("mf")
