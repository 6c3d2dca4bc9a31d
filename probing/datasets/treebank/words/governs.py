"""Pairs of words, the second governing the first or not; sentence and distance do not give it away."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from probing.datasets.treebank.held_out import key_of, stable_number
from probing.datasets.treebank.sentence import Sentence
from probing.datasets.treebank.words.draws_of_words import Passage
from probing.datasets.treebank.words.targets import WordExample, governor

NO, YES = "no", "yes"
WordPair = tuple[int, int]


def governs_examples(passages: Sequence[Passage], seed: int, left_out: Counter[str]) -> Iterator[WordExample]:
    """Yield pairs of words whose second word governs the first, and as many where it does not.

    Each pair (dependent, head) is matched with a pair of the same sentence whose second word is at the same
    distance from the first, in tokens and on the same side, but does not govern it. Up to half of these
    negatives, for each sentence and distance, are a head and its dependent, so that it is not enough to see
    that two words are related. In the others neither word governs the other. Therefore anything that
    depends only on the sentence and the distance is equally frequent with both answers. Pairs without a
    match and pairs within a multiword token are left out.

    Args:
        passages: Passages that must contain both words.
        seed: Seed of the choice among pairs.
        left_out: Counts of what is left out, by reason; updated in place.
    """
    for passage in passages:
        governed = {
            (word.token, head)
            for word in passage.sentence.words
            if (head := governor(passage, word, left_out)) is not None
        }
        chosen = _matched(passage, governed, seed)
        left_out["pairs have no match at their distance"] += len(governed) - len(chosen) // 2
        for (first, second), label in sorted(chosen.items()):
            yield WordExample(passage.sentence, first, second, label)


def _matched(passage: Passage, governed: set[WordPair], seed: int) -> dict[WordPair, str]:
    """Return equal numbers of pairs with either answer at every distance."""
    key = key_of(passage.sentence)
    related = _related(passage.sentence)
    positives: dict[int, list[WordPair]] = defaultdict(list)
    for first, second in governed:
        positives[second - first].append((first, second))
    chosen: dict[WordPair, str] = {}
    for distance, found in positives.items():
        groups = (found, *_negatives(passage, distance, related))
        yes, turned, apart = (
            sorted(group, key=lambda pair: stable_number(seed, f"{pair}", key)) for group in groups
        )
        size = min(len(yes), len(turned) + len(apart))
        # half of the negatives, or more if there are too few others
        n_turned = max(min(len(turned), (size + 1) // 2), size - len(apart))
        chosen |= dict.fromkeys(yes[:size], YES)
        chosen |= dict.fromkeys(turned[:n_turned] + apart[: size - n_turned], NO)
    return chosen


def _negatives(
    passage: Passage, distance: int, related: set[WordPair]
) -> tuple[list[WordPair], list[WordPair]]:
    """Return pairs at a distance whose second word does not govern the first: the reversed and the others."""
    turned: list[WordPair] = []
    apart: list[WordPair] = []
    for first in passage.asked:
        pair = first, first + distance
        if pair[1] in passage.tokens and pair not in related:
            (turned if pair[::-1] in related else apart).append(pair)
    return turned, apart


def _related(sentence: Sentence) -> set[WordPair]:
    """Return all pairs of a token and a token that governs it."""
    words = sentence.words
    heads = ((word.token, word.head) for word in words)
    return {(token, words[head].token) for token, head in heads if head is not None and head >= 0}
