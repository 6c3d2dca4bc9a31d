"""Scores of bootstrap samples of the test items, of one probe or of several on the same samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from probing.probes.metrics import COUNTED, SMALLEST_SPREAD, Margins
from probing.tasks.target import SCORE_METRICS, Metric

# numbers that are held at once
BLOCK = 1 << 22


def resampled(
    answers: NDArray[Any], gold: NDArray[Any], metric: Metric, draws: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Scores of samples of n items, drawn with replacement; the same samples for all rows.

    Args:
        answers: (rows, n): classes, int64, or scores, float64.
        gold: (n,), the same of the items.
        metric: Which score.
        draws: Number of samples.
        generator: Draws them.

    Returns:
        float64 (rows, draws); a correlation with what is constant in a sample is 0.
    """
    if metric in SCORE_METRICS:
        return _correlations(answers, gold, metric, draws, generator)
    return _class_scores(answers, gold, metric, draws, generator)


def _class_scores(
    answers: NDArray[np.int64],
    gold: NDArray[np.int64],
    metric: Metric,
    draws: int,
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    """Of classes.

    Drawing n items with replacement is one multinomial draw of the table of labels and answers, of whose
    cells only the filled ones can be drawn; so memory grows with min(n, cells), in blocks of draws.
    """
    k, n = 1 + max(1, int(gold.max()), int(answers.max())), len(gold)
    codes = gold
    for row in answers:
        codes = codes * k + row
    _, first, filled = np.unique(codes, return_index=True, return_counts=True)
    label, answered = torch.from_numpy(gold[first]), torch.from_numpy(answers[:, first])
    block, found = max(1, BLOCK // max(k, len(first))), []
    for start in range(0, draws, block):
        drawn = generator.multinomial(n, filled / n, size=min(block, draws - start))
        sample = torch.from_numpy(drawn).double()
        found.append(np.stack([class_score(sample, label, row, metric, k) for row in answered]))
    return np.concatenate(found, axis=1)


def class_score(
    sample: torch.Tensor, label: torch.Tensor, answered: torch.Tensor, metric: Metric, k: int
) -> NDArray[np.float64]:
    """Scores of one row; float64 (draws,), from how often each cell was drawn, float64 (draws, cells)."""
    same = label == answered
    if metric == "accuracy":
        shares: NDArray[np.float64] = (sample[:, same].sum(1) / sample.sum(1)).numpy()
        return shares
    margins = Margins(*sample.new_zeros(3, len(sample), k))
    margins.hits.index_add_(1, label[same], sample[:, same])
    margins.labelled.index_add_(1, label, sample)
    margins.predicted.index_add_(1, answered, sample)
    scores: NDArray[np.float64] = COUNTED[metric](margins).numpy()
    return scores


def _correlations(
    answers: NDArray[Any], gold: NDArray[Any], metric: Metric, draws: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Of scores, from how often each item was drawn."""
    n = len(gold)
    block, found = max(1, BLOCK // n), []
    for start in range(0, draws, block):
        size = min(block, draws - start)
        places = generator.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
        times = np.bincount(places.ravel(), minlength=size * n).reshape(size, n).astype(float)
        truth = _spread(gold, times, metric)
        rows = [(_spread(row, times, metric) * truth).sum(1) for row in answers]
        found.append(np.clip(np.stack(rows), -1, 1))
    return np.concatenate(found, axis=1)


def _spread(values: NDArray[Any], times: NDArray[np.float64], metric: Metric) -> NDArray[np.float64]:
    """Samples as vectors whose inner products are their correlations; 0 where all drawn are the same.

    An item that was drawn t times stands once, times √t.
    """
    read = (
        np.broadcast_to(values.astype(float), times.shape) if metric == "pearson" else _ranks(values, times)
    )
    mean = (times * read).sum(1, keepdims=True) / times.sum(1, keepdims=True)
    centred = np.sqrt(times) * (read - mean)
    length = np.sqrt(np.square(centred).sum(1, keepdims=True))
    least = SMALLEST_SPREAD * np.abs(mean)
    found: NDArray[np.float64] = np.divide(centred, length, out=np.zeros_like(centred), where=length > least)
    return found


def _ranks(values: NDArray[Any], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank of every item in each sample, equal values sharing the mean of theirs; float64 (draws, n)."""
    _, place = np.unique(values, return_inverse=True)
    order = np.argsort(place, kind="stable")
    first = np.flatnonzero(np.diff(place[order], prepend=-1))
    of_value = np.add.reduceat(times[:, order], first, axis=1)
    ranks: NDArray[np.float64] = (of_value.cumsum(1) - of_value / 2 + 0.5)[:, place]
    return ranks
