"""Facts read from the gold tree: main verb, subject, object, top constituents."""

from __future__ import annotations

from probing.datasets.grammar.tree import PUNCTUATION, Leaf, Tree

NUMBERS = {"NN": "singular", "NNS": "plural"}
TENSES = {"VBD": "past", "VBZ": "present", "VBP": "present"}


def top_constituents(tree: Tree) -> str:
    """Return the labels of the constituents below the root, `PP_NP_VP`, without punctuation."""
    labels = [child.tag if isinstance(child, Leaf) else child.label for child in tree.children]
    return "_".join(label for label in labels if label not in PUNCTUATION)


def main_verb(tree: Tree) -> Leaf | None:
    """Return the verb of the main clause; None if there is more than one main clause or verb."""
    phrase = tree.first("VP")
    if phrase is None or not isinstance(phrase.children[0], Leaf):
        return None
    return phrase.children[0]


def subject(tree: Tree) -> Leaf | None:
    """Return the noun that heads the main clause's subject; None for names, pronouns and coordinations."""
    phrase = tree.first("NP")
    return head_noun(phrase) if phrase else None


def direct_object(tree: Tree) -> Leaf | None:
    """Return the noun that heads the main verb's direct object; None in the same cases as `subject`."""
    verb = main_verb(tree)
    phrase = tree.first("VP")
    if verb is None or phrase is None or verb.slot != "V.tr":
        return None
    found = phrase.first("NP")
    return head_noun(found) if found else None


def head_noun(phrase: Tree) -> Leaf | None:
    """Return the noun that heads a noun phrase."""
    last = phrase.children[-1]
    if isinstance(last, Leaf):
        return last if last.slot.startswith("N") and last.tag in NUMBERS else None
    first = phrase.children[0]
    joined = any(isinstance(child, Leaf) and child.tag == "CC" for child in phrase.children)
    return head_noun(first) if isinstance(first, Tree) and not joined else None
