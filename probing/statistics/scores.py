"""Test scores of probes, over data sets and folds where there are several."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from probing.io.lazy import torch
from probing.statistics.folds import outer_folds
from probing.statistics.metrics import score
from probing.tasks.problem import Problem, Rows
from probing.tasks.target import Classes


def test_scores(problem: Problem, predictions: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    """Return the test score under every metric of the target and, for scores, the mean squared error.

    Args:
        problem: The problem that the probes were fitted to.
        predictions: (u, n_test), rows as in `problem.test`.

    Returns:
        Scores by metric, float64 (u,). With `selection="nested"` they are means over outer folds, as SentEval
        reports them. For several data sets they are plain or size-weighted means. A correlation with constant
        predictions, which is undefined, counts as 0.
    """
    metrics = problem.target.metrics
    if not isinstance(problem.target, Classes):
        metrics = (*metrics, "mse")
    return {metric: _score(problem, predictions, metric) for metric in metrics}


def majority(problem: Problem) -> float:
    """Return the test score of always predicting the most frequent class of train; 0 for correlations.

    With `selection="nested"` it is the most frequent class of each outer fold's own train part.
    """
    if not isinstance(problem.target, Classes):
        return 0.0
    labels, answer = problem.target.labels, np.zeros(len(problem.target), dtype=np.int64)
    folds = outer_folds(problem) if problem.selection == "nested" else [(problem.train, problem.test)]
    for fit, held in folds:
        answer[held] = np.bincount(labels[fit]).argmax()
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


def _score(problem: Problem, predictions: NDArray[Any], metric: Any) -> NDArray[np.float64]:  # noqa: ANN401
    guesses, gold = torch.from_numpy(predictions), torch.from_numpy(problem.gold[problem.test])
    total = np.zeros(len(predictions))
    for part, weight in test_parts(problem):
        total += weight * score(guesses[:, part], gold[part], metric).numpy()
    return total
