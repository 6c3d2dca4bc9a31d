"""Facts that a dependency tree gives about its sentence: depth, main verb, subject, object, clauses."""

from __future__ import annotations

from collections.abc import Sequence

from probing.datasets.treebank.facts import Clauses, Marked
from probing.datasets.treebank.sentence import Sentence, Word

TENSE_OF = {"Past": "past", "Pres": "present"}
NUMBER_OF = {"Sing": "singular", "Plur": "plural"}
SUBJECTS = ("nsubj", "csubj", "expl")
AUXILIARIES = ("aux", "cop")


def heads_of(sentence: Sentence) -> list[int]:
    """Return the place of each word's governor, -1 for the root; empty if the treebank has no heads."""
    return [word.head for word in sentence.words if word.head is not None]


def depth(sentence: Sentence) -> int | None:
    """Return the number of words on the longest path down from the root, the root included."""
    heads = heads_of(sentence)
    levels = [0] * len(heads)
    for start in range(len(heads)):
        trail = []
        at = start
        while at >= 0 and not levels[at]:
            trail.append(at)
            at = heads[at]
        level = levels[at] if at >= 0 else 0
        for above, word in enumerate(reversed(trail), start=1):
            levels[word] = level + above
    return max(levels, default=None)


def top_constituents(sentence: Sentence) -> str | None:
    """Return the relations of the root's dependents in order, with the root as its part of speech.

    An example is `nsubj_VERB_obj`. Subtypes of relations and punctuation are left out.
    """
    root = root_of(sentence)
    if root is None:
        return None
    heads = heads_of(sentence)
    parts = [
        (word.upos or "ROOT") if place == root else relation(word)
        for place, word in enumerate(sentence.words)
        if place == root or (heads[place] == root and relation(word) != "punct")
    ]
    return "_".join(parts)


def tense(sentence: Sentence) -> Marked | None:
    """Return the main clause's finite verb, auxiliary or copula, with its tense, past or present."""
    root = root_of(sentence)
    if root is None:
        return None
    words = sentence.words
    if not _finite(words[root]):
        # the first finite one: in `would have gone` it is `would`, which has no tense
        helpers = dependents(sentence, root, AUXILIARIES)
        root = next((place for place in helpers if _finite(words[place])), root)
    label = TENSE_OF.get(words[root].feats.get("Tense", "")) if _tensed(words[root]) else None
    return None if label is None else Marked(root, label)


def subject(sentence: Sentence) -> Marked | None:
    """Return the noun that is the root's subject, with its number."""
    return _noun(sentence, "nsubj")


def direct_object(sentence: Sentence) -> Marked | None:
    """Return the noun that is the root's object, with its number."""
    return _noun(sentence, "obj")


def clauses(sentence: Sentence) -> Clauses | None:
    """Return the two coordinate main clauses of a sentence, each with its own subject."""
    root = root_of(sentence)
    links = [place for place, word in enumerate(sentence.words) if word.upos == "CCONJ"]
    if root is None or len(links) != 1:
        return None
    link = links[0]
    second = heads_of(sentence)[link]
    words = sentence.words
    if dependents(sentence, root, ("conj",)) != [second] or relation(words[link]) != "cc":
        return None
    if not (dependents(sentence, root, SUBJECTS) and dependents(sentence, second, SUBJECTS)):
        return None
    return Clauses.around(sentence, link, _below(sentence, second))


def relation(word: Word) -> str:
    """Return the universal relation, without its subtype."""
    return word.deprel.partition(":")[0]


def root_of(sentence: Sentence) -> int | None:
    """Return the place of the root; None if the treebank has no heads."""
    return next((place for place, word in enumerate(sentence.words) if word.head == -1), None)


def dependents(sentence: Sentence, head: int, relations: Sequence[str]) -> list[int]:
    """Return the places of a word's dependents that have one of some relations, in order."""
    return [
        place
        for place, word in enumerate(sentence.words)
        if word.head == head and relation(word) in relations
    ]


def _finite(word: Word) -> bool:
    return word.feats.get("VerbForm") == "Fin"


def _tensed(word: Word) -> bool:
    """Return whether a verb carries the clause's tense: finite, or an active participle as in Czech."""
    form = word.feats.get("VerbForm", "Fin")
    return form == "Fin" or (form == "Part" and word.feats.get("Voice") == "Act")


def _noun(sentence: Sentence, wanted: str) -> Marked | None:
    root = root_of(sentence)
    found = [] if root is None else dependents(sentence, root, (wanted,))
    if len(found) != 1:
        return None
    word = sentence.words[found[0]]
    label = NUMBER_OF.get(word.feats.get("Number", "")) if word.upos == "NOUN" else None
    joined = dependents(sentence, found[0], ("conj",))
    return None if label is None or joined else Marked(found[0], label)


def _below(sentence: Sentence, top: int) -> set[int]:
    """Return the places of a word and of all words that it governs, directly or not."""
    heads = heads_of(sentence)
    inside = {top}
    grown = True
    while grown:
        more = {place for place, head in enumerate(heads) if head in inside} - inside
        inside |= more
        grown = bool(more)
    return inside
