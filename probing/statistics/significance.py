"""p-values of test scores by permuting the labels of test items, corrected for choosing the best row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.io.lazy import torch
from probing.statistics.metrics import COUNTED, Margins, correlate
from probing.tasks.target import SCORE_METRICS, Metric
from probing.tasks.task import Average
from probing.validation.arguments import checked
from probing.validation.ranges import Draws, Seed

# permutations scored at once
BLOCK = 64
# standardised scores that differ by less are equal up to rounding
TIE = 1e-9
# scores of some permutations of gold: int64 (b, n) orders to float64 (rows, b)
Scorer = Callable[[NDArray[np.int64]], NDArray[np.float64]]


@checked()
def permutation_p(
    answers: NDArray[Any],
    gold: NDArray[Any],
    metric: Metric,
    *,
    groups: NDArray[np.int64] | None = None,
    average: Average = "mean",
    draws: Draws = 1000,
    seed: Seed = 0,
) -> pd.DataFrame:
    """Return the one-sided p of every row's test score, alone and corrected for choosing the best row.

    The null hypothesis is that the answers of the fitted probes are independent of the labels of test items.
    So labels are permuted in the same way for all rows, and within data sets if there are several. Then
    p = (1 + number of permutations that score no worse) / (draws + 1), which is exact for any number of
    draws (Phipson & Smyth 2010, eq. 2).

    The correction is the single-step maximum of Westfall & Young (1993, section 2.3): a row is compared
    with the best row of every permutation. Rows differ in their chance scores, since some answer with one
    class more often than others. So every row's scores are first standardised by mean and standard deviation
    over its permutations and itself. Both are the same whichever of them is observed, so the test stays
    exact. It keeps the dependence between rows and is therefore less strict than Bonferroni.

    Probes are not fitted again, so their answers must not depend on the labels of test items. Those of
    nested folds do: the label of an item also trained the probes of other folds, so p is too small.

    Args:
        answers: Answers of each probe to n test items, (rows, n): classes, int64, or scores, float64.
            Label sets are bool (rows, n, k).
        gold: Gold values of the items, (n,) or (n, k).
        metric: Metric of the scores.
        groups: Data set of each item, int64 (n,), if the score is a mean over data sets.
        average: Whether that mean is weighted by size.
        draws: Number of permutations.
        seed: Seed of the permutations.

    Returns:
        A row for each probe, in the order of `answers` and of `Predictions.rows`, with columns `p` and
        `p_adjusted` as in results. Both are from 1 / (draws + 1) to 1; p is never above adjusted p. A row
        that answers the same to every item has 1.

    Example:
        >>> import numpy as np, probing
        >>> gold = np.tile([0, 1], 20)
        >>> answers = np.stack([gold, np.zeros_like(gold)])
        >>> probing.permutation_p(answers, gold, "accuracy", draws=999)
               p  p_adjusted
        0  0.001       0.001
        1  1.000       1.000
    """
    alone, best = permutation_test(
        answers, gold, metric, groups=groups, average=average, draws=draws, seed=seed
    )
    return pd.DataFrame({"p": alone, "p_adjusted": best})


def permutation_test(
    answers: NDArray[Any],
    gold: NDArray[Any],
    metric: Metric,
    *,
    groups: NDArray[np.int64] | None = None,
    average: Average = "mean",
    draws: int = 1000,
    seed: int = 0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return p and adjusted p as `permutation_p` does, float64 (rows,) both."""
    dimensions = 2 if gold.dtype == np.bool_ else 1
    if gold.ndim != dimensions or answers.shape[1:] != gold.shape or answers.ndim < 2 or not len(gold):
        raise ProbingError(
            f"permutation_p: answers {answers.shape}, gold {gold.shape}; give (rows, n) and (n,), n above 0"
        )
    parts = (
        [np.arange(len(gold))] if groups is None else [np.flatnonzero(groups == g) for g in np.unique(groups)]
    )
    sizes = np.array([len(part) if average == "weighted" else 1.0 for part in parts])
    generator = np.random.default_rng(seed)
    scores = np.zeros((len(answers), draws + 1))
    for part, weight in zip(parts, sizes / sizes.sum(), strict=True):
        scores += weight * _permuted(
            _scorer(answers[:, part], gold[part], metric), len(part), draws, generator
        )
    standard = _standardised(scores)
    observed, drawn = standard[:, :1] - TIE, standard[:, 1:]
    alone, best = (drawn >= observed).sum(1), (drawn.max(0, initial=-np.inf) >= observed).sum(1)
    return (1 + alone) / (draws + 1), (1 + best) / (draws + 1)


def _permuted(scorer: Scorer, n: int, draws: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return the scores of the original order, then of `draws` random ones; float64 (rows, draws + 1)."""
    found = [scorer(np.arange(n)[None])]
    for first in range(0, draws, BLOCK):
        size = min(BLOCK, draws - first)
        found.append(scorer(np.stack([generator.permutation(n) for _ in range(size)])))
    return np.concatenate(found, axis=1)


def _standardised(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rows with mean 0 and standard deviation 1; 0 where a row is constant up to rounding."""
    centred = scores - scores.mean(1, keepdims=True)
    spread = centred.std(1, keepdims=True)
    found: NDArray[np.float64] = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 1e-12)
    return found


def _scorer(answers: NDArray[Any], gold: NDArray[Any], metric: Metric) -> Scorer:
    """Return a function that scores permutations of `gold`, up to a constant that is fixed for each row."""
    if metric in SCORE_METRICS:
        guesses, truth = (correlate(torch.from_numpy(v), metric).numpy() for v in (answers, gold))
        return lambda orders: guesses @ truth[orders].T
    return (_label_scorer if gold.dtype == np.bool_ else _class_scorer)(answers, gold, metric)


def _label_scorer(answers: NDArray[np.bool_], gold: NDArray[np.bool_], metric: Metric) -> Scorer:
    """Return the scorer of label sets: with the frequencies of labels fixed, an F1 is linear in the hits."""
    if metric == "exact_match":
        sets = np.concatenate([answers.reshape(-1, gold.shape[1]), gold])
        codes = np.unique(sets, axis=0, return_inverse=True)[1].ravel()
        guesses, truth = codes[: -len(gold)].reshape(answers.shape[:2]), codes[-len(gold) :]
        return _class_scorer(guesses, truth, "accuracy")
    margins = Margins.of(torch.from_numpy(answers), torch.from_numpy(gold))
    seen = (margins.labelled + margins.predicted).numpy()
    if metric == "micro_f1":
        seen = np.broadcast_to(seen.sum(1, keepdims=True), seen.shape)
        worth = 2 / np.maximum(seen, 1)
    else:
        worth = 2 / np.maximum(seen, 1) / np.maximum((seen > 0).sum(1, keepdims=True), 1)

    def score(orders: NDArray[np.int64]) -> NDArray[np.float64]:
        found = np.zeros((len(answers), len(orders)))
        for label in range(gold.shape[1]):
            # counts below 2²⁴ are exact in float32
            hits = answers[:, :, label].astype(np.float32) @ gold[orders, label].T.astype(np.float32)
            found += worth[:, label, None] * hits
        return found

    return score


def _class_scorer(answers: NDArray[np.int64], gold: NDArray[np.int64], metric: Metric) -> Scorer:
    """Return the scorer of classes: every score is a weighted sum of the items that are answered right."""
    kind = np.min_scalar_type(max(int(answers.max()), int(gold.max()), 1))
    guesses, truth = np.ascontiguousarray(answers, dtype=kind), gold.astype(kind)
    worth = _worth(answers, gold, metric)
    flat = bool((worth == worth[:, :1]).all())
    of_item = worth[:, :1] if flat else np.take_along_axis(worth, answers, 1)

    def score(orders: NDArray[np.int64]) -> NDArray[np.float64]:
        found = np.empty((len(guesses), len(orders)))
        right = np.empty(guesses.shape, dtype=bool)
        for place, order in enumerate(orders):
            np.equal(guesses, truth[order], out=right)
            # counting row by row is several times as fast as along an axis
            found[:, place] = [np.count_nonzero(row) for row in right] if flat else (of_item * right).sum(1)
        return found * of_item if flat else found

    return score


def _worth(answers: NDArray[np.int64], gold: NDArray[np.int64], metric: Metric) -> NDArray[np.float64]:
    """Return the contribution of one right answer of each class to the score of each row; float64 (rows, k).

    Permutations do not change how often a class is answered and how often it is true. With these fixed,
    every score that is computed from a confusion matrix is linear in the hits.
    """
    margins = Margins.of(torch.from_numpy(answers), torch.from_numpy(gold))
    if metric == "accuracy":
        return np.full(margins.hits.shape, 1 / len(gold))
    none, k = torch.zeros_like(margins.hits), margins.hits.shape[-1]
    base = COUNTED[metric](Margins(none, margins.labelled, margins.predicted))
    found = []
    for label in range(k):
        one = none.clone()
        one[:, label] = 1
        found.append(COUNTED[metric](Margins(one, margins.labelled, margins.predicted)) - base)
    worth: NDArray[np.float64] = torch.stack(found, dim=-1).numpy()
    # with two classes, one more hit of one comes with one more hit of the other
    return np.repeat(worth.mean(1, keepdims=True), 2, axis=1) if k == 2 else worth
