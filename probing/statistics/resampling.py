"""Scores of bootstrap samples of the test items, for one probe or for several on the same samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from probing.io.lazy import torch
from probing.statistics.metrics import COUNTED, Margins, correlate
from probing.tasks.target import SCORE_METRICS, Metric

# numbers held in memory at once
BLOCK = 1 << 22
# relative to the mean square, a variance this small is rounding
CONSTANT = 1e-12


def resampled(
    answers: NDArray[Any], gold: NDArray[Any], metric: Metric, draws: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Return scores of samples of n items drawn with replacement, the same samples for all rows.

    Args:
        answers: Predictions (rows, n): classes, int64, or scores, float64; or labels, bool (rows, n, k).
        gold: (n,) or (n, k), the gold values of the items.
        metric: Metric to compute.
        draws: Number of samples.
        generator: Source of the draws.

    Returns:
        float64 (rows, draws). A correlation is 0 if a sample is constant.
    """
    if metric in SCORE_METRICS:
        return _correlations(answers, gold, metric, draws, generator)
    if answers.dtype == np.bool_:
        return _label_scores(answers, gold, metric, draws, generator)
    return _class_scores(answers, gold, metric, draws, generator)


def _class_scores(
    answers: NDArray[np.int64],
    gold: NDArray[np.int64],
    metric: Metric,
    draws: int,
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    """Return scores of class predictions.

    Drawing n items with replacement is one multinomial draw from the table of labels and predictions. Only
    its non-empty cells can be drawn, so memory grows with min(n, cells), in blocks of draws.
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


def _label_scores(
    answers: NDArray[np.bool_],
    gold: NDArray[np.bool_],
    metric: Metric,
    draws: int,
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    """Return scores of label sets, from the number of draws of each kind of item.

    Items are of the same kind if they add the same to the counts behind the score, so that one
    multinomial draw of the kinds is one sample, as in `_class_scores`.
    """
    found = [_label_counts(row, gold, metric) for row in answers]
    kinds, times = np.unique(np.concatenate(found, axis=1), axis=0, return_counts=True)
    parts = np.split(kinds.astype(np.float64), len(answers), axis=1)
    block, scores = max(1, BLOCK // max(1, len(kinds))), []
    for start in range(0, draws, block):
        drawn = generator.multinomial(len(gold), times / len(gold), size=min(block, draws - start))
        summed = [torch.from_numpy(drawn.astype(np.float64) @ part) for part in parts]
        scores.append(np.stack([_of_counts(counts, metric, len(gold)) for counts in summed]))
    return np.concatenate(scores, axis=1)


def _label_counts(answers: NDArray[np.bool_], gold: NDArray[np.bool_], metric: Metric) -> NDArray[np.int64]:
    """Return the counts behind a score for each item; (n, 1) for exact matches, (n, 3) or (n, 3 k) for F1."""
    if metric == "exact_match":
        exact: NDArray[np.int64] = (answers == gold).all(1, keepdims=True).astype(np.int64)
        return exact
    parts = [answers & gold, gold, answers]
    if metric == "micro_f1":
        return np.stack([part.sum(1) for part in parts], axis=1)
    return np.concatenate(parts, axis=1).astype(np.int64)


def _of_counts(counts: torch.Tensor, metric: Metric, n: int) -> NDArray[np.float64]:
    """Return scores (draws,) from sums of these counts, float64 (draws, …)."""
    if metric == "exact_match":
        shares: NDArray[np.float64] = (counts[:, 0] / n).numpy()
        return shares
    found: NDArray[np.float64] = COUNTED[metric](Margins(*counts.chunk(3, 1))).numpy()
    return found


def class_score(
    sample: torch.Tensor, label: torch.Tensor, answered: torch.Tensor, metric: Metric, k: int
) -> NDArray[np.float64]:
    """Return scores of one row, float64 (draws,), from the counts of each cell, float64 (draws, cells)."""
    same = label == answered
    if metric == "accuracy":
        shares: NDArray[np.float64] = (sample[:, same].sum(1) / sample.sum(1)).numpy()
        return shares
    # summing whole rows of cells is several times as fast as summing columns
    cells = sample.T.contiguous()
    hits, labelled, predicted = sample.new_zeros(3, k, len(sample))
    hits.index_add_(0, label[same], cells[same])
    labelled.index_add_(0, label, cells)
    predicted.index_add_(0, answered, cells)
    margins = Margins(hits.T, labelled.T, predicted.T)
    scores: NDArray[np.float64] = COUNTED[metric](margins).numpy()
    return scores


def _correlations(
    answers: NDArray[Any], gold: NDArray[Any], metric: Metric, draws: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Return correlations of score predictions, from the counts of each item."""
    n = len(gold)
    block, found = max(1, BLOCK // n), []
    for start in range(0, draws, block):
        size = min(block, draws - start)
        places = generator.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
        times = np.bincount(places.ravel(), minlength=size * n).reshape(size, n).astype(float)
        if metric == "pearson":
            found.append(_pearson(answers, gold, times))
            continue
        truth = _spread(gold, times)
        found.append(np.stack([(_spread(row, times) * truth).sum(1) for row in answers]))
    return np.clip(np.concatenate(found, axis=1), -1, 1)


def _pearson(answers: NDArray[Any], gold: NDArray[Any], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Pearson's correlations, float64 (rows, draws), from weighted moments of all rows together."""
    n = len(gold)
    rows, truth = (correlate(torch.from_numpy(v), "pearson").numpy() for v in (answers, gold))
    mean, mean_truth = times @ rows.T / n, (times @ truth / n)[:, None]
    common = times @ (rows * truth).T - n * mean * mean_truth
    square, square_truth = times @ np.square(rows).T, (times @ np.square(truth))[:, None]
    spread, spread_truth = square - n * mean**2, square_truth - n * mean_truth**2
    varies = (spread > CONSTANT * square) & (spread_truth > CONSTANT * square_truth)
    scale = np.sqrt(np.where(varies, spread * spread_truth, 1.0))
    found: NDArray[np.float64] = np.where(varies, common / scale, 0.0).T
    return found


def _spread(values: NDArray[Any], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks in samples as vectors whose inner products are the correlations; 0 for constant samples.

    An item that was drawn t times occurs once, multiplied by √t.
    """
    read = _ranks(values, times)
    centred = np.sqrt(times) * (read - (times * read).sum(1, keepdims=True) / len(values))
    length = np.sqrt(np.square(centred).sum(1, keepdims=True))
    found: NDArray[np.float64] = np.divide(centred, length, out=np.zeros_like(centred), where=length > 1e-6)
    return found


def _ranks(values: NDArray[Any], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rank of every item in each sample, ties sharing their mean rank; float64 (draws, n)."""
    _, place = np.unique(values, return_inverse=True)
    order = np.argsort(place, kind="stable")
    first = np.flatnonzero(np.diff(place[order], prepend=-1))
    of_value = np.add.reduceat(times[:, order], first, axis=1)
    ranks: NDArray[np.float64] = (of_value.cumsum(1) - of_value / 2 + 0.5)[:, place]
    return ranks
