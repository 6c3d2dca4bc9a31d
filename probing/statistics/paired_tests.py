"""Tests of the difference of two probes on the same items, and Holm's correction for many tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from probing.io.lazy import torch
from probing.statistics.metrics import correlate
from probing.statistics.resampling import class_score
from probing.tasks.target import SCORE_METRICS, Metric

# numbers held in memory at once
BLOCK = 1 << 22


def mcnemar(first: NDArray[np.int64], second: NDArray[np.int64], gold: NDArray[np.int64]) -> float:
    """Return the exact two-sided p of McNemar's test that two probes are right equally often.

    On items that exactly one of the two gets right, both are equally likely to be the one. The smaller count
    is binomial with chance 1/2 (McNemar 1947; exact as in Edwards 1948 and Fagerland et al. 2013, eq. 4).

    Args:
        first: Classes answered by one probe, int64 (n,).
        second: Classes answered by the other, int64 (n,).
        gold: True classes, int64 (n,).
    """
    from scipy.stats import binom

    one, two = first == gold, second == gold
    only_first, only_second = int((one & ~two).sum()), int((two & ~one).sum())
    fewer, either = min(only_first, only_second), only_first + only_second
    return min(1.0, 2 * float(binom.cdf(fewer, either, 0.5)))


def swapped(
    first: NDArray[Any],
    second: NDArray[Any],
    gold: NDArray[Any],
    metric: Metric,
    draws: int,
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    """Return differences of score after the answers of two probes to each item are swapped at random.

    If the probes are alike, it does not matter which of them gave which answer (Edgington 1964; for scores of
    texts Yeh 2000, section 2.2). Graded answers are first brought to a common scale, with mean 0 and length 1
    for each probe, since their scale does not matter for the score. For `spearman` this is done with their
    ranks. The scaled values are swapped, and ranks are not computed again.

    Args:
        first: Answers of one probe, (n,): classes, int64, or scores, float64.
        second: Answers of the other probe, (n,).
        gold: Gold values, (n,).
        metric: Metric to compare.
        draws: Number of random swaps.
        generator: Source of the swaps.

    Returns:
        float64 (1 + draws,): score of the first minus that of the second, first unswapped, then swapped.
    """
    if metric in SCORE_METRICS:
        return _swapped_scores(first, second, gold, metric, draws, generator)
    k = 1 + max(1, int(gold.max()), int(first.max()), int(second.max()))
    codes, place, times = np.unique((gold * k + first) * k + second, return_index=True, return_counts=True)
    # for items that are answered alike, the number of swapped ones is a binomial draw
    moved = generator.binomial(times, 0.5, size=(draws, len(codes)))
    away = torch.from_numpy(np.concatenate([np.zeros_like(times)[None], moved])).double()
    kept = torch.from_numpy(times).double() - away
    label = torch.from_numpy(np.tile(gold[place], 2))
    answered = torch.from_numpy(np.concatenate([first[place], second[place]]))
    one, two = (
        class_score(torch.cat(weights, dim=1), label, answered, metric, k)
        for weights in ((kept, away), (away, kept))
    )
    return one - two


def two_sided(differences: NDArray[np.float64]) -> float:
    """Return the two-sided p of `swapped`'s output: the share with no smaller difference, data included."""
    observed = abs(differences[0]) - 1e-9
    return float((np.abs(differences) >= observed).mean())


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return p-values adjusted by Holm's step-down Bonferroni method (Holm 1979).

    The i-th smallest of m, counted from 0, is multiplied by m − i, and the products are made non-decreasing.

    Args:
        p: p-values, float64 (m,); NaN stands for no test and stays.

    Returns:
        float64 (m,), at most 1; the chance of one or more false findings below a level is at most that level.
    """
    adjusted = np.full(len(p), np.nan)
    tests = np.flatnonzero(~np.isnan(p))
    order = tests[np.argsort(p[tests], kind="stable")]
    rising = np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1))
    adjusted[order] = np.minimum(rising, 1)
    return adjusted


def _swapped_scores(
    first: NDArray[Any],
    second: NDArray[Any],
    gold: NDArray[Any],
    metric: Metric,
    draws: int,
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    one, two = (correlate(torch.from_numpy(answers), metric).numpy() for answers in (first, second))
    truth, n = correlate(torch.from_numpy(gold), metric).numpy(), len(gold)
    # sums over items are linear in the indicators of swapped items
    moved = np.stack([(two - one) * truth, two - one, np.square(two) - np.square(one)], axis=1)
    block, found = max(1, BLOCK // n), [np.zeros((1, 3))]
    for start in range(0, draws, block):
        swap = generator.random((min(block, draws - start), n)) < 0.5
        found.append(swap.astype(float) @ moved)
    common, mean, square = np.concatenate(found).T
    sides = [
        (side @ truth + sign * common, sign * mean, side @ side + sign * square)
        for side, sign in ((one, 1), (two, -1))
    ]
    scores = [_over_spread(common, square - total**2 / n) for common, total, square in sides]
    return scores[0] - scores[1]


def _over_spread(common: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return correlations; 0 where the answers are constant."""
    varies = spread > 1e-12
    found: NDArray[np.float64] = np.where(varies, common / np.sqrt(np.where(varies, spread, 1)), 0)
    return found
