"""Detection of swapped coordinate clauses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from probing.datasets.treebank.facts import Clauses
from probing.datasets.treebank.pool import QUOTES, Pool, SentenceExample
from probing.datasets.treebank.properties.property import Property, alternate
from probing.datasets.treebank.sentence import Sentence
from probing.datasets.treebank.tree_facts import clauses

# paired marks that a swap could separate
PAIRED = QUOTES | frozenset("()[]")
CLASSES = ("original", "inverted")
# tags of the Penn Treebank
NAMES = ("NNP", "NNPS")


def examples(pool: Pool) -> Iterator[SentenceExample]:
    """Yield originals, or sentences with their two clauses swapped.

    As in SentEval, both classes have equal numbers of sentences whose first clause, as shown, is longer than,
    shorter than, or as long as the second. Sentences with quotes or brackets are left out.
    """
    casing = Casing(pool.treebank)
    pairs = list(_pairs(pool, casing))
    # neighbours alternate, so that both classes get the same lengths
    pairs.sort(key=lambda pair: (len(pair[0].sentence.tokens), pair[0].order))
    return alternate(pairs, pool)


def _pairs(pool: Pool, casing: Casing) -> Iterator[tuple[SentenceExample, SentenceExample]]:
    for item in pool.items:
        found = clauses(item.sentence) if PAIRED.isdisjoint(item.sentence.tokens) else None
        if found:
            first, second = found.lengths
            tokens, spaces = invert(item.sentence, found, casing)
            longer = (first > second) - (first < second)
            altered = item.altered(tokens, spaces, pool.style, CLASSES[1], -longer)
            yield item.example(CLASSES[0], longer), altered


def invert(sentence: Sentence, found: Clauses, casing: Casing) -> tuple[list[str], list[bool]]:
    """Return tokens and spaces with the clauses swapped; the conjunction and punctuation keep their places.

    The new first word is capitalised if the old one was, and the old one is written as within a sentence.
    """
    order = [
        *range(found.link + 1, found.end),
        *range(found.first, found.link + 1),
        *range(found.first),
        *range(found.end, len(sentence.tokens)),
    ]
    tokens = [sentence.tokens[place] for place in order]
    spaces = [sentence.spaces[place] for place in order]
    # what follows a clause decides whether there is a space
    second, first = found.end - found.link - 2, found.end - 1
    spaces[second], spaces[first] = sentence.spaces[found.first - 1], sentence.spaces[found.end - 1]
    if sentence.tokens[0][:1].isupper():
        start = second + 1 + found.link + 1 - found.first
        tokens[start] = casing.inside(sentence)
        tokens[0] = tokens[0][:1].upper() + tokens[0][1:]
    return tokens, spaces


class Casing:
    """Spelling of a treebank's words in places other than the start of a sentence."""

    def __init__(self, treebank: Iterable[Sentence]) -> None:
        """Count all words except the first of each sentence."""
        self._counts = Counter(token for sentence in treebank for token in sentence.tokens[1:])

    def inside(self, sentence: Sentence) -> str:
        """Return the first word of a sentence as it is usually written elsewhere.

        Names, `I` and words in capitals keep their capitals. If both spellings of another word are equally
        frequent, the lemma decides.
        """
        token, word = sentence.tokens[0], sentence.words[0]
        if word.upos == "PROPN" or word.xpos in NAMES or token[1:] != token[1:].lower():
            return token
        lower = token[0].lower() + token[1:]
        more = self._counts[token] - self._counts[lower]
        return token if more > 0 or (not more and word.lemma[:1].isupper()) else lower


COORDINATION_INVERSION = Property(examples, CLASSES, ("UPOS", "HEAD", "DEPREL"))
