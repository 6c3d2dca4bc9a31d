"""95 % intervals for test scores."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from probing.probes.metrics import confusion, mean_f1
from probing.tasks.task import Metric

# the 97.5 % quantile of the normal distribution
Z = 1.959963984540054
DRAWS = 2000
BLOCK = 1 << 22


def interval(
    predictions: NDArray[np.int64], labels: NDArray[np.int64], n_classes: int, metric: Metric, seed: int
) -> tuple[float, float]:
    """Interval of one probe's test score.

    Args:
        predictions: int64 (n,), predicted classes.
        labels: int64 (n,), true classes.
        n_classes: Number of classes.
        metric: Which score.
        seed: Seeds the bootstrap of macro-F1; accuracy draws nothing.

    Returns:
        Lower and upper end, fractions.
    """
    if metric == "accuracy":
        return wilson(int((predictions == labels).sum()), len(labels))
    counts = confusion(torch.from_numpy(predictions), torch.from_numpy(labels), n_classes)
    return bootstrap_macro_f1(counts.numpy(), seed)


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Wilson's score interval for `hits` of `n` (Wilson 1927; Brown, Cai & DasGupta 2001, eq. 4)."""
    share, spread = hits / n, Z * Z / n
    centre = (share + spread / 2) / (1 + spread)
    half = Z / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    # the formula meets 0 and 1 exactly; rounding may not
    return (0.0 if hits == 0 else centre - half), (1.0 if hits == n else centre + half)


def bootstrap_macro_f1(counts: NDArray[np.int64], seed: int, draws: int = DRAWS) -> tuple[float, float]:
    """Percentile bootstrap over test items (Efron & Tibshirani 1993, chapter 13).

    Drawing n items with replacement is one multinomial draw of the confusion matrix, of whose cells
    only the filled ones can be drawn; so memory grows with min(n, k²), in blocks of draws.

    Args:
        counts: int64 (k, k), of (label, prediction).
        seed: Seeds the draws.
        draws: Number of bootstrap samples.
    """
    label, predicted = np.nonzero(counts)
    filled = counts[label, predicted]
    n, k = int(filled.sum()), len(counts)
    generator = np.random.default_rng(seed)
    block = max(1, BLOCK // max(k, len(filled)))
    scores = []
    for first in range(0, draws, block):
        size = min(block, draws - first)
        sample = torch.from_numpy(generator.multinomial(n, filled / n, size=size)).double()
        hits, seen = sample.new_zeros(2, size, k)
        same = torch.from_numpy(label == predicted)
        hits.index_add_(1, torch.from_numpy(label)[same], sample[:, same])
        seen.index_add_(1, torch.from_numpy(label), sample).index_add_(1, torch.from_numpy(predicted), sample)
        scores.append(mean_f1(hits, seen).numpy())
    low, high = np.quantile(np.concatenate(scores), [0.025, 0.975])
    return float(low), float(high)
