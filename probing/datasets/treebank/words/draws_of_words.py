"""Which words are asked about: the same ones, of the same sentences, whatever the question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from probing.datasets.treebank.held_out import key_of, split_sentences, stable_number
from probing.datasets.treebank.sentence import Sentence


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence with those of its tokens that are asked about.

    Attributes:
        sentence: The whole sentence; it is what the model reads.
        tokens: Places of the tokens that may take part in an example.
        asked: Those of them that an example may be about; of a pair, that may be its first word.
    """

    sentence: Sentence
    tokens: frozenset[int]
    asked: frozenset[int]


def draw_words(
    sentences: Sequence[Sentence], sizes: Mapping[str, int], seed: int
) -> dict[str, tuple[Passage, ...]]:
    """Take words sentence by sentence, in an order that depends on the sentences and the seed only.

    A smaller size gives the first words of a larger one, and every task of one treebank gets the same words.

    Args:
        sentences: The treebank. Of equal ones (spaces apart) one is kept: that of test before that of dev
            before that of train, so that a published test set stays as it is.
        sizes: Most words of each split, counted as they are written: a multiword token is one.
        seed: Of the order, and of the splits where the files' names tell none.

    Returns:
        By split. The last sentence of a split may be asked about in part.
    """
    drawn: dict[str, tuple[Passage, ...]] = {}
    for split, members in split_sentences(sentences, seed).items():
        left, passages = sizes[split], []
        for sentence in sorted(members, key=lambda s: (stable_number(seed, "order", key_of(s)), s.place)):
            if not left:
                break
            tokens = frozenset(range(min(left, len(sentence.tokens))))
            passages.append(Passage(sentence, tokens, tokens))
            left -= len(tokens)
        drawn[split] = tuple(passages)
    return drawn
