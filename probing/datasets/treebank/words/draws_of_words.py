"""Draw of words, which is the same for every task of a treebank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from probing.datasets.treebank.held_out import in_random_order, split_sentences
from probing.datasets.treebank.sentence import Sentence


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence and those of its tokens that examples may use.

    Attributes:
        sentence: The whole sentence, which the model reads.
        tokens: Places of the tokens that may take part in an example.
        asked: Those of them that an example may be about; in a pair, those that may be its first word.
    """

    sentence: Sentence
    tokens: frozenset[int]
    asked: frozenset[int]


def draw_words(
    sentences: Sequence[Sentence], sizes: Mapping[str, int], seed: int
) -> dict[str, tuple[Passage, ...]]:
    """Take words sentence by sentence, in an order that depends only on the sentences and the seed.

    A smaller size gives the first words of a larger one, and every task of one treebank gets the same words.

    Args:
        sentences: The treebank. Only one of several sentences that differ only in spaces is kept: test before
            dev before train, so that a published test set stays unchanged.
        sizes: Maximum number of words of each split, as written: a multiword token counts as one.
        seed: Seed of the order, and of the splits if the file names do not give them.

    Returns:
        The passages by split. The last sentence of a split may contribute only some of its words.
    """
    drawn: dict[str, tuple[Passage, ...]] = {}
    for split, members in split_sentences(sentences, seed).items():
        left, passages = sizes[split], []
        for sentence in in_random_order(members, seed):
            if not left:
                break
            tokens = frozenset(range(min(left, len(sentence.tokens))))
            passages.append(Passage(sentence, tokens, tokens))
            left -= len(tokens)
        drawn[split] = tuple(passages)
    return drawn
