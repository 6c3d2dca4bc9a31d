"""Facts that a bracketed tree in the Penn Treebank's style gives about its sentence.

Constituents and tags are those of Bies et al. (1995), "Bracketing Guidelines for Treebank II Style".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from probing.datasets.treebank.facts import Clauses, Marked, is_punctuation
from probing.datasets.treebank.sentence import Phrase, Sentence

TENSE_OF = {"VBD": "past", "VBP": "present", "VBZ": "present"}
NUMBER_OF = {"NN": "singular", "NNS": "plural"}
NOUNS = ("NN", "NNS", "NNP", "NNPS")
FINITE = (*TENSE_OF, "MD")
_LABEL = re.compile(r"[^-=|]+")


def depth(sentence: Sentence) -> int | None:
    """Return the number of levels from the topmost constituent down to the tags, both included."""
    return None if sentence.tree is None else _levels(sentence.tree)


def top_constituents(sentence: Sentence) -> str | None:
    """Return the labels of the constituents below the topmost one, as in SentEval: `ADVP_NP_VP_.`.

    Sentences that do not end in punctuation, or have other punctuation on this level, have no answer.
    """
    if sentence.tree is None:
        return None
    children = sentence.tree.children
    marks = [isinstance(c, int) and is_punctuation(sentence.words[c].form) for c in children]
    if marks.count(True) != 1 or not marks[-1]:
        return None
    return "_".join(_tag(sentence, c) if isinstance(c, int) else plain(c) for c in children)


def tense(sentence: Sentence) -> Marked | None:
    """Return the main clause's finite verb, or auxiliary, with its tense; None after a modal."""
    phrase = _predicate(sentence.tree)
    if phrase is None:
        return None
    verb = next((c for c in phrase.children if isinstance(c, int) and _tag(sentence, c) in FINITE), None)
    label = None if verb is None else TENSE_OF.get(_tag(sentence, verb))
    return None if verb is None or label is None else Marked(verb, label)


def subject(sentence: Sentence) -> Marked | None:
    """Return the noun that heads the main clause's subject, with its number."""
    if sentence.tree is None or _predicate(sentence.tree) is None:
        return None
    found = [child for child in _phrases(sentence.tree) if is_subject(child)]
    return _noun(sentence, found[0]) if len(found) == 1 else None


def direct_object(sentence: Sentence) -> Marked | None:
    """Return the noun that heads the main verb's direct object, the last of two, with its number."""
    phrase = _predicate(sentence.tree)
    while phrase is not None:
        inner = [child for child in _phrases(phrase) if plain(child) == "VP"]
        if not inner:
            break
        phrase = inner[0] if len(inner) == 1 else None
    if phrase is None:
        return None
    found = [child for child in _phrases(phrase) if plain(child) == "NP" and not functions(child)]
    return _noun(sentence, found[-1]) if found else None


def clauses(sentence: Sentence) -> Clauses | None:
    """Return the two coordinate main clauses of a sentence: `S CC S` with a subject in each S."""
    if sentence.tree is None:
        return None
    links = [place for place, word in enumerate(sentence.words) if word.xpos == "CC"]
    parts = list(_phrases(sentence.tree))
    if len(links) != 1 or links[0] not in sentence.tree.children or len(parts) != 2:
        return None
    for part in parts:
        if _predicate(part) is None or not any(map(is_subject, _phrases(part))):
            return None
    return Clauses.around(sentence, links[0], list(leaves(parts[1])))


def plain(phrase: Phrase) -> str:
    """Return a constituent's label without its function tags: NP for NP-SBJ-1."""
    found = _LABEL.match(phrase.label)
    return found[0] if found else phrase.label


def functions(phrase: Phrase) -> list[str]:
    """Return a constituent's function tags: SBJ for NP-SBJ-1."""
    return [part for part in _LABEL.findall(phrase.label)[1:] if not part.isdigit()]


def is_subject(phrase: Phrase) -> bool:
    """Return whether a constituent is a noun phrase tagged as subject."""
    return plain(phrase) == "NP" and "SBJ" in functions(phrase)


def leaves(phrase: Phrase) -> Iterator[int]:
    """Yield the places of all words of a constituent."""
    for child in phrase.children:
        if isinstance(child, int):
            yield child
        else:
            yield from leaves(child)


def _levels(node: Phrase | int) -> int:
    return 1 if isinstance(node, int) else 1 + max(_levels(child) for child in node.children)


def _tag(sentence: Sentence, word: int) -> str:
    return sentence.words[word].xpos


def _phrases(node: Phrase) -> Iterator[Phrase]:
    return (child for child in node.children if isinstance(child, Phrase))


def _predicate(node: Phrase | None) -> Phrase | None:
    """Return the verb phrase of a clause if it is a declarative clause with a single verb phrase."""
    if node is None or plain(node) != "S":
        return None
    found = [child for child in _phrases(node) if plain(child) == "VP"]
    return found[0] if len(found) == 1 else None


def _noun(sentence: Sentence, phrase: Phrase) -> Marked | None:
    """Return the common noun that heads a noun phrase; None for a coordination, a name or a pronoun."""
    if any(isinstance(child, int) and _tag(sentence, child) == "CC" for child in phrase.children):
        return None
    inner = phrase.children[0]
    if isinstance(inner, Phrase) and plain(inner) == "NP" and isinstance(phrase.children[-1], Phrase):
        return _noun(sentence, inner)
    nouns = [child for child in phrase.children if isinstance(child, int) and _tag(sentence, child) in NOUNS]
    label = NUMBER_OF.get(_tag(sentence, nouns[-1])) if nouns else None
    return None if label is None else Marked(nouns[-1], label)
