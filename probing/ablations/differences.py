"""How far scores under masks lie from those of the whole model, with intervals over the same examples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probing.ablations.evaluate import Answers
from probing.objectives.objective import Ready
from probing.probes.resample import resampled
from probing.tasks.target import Classes

DRAWS = 1000
_Z = 1.959963984540054


@dataclass(frozen=True)
class Differences:
    """Scores under k masks beside that of the whole model, under one metric.

    Attributes:
        full: Score of the whole model.
        scores: float64 (k,), under each mask.
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


def differences(ready: Ready, answers: Answers, metric: str, seed: int) -> Differences:
    """Compare all masks but the first with the first, which closes nothing.

    Examples are paired: of a mean over them the interval is normal, with the spread of the differences
    (divided by what is predicted of each, for a mean over tokens); of other scores it is a bootstrap over
    examples, 1,000 draws. Scores averaged over data sets have none.

    Args:
        ready: The model's objective.
        answers: Of the whole model first.
        metric: Which score.
        seed: Of the bootstrap.
    """
    scores = np.array([found[metric] for found in answers.scores(ready)])
    terms = ready.terms(metric, answers.rows, answers.loss, answers.answer)
    if terms is not None:
        half = _half_widths(terms[1:] - terms[0], ready.counts[answers.rows])
        delta = scores[1:] - scores[0]
        return Differences(float(scores[0]), scores[1:], delta - half, delta + half)
    low, high = _bootstrap(ready, answers, seed)
    return Differences(float(scores[0]), scores[1:], low, high)


def _half_widths(added: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of the ratio of two sums, by its linearisation (Cochran 1977, equation 2.39); float64 (k,)."""
    n, total = len(counts), counts.sum()
    ratio = added.sum(1, keepdims=True) / total
    spread = np.square(added - ratio * counts).sum(1) * n / max(n - 1, 1)
    half: NDArray[np.float64] = _Z * np.sqrt(spread) / total
    return half


def _bootstrap(ready: Ready, answers: Answers, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    target = ready.task.target
    gold = (target.labels if isinstance(target, Classes) else target.values)[answers.rows]
    given = answers.answer.astype(gold.dtype)
    if ready.task.groups is not None:
        missing = np.full(len(given) - 1, np.nan)
        return missing, missing
    found = []
    for row in given[1:]:
        pair = np.stack([given[0], row])
        drawn = resampled(pair, gold, ready.task.metric, DRAWS, np.random.default_rng(seed))
        found.append(np.quantile(drawn[1] - drawn[0], (0.025, 0.975)))
    low, high = np.reshape(found, (-1, 2)).T
    return low, high
