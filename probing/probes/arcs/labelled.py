"""The relation of each word to its head word, from the maps of the two (for labelled attachment scores)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from probing.io.lazy import torch
from probing.probes.arcs.padded import ROOT, UNKNOWN, Corpus
from probing.probes.logistic import Logistic
from probing.tasks.problem import Problem
from probing.tasks.target import Classes

L2 = (1e-4, 1e-3, 1e-2, 1e-1)
"""Penalties of the classifier of relations."""
TOLERANCE = 1e-4
"""Relative distance of its loss from the minimum; weak penalties take a thousand passes to 1e-6."""


@dataclass(frozen=True)
class GoldPairs:
    """The pairs of a word and its head word in a corpus, without those with ROOT.

    Attributes:
        features: float32 (n, K), the K maps of each pair, followed by the vectors of both words if there are
            any.
        sentences: int64 (n,), the number of its sentence.
        places: int64 (n,), the place of the word in it.
        relations: int64 (n,), the relation.
    """

    features: torch.Tensor
    sentences: NDArray[np.int64]
    places: NDArray[np.int64]
    relations: NDArray[np.int64]

    @classmethod
    def of(cls, corpus: Corpus, vectors: torch.Tensor | None = None) -> GoldPairs:
        """Return the pairs of a corpus."""
        parts: list[list[torch.Tensor]] = [[], [], [], []]
        for batch in corpus.batches:
            known = (batch.governors > ROOT) & (batch.relations != UNKNOWN)
            row, word = known.nonzero(as_tuple=True)
            head = batch.governors[row, word] - 1
            features = [batch.maps[row, word, head], batch.maps[row, head, word]]
            if vectors is not None:
                features += [vectors[batch.words[row, word]], vectors[batch.words[row, head]]]
            own = (torch.cat(features, 1).float(), batch.numbers[row], word, batch.relations[row, word])
            for part, values in zip(parts, own, strict=True):
                part.append(values)
        joined = [torch.cat(part) for part in parts]
        return cls(joined[0], *(each.cpu().numpy() for each in joined[1:]))


def right_relations(
    splits: dict[str, Corpus], names: Sequence[str], seed: int, vectors: torch.Tensor | None = None
) -> dict[str, list[NDArray[np.bool_]]]:
    """Return whether the relation of each word to its head word is recognised, for dev and test.

    A labelled score asks for the relation only where the head word is right. So the classifier is fitted to
    gold pairs, and read at gold pairs. It is a logistic regression on the maps of the pair in both
    directions, whose penalty is selected on dev. A word without a head word has the relation of roots.

    Args:
        splits: Sentences of train, dev and test, in this order.
        names: Names of the relations.
        seed: Seed of the problem.
        vectors: float64 (types, d), vectors of words that the classifier reads too.

    Returns:
        For each sentence bool (n,); False where the relation is not known.
    """
    pairs = {name: GoldPairs.of(corpus, vectors) for name, corpus in splits.items()}
    starts = np.cumsum([0, *(len(own.relations) for own in pairs.values())])
    rows = [np.arange(*ends) for ends in pairwise(starts)]
    target = Classes(np.concatenate([own.relations for own in pairs.values()]), tuple(names))
    features = torch.cat([own.features for own in pairs.values()]).unsqueeze(0)
    problem = Problem(target, rows[0], rows[1], np.concatenate(rows[1:]), "dev", 5, "accuracy", seed)
    predicted = np.asarray(Logistic(L2, tolerance=TOLERANCE).fit(features, problem).predictions[0])
    hits = np.split(predicted == target.labels[problem.test], [len(rows[1])])
    return {
        name: _by_sentence(splits[name], pairs[name], right)
        for name, right in zip(("dev", "test"), hits, strict=True)
    }


def _by_sentence(corpus: Corpus, pairs: GoldPairs, right: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    found: list[NDArray[np.bool_]] = [np.empty(0, dtype=bool)] * len(corpus)
    for batch in corpus.batches:
        roots = (batch.governors == ROOT).cpu().numpy()
        for row, number in enumerate(batch.numbers.tolist()):
            found[number] = roots[row, : int(batch.lengths[row])].copy()
    for sentence, place, hit in zip(pairs.sentences, pairs.places, right, strict=True):
        found[sentence][place] = hit
    return found
