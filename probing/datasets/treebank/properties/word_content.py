"""The one of several words that the sentence contains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

from probing.datasets.treebank.facts import is_punctuation
from probing.datasets.treebank.pool import ANY, Pool, SentenceExample
from probing.datasets.treebank.properties.property import Property
from probing.errors import ProbingError

# maximum number of sentences of a target, in multiples of what each class needs
BAND = 2
MOST = 1000
# by word, the numbers of the sentences that contain it, and how often
Places = dict[str, list[tuple[int, int]]]


def examples(pool: Pool) -> Iterator[SentenceExample]:
    """Yield sentences that contain exactly one target word, once.

    SentEval's targets are 1000 words of medium frequency with at least four characters. Here the candidates
    are words that are in at least `per_class` sentences, and in at most twice as many. As many of them are
    targets as leave each other enough sentences. All files are pooled, and splits are made again, 8:1:1.
    """
    where = _places(pool)
    band = range(pool.per_class, BAND * pool.per_class + 1)
    middling = sorted((word for word in where if len(where[word]) in band), key=lambda w: (len(where[w]), w))
    found = exclusive({word: where[word] for word in middling[:MOST]}, pool.per_class)
    if len(found) < 2:
        raise ProbingError(
            f"{pool.title}: only {len(found)} of {len(middling)} words that are in {band[0]} to {band[-1]} "
            f"sentences are the only target in task.per_class={pool.per_class} of them; lower it or "
            "task.shortest_word, or give a larger treebank"
        )
    for word, numbers in found.items():
        for number in numbers:
            yield replace(pool.items[number].example(word), split=ANY)


def exclusive(where: Mapping[str, list[tuple[int, int]]], least: int) -> dict[str, list[int]]:
    """Drop words one by one until each remaining word is, once, the only one in enough sentences.

    Args:
        where: Sentences that contain each word, and how often.
        least: Minimum number of sentences.

    Returns:
        By word, the sentences in which it is the only one, in order.
    """
    inside: dict[int, dict[str, int]] = {}
    for word, places in where.items():
        for number, times in places:
            inside.setdefault(number, {})[word] = times
    alone = Counter(dict.fromkeys(where, 0))
    alone.update(word for words in inside.values() for word in _only(words))
    while alone:
        # among the words with the fewest sentences, the one that costs the others the most
        word = min(alone, key=lambda w: (alone[w], -len(where[w]), w))
        if alone[word] >= least:
            break
        del alone[word]
        for number, _ in where[word]:
            del inside[number][word]
            alone.update(_only(inside[number]))
    kept: dict[str, list[int]] = {word: [] for word in alone}
    for number in sorted(inside):
        for word in _only(inside[number]):
            kept[word].append(number)
    return kept


def _only(words: Mapping[str, int]) -> list[str]:
    """Return the only word of a sentence if it occurs once; otherwise nothing."""
    return [word for word, times in words.items() if times == 1] if len(words) == 1 else []


def _places(pool: Pool) -> Places:
    where: Places = {}
    for number, item in enumerate(pool.items):
        for word, times in Counter(token.lower() for token in item.sentence.tokens).items():
            if len(word) >= pool.shortest_word and not is_punctuation(word):
                where.setdefault(word, []).append((number, times))
    return {word: places for word, places in where.items() if not any(map(str.isdigit, word))}


WORD_CONTENT = Property(examples, pools=True)
