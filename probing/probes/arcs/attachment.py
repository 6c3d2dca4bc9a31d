"""Numbers of words whose head word is found, by sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from probing.io.lazy import torch
from probing.probes.arcs.model import ArcModel
from probing.probes.arcs.padded import ROOT, Corpus


def counts(
    model: ArcModel, flat: torch.Tensor, corpus: Corpus, labels: Sequence[NDArray[np.bool_]] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how many scored words of each sentence have the right head word, and how many there are.

    The answer for a word is the candidate with the largest logit, the first among equals.

    Args:
        model: The logits.
        flat: float64 (size,), the parameters.
        corpus: Sentences.
        labels: For each sentence bool (n,), whether the relation of a word is right too; None for the head
            word alone.

    Returns:
        float64 (sentences,) both.
    """
    right, of = np.zeros(len(corpus)), np.zeros(len(corpus))
    with torch.no_grad():
        weights = model.weights(flat, corpus.batches)
    for own, batch in zip(weights, corpus.batches, strict=True):
        with torch.no_grad():
            hits = (model.logits(own, batch).argmax(2) == batch.governors) & batch.scored
        numbers = batch.numbers.tolist()
        of[numbers] = batch.scored.sum(1).cpu().numpy()
        for number, row in zip(numbers, hits.cpu().numpy(), strict=True):
            right[number] = (
                row.sum() if labels is None else (row[: len(labels[number])] & labels[number]).sum()
            )
    return right, of


def right_branching(corpus: Corpus) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the numbers of `counts` for the next word as head word, and ROOT as that of the last word."""
    right, of = np.zeros(len(corpus)), np.zeros(len(corpus))
    for batch in corpus.batches:
        places = torch.arange(batch.maps.shape[1], device=batch.maps.device)
        answers = torch.where(places + 1 < batch.lengths.unsqueeze(1), places + 2, ROOT)
        numbers = batch.numbers.tolist()
        hits = (answers == batch.governors) & batch.scored
        right[numbers], of[numbers] = hits.sum(1).cpu().numpy(), batch.scored.sum(1).cpu().numpy()
    return right, of


def guessing(corpus: Corpus) -> float:
    """Return the expected share of scored words whose head word is guessed among ROOT and all other words."""
    of = np.concatenate([batch.scored.sum(1).cpu().numpy() for batch in corpus.batches])
    lengths = np.concatenate([batch.lengths.cpu().numpy() for batch in corpus.batches])
    return float((of / lengths).sum() / of.sum())
