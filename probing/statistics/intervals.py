"""95 % intervals for test scores, which show how another draw of test items would change a probe's score."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from probing.io.lazy import torch
from probing.statistics.metrics import COUNTED, score
from probing.statistics.resampling import resampled
from probing.statistics.scores import test_parts
from probing.tasks.problem import Problem
from probing.tasks.target import Metric

# the 97.5 % quantile of the normal distribution
Z = 1.959963984540054
DRAWS = 2000
Method = Literal["analytic", "bootstrap"]
Ends = tuple[float, float]
Bounds = tuple[NDArray[Any], NDArray[Any]]


def interval(problem: Problem, predictions: NDArray[Any], method: Method = "analytic") -> Ends:
    """Return the interval of one probe's test score under `problem.metric`.

    Accuracy and exact matches get Wilson's interval, correlations get one on Fisher's z scale, and scores
    computed from a confusion matrix get a bootstrap. For means over data sets or outer folds, each item is
    drawn within its own part, and the intervals of the parts are combined for correlations and accuracies
    (`mover`). Outer folds differ in size by a few examples at most, so the mean of their accuracies is
    treated as the accuracy of all items. None of these intervals includes the variation from the draw of
    training examples.

    With `method="bootstrap"` every score gets the bootstrap. It does not assume normal predictions, as
    Fisher's interval does. But it is a little narrow when items are few, and has zero width when every
    prediction is right.

    Args:
        problem: The problem that the probe was fitted to.
        predictions: (n_test,), for several labels (n_test, k), rows as in `problem.test`.
        method: `analytic`, or `bootstrap` for every metric.

    Returns:
        Lower and upper end, in the unit of the score; never NaN.
    """
    gold, metric = problem.gold[problem.test], problem.metric
    if metric == "exact_match":
        right = (predictions == gold).all(1).astype(np.int64)
        predictions, gold, metric = right, np.ones_like(right), "accuracy"
    analytic = method == "analytic"
    if analytic and metric == "accuracy" and problem.selection == "nested":
        return wilson(int((predictions == gold).sum()), len(gold))
    parts = test_parts(problem)
    pairs, weights = [(predictions[rows], gold[rows]) for rows, _ in parts], [weight for _, weight in parts]
    if metric in COUNTED or not analytic:
        return bootstrap(pairs, weights, metric, problem.seed)
    found = [_of_part(pair, metric) for pair in pairs]
    scores, ends = [value for value, _ in found], [both for _, both in found]
    return ends[0] if len(ends) == 1 else mover(scores, ends, weights)


def wilson(hits: int, n: int) -> Ends:
    """Return Wilson's score interval for `hits` of `n` (Wilson 1927; Brown, Cai & DasGupta 2001, eq. 4).

    `scipy.stats.binomtest` gives the same interval 400 times as slowly, because it computes an exact p first.
    """
    share, spread = hits / n, Z * Z / n
    centre = (share + spread / 2) / (1 + spread)
    half = Z / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    # the formula gives exactly 0 and 1 there, but rounding may not
    return (0.0 if hits == 0 else centre - half), (1.0 if hits == n else centre + half)


def fisher(correlation: float, n: int, metric: Metric) -> Ends:
    """Return the interval of a correlation of `n` pairs, normal in z = artanh r.

    The variance of z is 1 / (n − 3) for Pearson's r (Fisher 1921) and (1 + r²/2) / (n − 3) for
    Spearman's (Bonett & Wright 2000). Three pairs or fewer carry no information and give −1 to 1.
    """
    if n <= 3:
        return -1.0, 1.0
    if abs(correlation) >= 1:
        return correlation, correlation
    extra = correlation**2 / 2 if metric == "spearman" else 0
    centre, half = math.atanh(correlation), Z * math.sqrt((1 + extra) / (n - 3))
    return math.tanh(centre - half), math.tanh(centre + half)


def mover(scores: list[float], ends: list[Ends], weights: list[float]) -> Ends:
    """Return the interval of a weighted sum of independent scores from the interval of each.

    The distance of each end from the sum is the root of the sum of squares of the weighted distances
    of the parts (Zou & Donner 2008; for correlations Zou 2007, for proportions Zou, Huang &
    Zhang 2009). Unlike a standard error, this keeps the asymmetry of the intervals.
    """
    centre = sum(weight * value for weight, value in zip(weights, scores, strict=True))
    lower = [w * (value - low) for w, value, (low, _) in zip(weights, scores, ends, strict=True)]
    upper = [w * (high - value) for w, value, (_, high) in zip(weights, scores, ends, strict=True)]
    return centre - math.hypot(*lower), centre + math.hypot(*upper)


def bootstrap(pairs: list[Bounds], weights: list[float], metric: Metric, seed: int) -> Ends:
    """Return a percentile bootstrap over test items within parts (Efron & Tibshirani 1993, chapter 13).

    Args:
        pairs: Predictions and gold values, (n_part,) both, of each part.
        weights: Weights of the parts.
        metric: Any metric.
        seed: Seed of the draws.
    """
    generator = np.random.default_rng(seed)
    total = np.zeros(DRAWS)
    for (answers, gold), weight in zip(pairs, weights, strict=True):
        total += weight * resampled(answers[None], gold, metric, DRAWS, generator)[0]
    low, high = np.quantile(total, [0.025, 0.975])
    return float(low), float(high)


def _of_part(pair: Bounds, metric: Metric) -> tuple[float, Ends]:
    """Return the score of one part and its interval."""
    predictions, gold = pair
    if metric == "accuracy":
        hits = int((predictions == gold).sum())
        return hits / len(gold), wilson(hits, len(gold))
    value = float(score(torch.from_numpy(predictions), torch.from_numpy(gold), metric))
    return value, fisher(value, len(gold), metric)
