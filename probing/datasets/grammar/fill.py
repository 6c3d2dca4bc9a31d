"""Filling of skeletons with words, so that verbs, nouns, adjectives and prepositions fit together."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from probing.datasets.grammar.choice import CannotFillError, Chooser
from probing.datasets.grammar.lexicon import Lexicon
from probing.datasets.grammar.modifiers import DETERMINERS
from probing.datasets.grammar.tree import Leaf, Tree
from probing.datasets.grammar.vocabulary import Verb

ALIVE = ("human", "animal")
# Minimum probability that a subject (actor) or an object (patient) is human.
ACTOR, PATIENT = 0.6, 0.25


class Filler:
    """Fills skeletons from a lexicon. Semantic classes are called kinds, as in `Noun`."""

    def __init__(self, lexicon: Lexicon, rng: Random) -> None:
        """Draw from this lexicon with this random number generator."""
        self.lexicon = lexicon
        self.choose = Chooser(lexicon, rng)

    def fill(self, skeleton: Tree) -> Tree:
        """Return a sentence with this skeleton.

        Raises:
            CannotFillError: If the words chosen so far leave a place that no word fits.
        """
        self.choose.start()
        return self.clause(skeleton)

    def clause(self, node: Tree, actor: str = "") -> Tree:
        """Fill a clause; `actor` is the kind of a subject outside it."""
        actor = actor or self._actor(node)
        phrase = node.first("VP")
        acted = self.verb_phrase(phrase, actor) if phrase else None
        bears = borne_subjects(acted) if acted else ()
        children: list[Tree | Leaf] = []
        for child in node.children:
            if isinstance(child, Leaf):
                children.append(self.choose.function(child))
            elif child.label == "NP":
                children.append(self.noun_phrase(child, actor, bears))
            elif child is phrase and acted:
                children.append(acted)
            else:
                children.append(self.adjunct(child, actor))
        return Tree(node.label, node.role, tuple(children))

    def _actor(self, node: Tree) -> str:
        """Choose the kind of a clause's subject so that there is a verb for it."""
        phrase, subject = node.first("VP"), node.first("NP")
        head = phrase.children[0] if phrase else None
        aside = any(isinstance(child, Tree) and child.role == "ing" for child in node.children)
        if not isinstance(head, Leaf) or subject is None or aside or is_person(subject):
            return "human"
        verb = self.choose.one(self.lexicon.verbs_of(head.slot[2:]))
        return self.choose.kind(verb.subjects, ACTOR)

    def verb_phrase(self, node: Tree, actor: str) -> Tree:
        """Fill a verb phrase for a subject of the given kind."""
        head = node.children[0]
        if isinstance(head, Leaf):
            verb = self.choose.new(self.lexicon.verbs_of(head.slot[2:], actor))
            kind = self.choose.kind(verb.objects, PATIENT) if verb.objects else ""
            return self.verb_phrase_of(node, verb, actor, kind)
        parts = tuple(
            self.choose.function(child) if isinstance(child, Leaf) else self.verb_phrase(child, actor)
            for child in node.children
        )
        return Tree(node.label, node.role, parts)

    def verb_phrase_of(self, node: Tree, verb: Verb, actor: str, kind: str) -> Tree:
        """Fill a verb phrase whose verb and kind of object are given."""
        head, *rest = node.children
        children: list[Tree | Leaf] = [verb_leaf(head, verb, actor, kind)]
        for child in subtrees(rest):
            if child.label == "NP":
                children.append(self.argument(child, verb, kind))
            elif child.role == "manner":
                children.append(self.adverbs(child, manner(verb, actor)))
            else:
                children.append(self.adjunct(child, actor))
        return Tree(node.label, node.role, tuple(children))

    def argument(self, node: Tree, verb: Verb, kind: str) -> Tree:
        """Fill the object of a verb, or the receiver of a gift."""
        if node.role == "to":
            return self.noun_phrase(node, "human", ALIVE)
        return self.noun_phrase(node, kind, verb.objects + verb.bears[1])

    def adjunct(self, node: Tree, actor: str) -> Tree:
        """Fill a constituent that is not a subject, verb or object."""
        if node.label == "PP":
            return self.prepositional(node, "verb")
        if node.label == "ADVP":
            return self.adverbs(node, node.role)
        if node.label == "ADJP":
            return self.predicate(node, actor)
        if node.label == "SBAR":
            link, inner = node.children
            return Tree(node.label, node.role, (self.choose.function(leaf(link)), self.clause(tree(inner))))
        return self.clause(node, actor if node.role in ("to", "ing") else "")

    def noun_phrase(self, node: Tree, kind: str, bears: Sequence[str]) -> Tree:
        """Fill a noun phrase of a kind; `bears` are all kinds that would make sense there."""
        last = node.children[-1]
        if isinstance(last, Leaf):
            return self._person(node) if is_person(node) else self.base(node, kind, tuple(bears))
        children: list[Tree | Leaf] = []
        for child in node.children:
            if isinstance(child, Leaf):
                children.append(self.choose.function(child))
            elif child.label == "NP":
                children.append(self.noun_phrase(child, kind, bears))
            else:
                children.append(self.modifier(child, kind))
        return Tree(node.label, node.role, tuple(children))

    def base(self, node: Tree, kind: str, bears: tuple[str, ...]) -> Tree:
        """Fill a noun phrase down to its words."""
        last = leaf(node.children[-1])
        head = self.noun(last, kind, bears)
        count = sum(isinstance(child, Leaf) and child.tag == "JJ" for child in node.children)
        adjectives = iter(self.choose.adjectives(kind, count))
        children: list[Tree | Leaf] = []
        for child in node.children[:-1]:
            if isinstance(child, Tree):
                children.append(self._owner(child))
            elif child.tag == "JJ":
                children.append(Leaf("JJ", child.slot, next(adjectives)))
            else:
                children.append(self._determiner(child, last.tag))
        return Tree(node.label, node.role, (*children, head))

    def noun(self, place: Leaf, kind: str, bears: tuple[str, ...]) -> Leaf:
        """Fill a noun."""
        noun = self.choose.new(self.lexicon.nouns_of(kind))
        return Leaf(place.tag, place.slot, noun.form(place.tag), noun, bears)

    def _determiner(self, place: Leaf, tag: str) -> Leaf:
        return Leaf("DT", place.slot, self.choose.one(DETERMINERS[tag]))

    def _person(self, node: Tree) -> Tree:
        return Tree(node.label, node.role, (self.choose.person(leaf(node.children[0])),))

    def _owner(self, node: Tree) -> Tree:
        article, noun, mark = (leaf(child) for child in node.children)
        owner = self.noun(noun, "human", ALIVE)
        ending = "'" if owner.word.endswith("s") else "'s"
        done = (self._determiner(article, noun.tag), owner, Leaf("POS", mark.slot, ending))
        return Tree(node.label, node.role, done)

    def modifier(self, node: Tree, head: str) -> Tree:
        """Fill what follows a noun: a prepositional phrase, a relative clause or a participle."""
        if node.label == "PP":
            return self.prepositional(node, head)
        if node.label == "VP":
            return self.verb_phrase(node, head)
        link, inner = subtrees(node.children)
        relative = Leaf("WP", "WP", "who" if head == "human" else "that")
        clause = self.clause(inner, head) if node.role == "rel" else self._gapped(inner, head)
        return Tree(node.label, node.role, (Tree(link.label, link.role, (relative,)), clause))

    def _gapped(self, node: Tree, kind: str) -> Tree:
        """Fill `the farmer sold` of `the horse that the farmer sold`."""
        subject, phrase = subtrees(node.children)
        verb = self.choose.new(self.lexicon.verbs_of("tr", "", kind))
        actor = "human" if is_person(subject) else self.choose.kind(verb.subjects, ACTOR)
        if actor not in verb.subjects:
            raise CannotFillError
        done = self.verb_phrase_of(phrase, verb, actor, kind)
        bears = verb.subjects + verb.bears[0]
        return Tree(node.label, node.role, (self.noun_phrase(subject, actor, bears), done))

    def prepositional(self, node: Tree, head: str) -> Tree:
        """Fill a prepositional phrase that attaches to a noun of kind `head` or to "verb"."""
        link, inner = leaf(node.children[0]), tree(node.children[1])
        if node.role == "to":
            receiver = self.noun_phrase(inner, "human", ALIVE)
            return Tree(node.label, node.role, (self.choose.function(link), receiver))
        options = self.lexicon.prepositions_of(head)
        if not options:
            raise CannotFillError
        word = self.choose.one(options)
        done = self.noun_phrase(inner, self.choose.one(word.objects), word.objects + word.bears)
        return Tree(node.label, node.role, (Leaf("IN", link.slot, word.lemma), done))

    def adverbs(self, node: Tree, kind: str) -> Tree:
        """Fill an adverb phrase."""
        done = self.choose.adverbs([leaf(child) for child in node.children], kind)
        return Tree(node.label, node.role, tuple(done))

    def predicate(self, node: Tree, kind: str) -> Tree:
        """Fill an adjective phrase that describes a noun of the given kind."""
        *degrees, last = (leaf(child) for child in node.children)
        done = [self.choose.function(degree) for degree in degrees]
        word = self.choose.adjectives(kind, 1)[0]
        return Tree(node.label, node.role, (*done, Leaf("JJ", last.slot, word)))


def verb_leaf(place: Tree | Leaf, verb: Verb, actor: str, kind: str) -> Leaf:
    """Return a verb in the form that its place requires, with the kinds of its subject and object."""
    tag = leaf(place).tag
    return Leaf(tag, leaf(place).slot, verb.form(tag), verb, (actor, kind))


def borne_subjects(phrase: Tree) -> tuple[str, ...]:
    """Return the kinds that would make sense as the subject of a filled verb phrase."""
    head = next(phrase.leaves()).lexeme
    return head.subjects + head.bears[0] if isinstance(head, Verb) else ()


def manner(verb: Verb, actor: str) -> str:
    """Return the sort of manner adverb: nobody knows patiently, and no storm rages politely."""
    if verb.state:
        return "state"
    return "manner" if actor in ALIVE else "event"


def is_person(phrase: Tree) -> bool:
    """Return whether a noun phrase is a name or a pronoun."""
    return isinstance(phrase.children[0], Leaf) and phrase.children[0].tag in ("NNP", "PRP")


def subtrees(children: Sequence[Tree | Leaf]) -> list[Tree]:
    """Return children that are all constituents."""
    return [tree(child) for child in children]


def tree(child: Tree | Leaf) -> Tree:
    """Return a child that is a constituent by the grammar."""
    assert isinstance(child, Tree)
    return child


def leaf(child: Tree | Leaf) -> Leaf:
    """Return a child that is a word by the grammar."""
    assert isinstance(child, Leaf)
    return child
