"""Samples of the grammar: trees without words but with all features."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from random import Random
from typing import NamedTuple

from probing.datasets.grammar.rules import PARENTS, Rule, Symbol, rules_of
from probing.datasets.grammar.tree import Leaf, Tree

RICHNESS = (0.2, 0.4, 0.7, 1.2, 2.4)
DAMPING = 0.75
FINITE = {"past": ("VBD", "VBD"), "present": ("VBZ", "VBP")}


class ConstituentFeatures(NamedTuple):
    """Features of a constituent; see `rules`."""

    number: str
    tense: str
    form: str
    shared: str


def sample(rng: Random, root: str = "ROOT", richness: Sequence[float] = RICHNESS) -> Tree:
    """Draw one skeleton; some are drawn rich in nested constituents and others poor."""
    rich = richness[int(rng.random() * len(richness))]
    features = ConstituentFeatures(any_number(rng), any_tense(rng), "finite", any_number(rng))
    return expand(root, root, "", features, rng, rich)


def expand(
    name: str, label: str, role: str, features: ConstituentFeatures, rng: Random, richness: float
) -> Tree:
    """Draw the expansion of a symbol."""
    rule = choose(name, features.number, richness, rng)
    inner = richness * DAMPING
    children: list[Tree | Leaf] = []
    for symbol in rule.children:
        if symbol.name in PARENTS:
            passed = inherit(symbol, features, rng)
            children.append(expand(symbol.name, symbol.label, symbol.role, passed, rng, inner))
        else:
            children.append(empty(tag_of(symbol, features), symbol.name))
    only = children[0]
    if len(children) == 1 and isinstance(only, Tree) and only.label == label:
        return Tree(label, role, only.children)
    return Tree("S" if label in ("ROOT", "PAIR") else label, role, tuple(children))


def choose(name: str, number: str, richness: float, rng: Random) -> Rule:
    """Draw a rule by weight."""
    rules, cumulative = weighted(name, number, richness)
    return rules[bisect(cumulative, rng.random() * cumulative[-1], hi=len(rules) - 1)]


@cache
def weighted(name: str, number: str, richness: float) -> tuple[tuple[Rule, ...], list[float]]:
    """Return the rules of a symbol with their cumulative weights."""
    rules = rules_of(name, number)
    return rules, list(accumulate(rule.weight * (richness if rule.grows else 1.0) for rule in rules))


def inherit(symbol: Symbol, parent: ConstituentFeatures, rng: Random) -> ConstituentFeatures:
    """Return the features of a child."""
    how = symbol.inherits
    if how == "=":
        return parent
    if how == "#":
        return ConstituentFeatures(parent.number, any_tense(rng), "finite", parent.shared)
    if how == "~":
        return ConstituentFeatures(any_number(rng), parent.tense, "finite", parent.shared)
    if how == "$":
        return ConstituentFeatures(parent.shared, parent.tense, parent.form, parent.shared)
    if how:
        return ConstituentFeatures(parent.number, parent.tense, how[1:], parent.shared)
    return ConstituentFeatures(any_number(rng), any_tense(rng), "finite", parent.shared)


@cache
def empty(tag: str, slot: str) -> Leaf:
    """Return a leaf without a word; equal leaves are the same object."""
    return Leaf(tag, slot)


def tag_of(symbol: Symbol, parent: ConstituentFeatures) -> str:
    """Return the Penn tag of a terminal, whose features are its parent's."""
    if symbol.label == "N":
        return "NN" if parent.number == "sg" else "NNS"
    if symbol.label != "V":
        return symbol.label
    if parent.form == "finite":
        return FINITE[parent.tense][parent.number == "pl"]
    return "VB" if parent.form == "base" else "VBG"


def any_number(rng: Random) -> str:
    """Draw a number."""
    return "sg" if rng.random() < 0.5 else "pl"


def any_tense(rng: Random) -> str:
    """Draw a tense."""
    return "past" if rng.random() < 0.5 else "present"
