"""Random trees, and maps of heads that know them or not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from probing.probes.arcs.padded import PAIRS, Corpus, Tree

HEADS = 5
PLANTED = 3


def trees(number: int, seed: int = 0, longest: int = 9) -> list[Tree]:
    """Random trees of two to `longest` words, of which every fourth is punctuation."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(number):
        n = int(rng.integers(2, longest + 1))
        order = rng.permutation(n)
        governors = np.zeros(n, dtype=np.int64)
        for place, word in enumerate(order[1:], 1):
            governors[word] = 1 + order[rng.integers(place)]
        relations = np.where(governors == 0, 0, 1 + rng.integers(0, 3, n))
        found.append(Tree(governors, np.arange(n) % 4 != 3, rng.integers(0, 12, n), relations))
    return found


def corpus(given: Sequence[Tree], seed: int = 0, *, planted: bool = False, pairs: int = PAIRS) -> Corpus:
    """Random attention; with `planted`, head `PLANTED` attends from each word to its head word."""
    found = Corpus.of(given, HEADS, pairs)
    rng = np.random.default_rng(seed)
    for number, tree in enumerate(given):
        n = len(tree)
        weights = rng.dirichlet(np.ones(n + 2), (HEADS, n))
        if planted:
            weights[PLANTED] = 0
            weights[PLANTED, np.arange(n), np.where(tree.governors > 0, tree.governors - 1, n)] = 1
        back = rng.dirichlet(np.ones(n + 2), (HEADS, 2))[:, :, :n]
        batch, row = found.places[number]
        found.batches[batch].maps.numpy()[row, :n, :n] = weights[:, :, :n].transpose(1, 2, 0)
        root = found.batches[batch].root.numpy()[row, :n]
        root[:, :, :HEADS] = weights[:, :, n:].transpose(1, 2, 0)
        root[:, :, HEADS:] = back.transpose(2, 1, 0)
    return found


def shared(given: Sequence[Tree], seed: int = 0) -> Corpus:
    """Two heads that know the tree together: head 0 for words of even types, head 1 for the others.

    For other words, they attend to a word that is drawn at random.
    """
    found = corpus(given, seed)
    rng = np.random.default_rng([seed, 1])
    for number, tree in enumerate(given):
        n = len(tree)
        batch, row = found.places[number]
        maps = found.batches[batch].maps.numpy()[row]
        for word, governor in enumerate(tree.governors.tolist()):
            for head in range(2):
                knows = tree.words[word] % 2 == head and governor > 0
                maps[word, :n, head] = 0
                maps[word, governor - 1 if knows else rng.integers(n), head] = 1
    return found
