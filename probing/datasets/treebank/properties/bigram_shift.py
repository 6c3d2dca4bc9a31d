"""Detection of two swapped adjacent words."""

from __future__ import annotations

from collections.abc import Iterator

from probing.datasets.treebank.facts import is_punctuation
from probing.datasets.treebank.pool import QUOTES, Pool, SentenceExample
from probing.datasets.treebank.properties.property import Property, alternate
from probing.datasets.treebank.sentence import Sentence

CLASSES = ("original", "shifted")


def examples(pool: Pool) -> Iterator[SentenceExample]:
    """Yield originals and swaps of two adjacent tokens; sentences without a possible swap are left out."""
    return alternate(_pairs(pool), pool)


def _pairs(pool: Pool) -> Iterator[tuple[SentenceExample, SentenceExample]]:
    for item in pool.items:
        places = swaps(item.sentence)
        if places:
            tokens = list(item.sentence.tokens)
            # the order number is as good as random
            place = places[item.order % len(places)]
            tokens[place : place + 2] = tokens[place + 1], tokens[place]
            key = item.length
            altered = item.altered(tokens, item.sentence.spaces, pool.style, CLASSES[1], key)
            yield item.example(CLASSES[0], key), altered


def swaps(sentence: Sentence) -> list[int]:
    """Return the places of tokens that may be swapped with the next one.

    As in SentEval, the first token and punctuation keep their places, and sentences with quotes are left
    out. The two tokens must be different and separated by a space.
    """
    tokens = sentence.tokens
    if not QUOTES.isdisjoint(tokens):
        return []
    # scripts without spaces cannot require one
    apart = sentence.spaces if any(sentence.spaces[:-1]) else [True] * len(tokens)
    still = [not place or is_punctuation(token) for place, token in enumerate(tokens)]
    return [
        place
        for place in range(1, len(tokens) - 1)
        if apart[place]
        and not (still[place] or still[place + 1])
        and tokens[place].lower() != tokens[place + 1].lower()
    ]


BIGRAM_SHIFT = Property(examples, CLASSES)
