"""Targets of a word, or of a word and its head, with one example for each unit of written text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from probing.datasets.treebank.facts import is_punctuation
from probing.datasets.treebank.sentence import Sentence, Word
from probing.datasets.treebank.words.draws_of_words import Passage

# the labels of each token (with None) or pair of tokens
TargetsByWord = dict[tuple[int, int | None], set[str]]


@dataclass(frozen=True, slots=True)
class WordExample:
    """A word, or a pair of words, with its target.

    Attributes:
        sentence: The sentence where it occurs.
        first: Place of the token that it is about; for a dependent and its head, that of the dependent.
        second: Place of the other token of a pair, or None.
        label: Name of the class.
    """

    sentence: Sentence
    first: int
    second: int | None
    label: str


def narrow(
    passages: Sequence[Passage], seen: frozenset[str], left_out: Counter[str], *, punctuation: bool
) -> tuple[Passage, ...]:
    """Remove punctuation, and words whose form is among `seen`.

    Args:
        passages: Passages of one split.
        seen: Forms in lower case that no example is about; they may still be heads.
        left_out: Counts of what is left out, by reason; updated in place.
        punctuation: Whether to keep punctuation.
    """
    narrowed = []
    for passage in passages:
        marks = frozenset[int]() if punctuation else _marks(passage.sentence) & passage.tokens
        tokens = passage.tokens - marks
        asked = frozenset(t for t in tokens if passage.sentence.tokens[t].lower() not in seen)
        left_out["words are punctuation"] += len(marks)
        left_out["words have a form that train has"] += len(tokens) - len(asked)
        narrowed.append(Passage(passage.sentence, tokens, asked))
    return tuple(narrowed)


def word_examples(
    passages: Sequence[Passage], label: Callable[[Word], str], left_out: Counter[str]
) -> Iterator[WordExample]:
    """Yield one example for each word that has a label.

    Words of a multiword token share its span and therefore its vector. They give one example if those of
    them that have a label agree, and none otherwise.

    Args:
        passages: Passages to take words from.
        label: Function that returns the label of a word; "" if it has none.
        left_out: See `narrow`.
    """
    for passage in passages:
        found: TargetsByWord = {(token, None): set() for token in sorted(passage.asked)}
        for word in passage.sentence.words:
            if word.token in passage.asked and label(word):
                found[word.token, None].add(label(word))
        left_out["words have no label"] += sum(not labels for labels in found.values())
        yield from _agreed(passage.sentence, found, left_out)


def relation_examples(
    passages: Sequence[Passage], left_out: Counter[str], *, subtypes: bool
) -> Iterator[WordExample]:
    """Yield the relation of each word to its head; roots and words in the same token as their head have none.

    Args:
        passages: Passages that must contain both words.
        left_out: See `narrow`.
        subtypes: Whether to distinguish `nsubj:pass` from `nsubj`.
    """
    for passage in passages:
        words = passage.sentence.words
        found: TargetsByWord = {}
        for word in words:
            head = governor(passage, word, left_out)
            if head is not None and word.deprel:
                relation = word.deprel if subtypes else word.deprel.partition(":")[0]
                found.setdefault((word.token, head), set()).add(relation)
        yield from _agreed(passage.sentence, found, left_out)


def governor(passage: Passage, word: Word, left_out: Counter[str]) -> int | None:
    """Return the token that contains a word's head, if the pair can be an example.

    Args:
        passage: The passage where the word occurs.
        word: The dependent.
        left_out: See `narrow`.
    """
    if word.token not in passage.asked:
        return None
    if word.head is None or word.head < 0:
        left_out["words are roots"] += 1
        return None
    head = passage.sentence.words[word.head].token
    if head == word.token:
        left_out["words share a token with their head"] += 1
        return None
    return head if head in passage.tokens else None


def _agreed(sentence: Sentence, found: TargetsByWord, left_out: Counter[str]) -> Iterator[WordExample]:
    """Yield the units that have exactly one label."""
    for (first, second), labels in found.items():
        if len(labels) == 1:
            yield WordExample(sentence, first, second, *labels)
        left_out["tokens contain words with different labels"] += len(labels) > 1


def _marks(sentence: Sentence) -> frozenset[int]:
    """Return tokens that are punctuation, by their part of speech or, if there is none, their characters."""
    kept = {
        word.token
        for word in sentence.words
        if (word.upos != "PUNCT" if word.upos else not is_punctuation(word.form))
    }
    return frozenset(range(len(sentence.tokens))) - kept
