"""Targets of a word, or of a word and its head: one example for each unit of written text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from probing.datasets.treebank.facts import is_punctuation
from probing.datasets.treebank.sentence import Sentence, Word
from probing.datasets.treebank.words.draws_of_words import Passage

# the labels of each token (with None) or pair of tokens
Found = dict[tuple[int, int | None], set[str]]


@dataclass(frozen=True, slots=True)
class Example:
    """A word, or a pair of words, with its target.

    Attributes:
        sentence: Where it occurs.
        first: Place of the token that it is about; of a dependent and its head the dependent's.
        second: Place of the other token of a pair, or None.
        label: The class by name.
    """

    sentence: Sentence
    first: int
    second: int | None
    label: str


def narrow(
    passages: Sequence[Passage], seen: frozenset[str], left_out: Counter[str], *, punctuation: bool
) -> tuple[Passage, ...]:
    """Take away punctuation, and words whose form is among `seen`.

    Args:
        passages: Of one split.
        seen: Forms in lower case that nothing is asked about; they may still be heads.
        left_out: How much is left out, by the reason; added to.
        punctuation: Whether it stays.
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
) -> Iterator[Example]:
    """One example for each word that has a label.

    Words of a multiword token share its span, hence its vector: one example if those of them that have a
    label agree, none otherwise.

    Args:
        passages: Where to look.
        label: Of a word; "" where it has none.
        left_out: As of `narrow`.
    """
    for passage in passages:
        found: Found = {(token, None): set() for token in sorted(passage.asked)}
        for word in passage.sentence.words:
            if word.token in passage.asked and label(word):
                found[word.token, None].add(label(word))
        left_out["words have no label"] += sum(not labels for labels in found.values())
        yield from _agreed(passage.sentence, found, left_out)


def relation_examples(
    passages: Sequence[Passage], left_out: Counter[str], *, subtypes: bool
) -> Iterator[Example]:
    """The relation of each word to its head; the root has none, nor have words of one token.

    Args:
        passages: Where to look; both words must be there.
        left_out: As of `narrow`.
        subtypes: Whether `nsubj:pass` stays apart from `nsubj`.
    """
    for passage in passages:
        words = passage.sentence.words
        found: Found = {}
        for word in words:
            head = governor(passage, word, left_out)
            if head is not None and word.deprel:
                relation = word.deprel if subtypes else word.deprel.partition(":")[0]
                found.setdefault((word.token, head), set()).add(relation)
        yield from _agreed(passage.sentence, found, left_out)


def governor(passage: Passage, word: Word, left_out: Counter[str]) -> int | None:
    """The token that a word's head is written in, if that pair can be asked about.

    Args:
        passage: Where the word occurs.
        word: The dependent.
        left_out: As of `narrow`.
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


def _agreed(sentence: Sentence, found: Found, left_out: Counter[str]) -> Iterator[Example]:
    """The units that have one label."""
    for (first, second), labels in found.items():
        if len(labels) == 1:
            yield Example(sentence, first, second, *labels)
        left_out["tokens hold words of different labels"] += len(labels) > 1


def _marks(sentence: Sentence) -> frozenset[int]:
    """Tokens that are punctuation: by their part of speech, or where there is none by their characters."""
    kept = {
        word.token
        for word in sentence.words
        if (word.upos != "PUNCT" if word.upos else not is_punctuation(word.form))
    }
    return frozenset(range(len(sentence.tokens))) - kept
