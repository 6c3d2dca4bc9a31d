"""Whether one word governs another, asked so that neither the sentence nor the distance tells."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from probing.datasets.treebank.held_out import key_of, stable_number
from probing.datasets.treebank.sentence import Sentence
from probing.datasets.treebank.words.draws_of_words import Passage
from probing.datasets.treebank.words.targets import Example, governor

NO, YES = "no", "yes"
Pair = tuple[int, int]


def governs_examples(passages: Sequence[Passage], seed: int, left_out: Counter[str]) -> Iterator[Example]:
    """Pairs of words of which the second governs the first, and as many of which it does not.

    Each pair (dependent, head) is matched with a pair of the same sentence whose second word lies as far
    from the first, in tokens, and to the same side, but does not govern it. Of these negatives up to a half,
    for each sentence and distance, are a head and its dependent, so that to see that two words are related
    is not enough; in the others neither word governs the other. Whatever depends on the sentence and the
    distance alone is hence as frequent with either answer. A pair that finds no match is left out, and so
    is one within a multiword token.

    Args:
        passages: Where to look; both words must be there.
        seed: Of the choice among pairs.
        left_out: How much is left out, by the reason; added to.
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
            yield Example(passage.sentence, first, second, label)


def _matched(passage: Passage, governed: set[Pair], seed: int) -> dict[Pair, str]:
    """Equally many pairs of both answers at every distance."""
    key = key_of(passage.sentence)
    related = _related(passage.sentence)
    positives: dict[int, list[Pair]] = defaultdict(list)
    for first, second in governed:
        positives[second - first].append((first, second))
    chosen: dict[Pair, str] = {}
    for distance, found in positives.items():
        groups = (found, *_negatives(passage, distance, related))
        yes, turned, apart = (
            sorted(group, key=lambda pair: stable_number(seed, f"{pair}", key)) for group in groups
        )
        size = min(len(yes), len(turned) + len(apart))
        # half of the negatives, and more where there are too few others
        n_turned = max(min(len(turned), (size + 1) // 2), size - len(apart))
        chosen |= dict.fromkeys(yes[:size], YES)
        chosen |= dict.fromkeys(turned[:n_turned] + apart[: size - n_turned], NO)
    return chosen


def _negatives(passage: Passage, distance: int, related: set[Pair]) -> tuple[list[Pair], list[Pair]]:
    """Pairs at a distance whose second word does not govern the first: head and dependent, and the rest."""
    turned: list[Pair] = []
    apart: list[Pair] = []
    for first in passage.asked:
        pair = first, first + distance
        if pair[1] in passage.tokens and pair not in related:
            (turned if pair[::-1] in related else apart).append(pair)
    return turned, apart


def _related(sentence: Sentence) -> set[Pair]:
    """All tokens with the tokens that govern them."""
    words = sentence.words
    heads = ((word.token, word.head) for word in words)
    return {(token, words[head].token) for token, head in heads if head is not None and head >= 0}
