"""Numbers of words whose head word is found, by sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from probing.io.lazy import torch
from probing.probes.arcs.model import ArcModel
from probing.probes.arcs.sentences import ROOT, Corpus, Tree


def answers(model: ArcModel, flat: torch.Tensor, corpus: Corpus) -> list[NDArray[np.int64]]:
    """Return the candidate with the largest logit for each word of each sentence, the first among equals."""
    found: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)] * len(corpus)
    for batch in corpus.batches:
        with torch.no_grad():
            best = model.logits(flat, batch).argmax(2).cpu().numpy()
        for row, number in enumerate(batch.numbers.tolist()):
            found[number] = best[row, : int(batch.lengths[row])]
    return found


def counts(
    model: ArcModel, flat: torch.Tensor, corpus: Corpus
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how many scored words of each sentence have the right head word, and how many there are.

    Returns:
        float64 (sentences,) both.
    """
    right, of = np.zeros(len(corpus)), np.zeros(len(corpus))
    for batch in corpus.batches:
        with torch.no_grad():
            hits = (model.logits(flat, batch).argmax(2) == batch.governors) & batch.scored
        numbers = batch.numbers.cpu().numpy()
        right[numbers], of[numbers] = hits.sum(1).cpu().numpy(), batch.scored.sum(1).cpu().numpy()
    return right, of


def right_branching(trees: Sequence[Tree]) -> list[NDArray[np.int64]]:
    """Return the next word as the head word of each word, and ROOT for the last."""
    return [np.append(np.arange(2, len(tree) + 1), ROOT) for tree in trees]
