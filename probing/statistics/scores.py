"""Test scores of probes, over data sets and folds where there are several."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from probing.io.lazy import torch
from probing.statistics.folds import outer_folds
from probing.statistics.metrics import score
from probing.tasks.problem import Problem, Rows
from probing.tasks.target import Labels, Metric, Scores


def test_scores(problem: Problem, predictions: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    """Return the test score under every metric of the target and, for scores, the mean squared error.

    Args:
        problem: The problem that the probes were fitted to.
        predictions: (u, n_test), for several labels (u, n_test, k), rows as in `problem.test`.

    Returns:
        Scores by metric, float64 (u,). With `selection="nested"` they are means over outer folds, as SentEval
        reports them. For several data sets they are plain or size-weighted means. A correlation with constant
        predictions, which is undefined, counts as 0.
    """
    metrics: tuple[str, ...] = problem.target.metrics
    if isinstance(problem.target, Scores):
        metrics = (*metrics, "mse")
    return {metric: _score(problem, predictions, metric) for metric in metrics}


def majority(problem: Problem) -> float:
    """Return the test score of always predicting the most frequent class of train; 0 for correlations.

    For several labels it is the score of always predicting the same set of them, the set that scores best on
    train. With `selection="nested"` it is the class, or set, of each outer fold's own train part.
    """
    if isinstance(problem.target, Scores):
        return 0.0
    folds = outer_folds(problem) if problem.selection == "nested" else [(problem.train, problem.test)]
    answer = np.zeros_like(problem.gold)
    for fit, held in folds:
        if isinstance(problem.target, Labels):
            answer[held] = _best_set(problem.gold[fit], problem.metric)
        else:
            answer[held] = np.bincount(problem.gold[fit]).argmax()
    return float(_score(problem, answer[None, problem.test], problem.metric)[0])


def test_parts(problem: Problem) -> list[tuple[Rows, float]]:
    """Return the parts of test that are scored separately, as positions in `problem.test`, and their weights.

    The weights add up to 1.
    """
    of_row = np.zeros(len(problem.target), dtype=np.int64)
    if problem.selection == "nested":
        for number, (_, held) in enumerate(outer_folds(problem)):
            of_row[held] = number
    elif problem.groups is not None:
        of_row = problem.groups
    of_test = of_row[problem.test]
    parts = [np.flatnonzero(of_test == number) for number in np.unique(of_test)]
    by_size = problem.selection != "nested" and problem.average == "weighted"
    sizes = [len(part) if by_size else 1 for part in parts]
    return [(part, size / sum(sizes)) for part, size in zip(parts, sizes, strict=True)]


def _best_set(gold: NDArray[np.bool_], metric: Metric) -> NDArray[np.bool_]:
    """Return the set that scores best if it is given to all of some examples; bool (k,).

    Args:
        gold: bool (n, k), labels of the examples.
        metric: A metric of labels. For an F1, the best set has the most frequent labels, some number of
            them; for exact matches, it is the most frequent set.
    """
    order = np.argsort(-gold.sum(0), kind="stable")
    sets, times = np.unique(gold, axis=0, return_counts=True)
    tried = [np.isin(np.arange(gold.shape[1]), order[:size]) for size in range(gold.shape[1] + 1)]
    tried.append(sets[times.argmax()])
    truth = torch.from_numpy(gold)
    scores = [float(score(torch.from_numpy(one).expand_as(truth), truth, metric)) for one in tried]
    return tried[int(np.argmax(scores))]


def _score(problem: Problem, predictions: NDArray[Any], metric: Any) -> NDArray[np.float64]:  # noqa: ANN401
    guesses, gold = torch.from_numpy(predictions), torch.from_numpy(problem.gold[problem.test])
    total = np.zeros(len(predictions))
    for part, weight in test_parts(problem):
        total += weight * score(guesses[:, part], gold[part], metric).numpy()
    return total
