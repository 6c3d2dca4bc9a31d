"""Differences between scores under masks and the whole model's, with intervals over the same examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probing.ablations.evaluate import Answers
from probing.objectives.objective import Evaluator
from probing.statistics.resampling import resampled

Floats = NDArray[np.float64]
DRAWS = 1000
# with fewer examples the intervals of means use a studentised bootstrap
MANY = 200
# with even fewer, their spread is unknown
FEWEST = 5
_Z = 1.959963984540054
_TAILS = (0.025, 0.975)


@dataclass(frozen=True)
class Differences:
    """Scores under k masks and that of the whole model, under one metric.

    Attributes:
        full: Score of the whole model.
        scores: float64 (k,), score under each mask.
        low: float64 (k,), lower end of the 95 % interval of `scores` − `full`; NaN where there is none.
        high: float64 (k,), upper end.
    """

    full: float
    scores: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @property
    def deltas(self) -> NDArray[np.float64]:
        """float64 (k,), Δ = masked − whole (Michel et al. 2019, section 3.2)."""
        return self.scores - self.full


def differences(ready: Evaluator, answers: Answers, metric: str, seed: int) -> Differences:
    """Compare all masks with the first, which closes nothing.

    Examples are paired. A mean over examples, or over tokens with the number of predictions as denominator,
    has one of these intervals:

    - Below 200 examples, a studentised bootstrap of 1,000 draws (Efron & Tibshirani 1993, section 12.5). With
      few differences, most of them small and some large, a normal interval misses the truth two to four times
      as often as its level says, nearly always on one side.
    - From 200 examples on, the normal interval by linearisation (Cochran 1977, equation 2.39).
    - For an accuracy of single predictions, the paired interval with half an example added to each of the
      four cells (Agresti & Min 2005), for any number of examples.

    Other scores have a percentile bootstrap over examples with 1,000 draws. Scores averaged over data sets
    have no interval, and neither do means over fewer than five examples.

    Args:
        ready: Evaluator of the model.
        answers: Predictions under all masks, those of the whole model first.
        metric: Name of the score.
        seed: Seed of the bootstrap.
    """
    scores = np.array([found[metric] for found in answers.scores(ready)])
    terms = ready.terms(metric, answers.rows, answers.loss, answers.answer)
    if terms is not None:
        low, high = of_means(terms[1:] - terms[0], ready.counts[answers.rows], seed)
        return Differences(float(scores[0]), scores[1:], low, high)
    low, high = _bootstrap(ready, answers, seed)
    return Differences(float(scores[0]), scores[1:], low, high)


def of_means(added: Floats, counts: Floats, seed: int) -> tuple[Floats, Floats]:
    """Return 95 % intervals of ratios of two sums over examples, which are means where `counts` are 1.

    Args:
        added: float64 (k, n), the term of each example.
        counts: float64 (n,), number of predictions for each example.
        seed: Seed of the bootstrap.

    Returns:
        Lower and upper ends, float64 (k,) both; NaN for fewer than five examples.
    """
    n = len(counts)
    if n < FEWEST:
        missing = np.full(len(added), np.nan)
        return missing, missing
    if (counts == 1).all() and np.isin(added, (-1, 0, 1)).all():
        return _of_accuracies(added)
    ratio, error = ratio_and_error(added, counts)
    if n >= MANY:
        return ratio - _Z * error, ratio + _Z * error
    least, most = _studentised(added - ratio[:, None] * counts, counts, np.random.default_rng(seed))
    # a high draw means that the estimate is high, so the truth is below it
    return ratio - most * error, ratio - least * error


def ratio_and_error(added: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Return the ratio of two sums and its standard error, by linearisation; float64 (k,) both."""
    n, total = len(counts), counts.sum()
    ratio: Floats = added.sum(1) / total
    spread = np.square(added - ratio[:, None] * counts).sum(1) * n / max(n - 1, 1)
    return ratio, np.sqrt(spread) / total


def standard_error(ready: Evaluator, answers: Answers, metric: str, seed: int) -> float:
    """Return the standard error of the score under the first mask; NaN for averages over data sets.

    Args:
        ready: Evaluator of the model.
        answers: Predictions under all masks, those under that mask first.
        metric: Name of the score.
        seed: Seed of the bootstrap, for scores that are not means.
    """
    terms = ready.terms(metric, answers.rows, answers.loss[:1], answers.answer[:1])
    if terms is not None:
        return float(ratio_and_error(terms, ready.counts[answers.rows])[1][0])
    if ready.task.groups is not None:
        return float("nan")
    gold = _gold(ready, answers)
    given = answers.answer[:1].astype(gold.dtype)
    return float(resampled(given, gold, ready.task.metric, DRAWS, np.random.default_rng(seed)).std())


def _studentised(centred: Floats, counts: Floats, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Return quantiles of (ratio − truth) / error over samples of examples, with truth 0; float64 (k,)."""
    n = len(counts)
    places = generator.integers(n, size=(DRAWS, n)) + n * np.arange(DRAWS)[:, None]
    times = np.bincount(places.ravel(), minlength=DRAWS * n).reshape(DRAWS, n).astype(np.float64)
    total = (times @ counts)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = times @ centred.T / total
        square = times @ np.square(centred).T - 2 * drawn * (times @ (centred * counts).T)
        square += np.square(drawn) * (times @ np.square(counts))[:, None]
        error = np.sqrt(square.clip(0) * n / (n - 1)) / total
        found = drawn / error
    # a sample that repeats one example does not show how examples spread
    found[~(error > 1e-9 * np.nanmax(error, axis=0, initial=0))] = np.nan
    known = np.isfinite(found).any(0)
    found[:, ~known] = 0
    least, most = np.nanquantile(found, _TAILS, axis=0)
    return np.minimum(least, 0), np.maximum(most, 0)


def _of_accuracies(added: Floats) -> tuple[Floats, Floats]:
    """Return intervals of differences between two accuracies; each example adds −1, 0 or 1."""
    n, better, worse = added.shape[1] + 2, (added > 0).sum(1) + 0.5, (added < 0).sum(1) + 0.5
    centre = (better - worse) / n
    half = _Z * np.sqrt(better + worse - np.square(better - worse) / n) / n
    # predictions that are all the same show no difference at all
    centre, half = (np.where((added == 0).all(1), 0.0, values) for values in (centre, half))
    return np.maximum(centre - half, -1), np.minimum(centre + half, 1)


def _bootstrap(
    ready: Evaluator, answers: Answers, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    gold = _gold(ready, answers)
    given = answers.answer.astype(gold.dtype)
    if ready.task.groups is not None:
        missing = np.full(len(given) - 1, np.nan)
        return missing, missing
    found = []
    for row in given[1:]:
        pair = np.stack([given[0], row])
        drawn = resampled(pair, gold, ready.task.metric, DRAWS, np.random.default_rng(seed))
        found.append(np.quantile(drawn[1] - drawn[0], _TAILS))
    low, high = np.reshape(found, (-1, 2)).T
    return low, high


def _gold(ready: Evaluator, answers: Answers) -> NDArray[Any]:
    return ready.task.target.gold[answers.rows]
