"""Folds and held-out parts of the training rows, seeded and balanced by class, or by fifths of scores."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.tasks.problem import Problem
from probing.tasks.target import Classes

Rows = NDArray[np.int64]
Split = tuple[Rows, Rows]
# one training row in so many is held out by `selection="holdout"`
TENTH = 10


def inner_splits(problem: Problem) -> list[Split]:
    """The (fit, score) rows on which settings are chosen, as indices into all n rows.

    On `selection="dev"` that is train and dev; otherwise both parts come from train.

    Raises:
        ProbingError: If train is too small for the folds.
    """
    if problem.selection == "dev":
        return [(problem.train, problem.dev)]
    if problem.selection == "holdout":
        fit, score = tenth(_strata(problem, 2), problem.seed)
        return [(problem.train[fit], problem.train[score])]
    return _folds_of_train(problem)


def outer_folds(problem: Problem) -> list[Split]:
    """The (fit, test) rows of `selection="nested"`; every row of train is tested once.

    Raises:
        ProbingError: If train is too small for the folds.
    """
    return _folds_of_train(problem)


def folds(strata: Rows, n_folds: int, seed: int) -> list[Split]:
    """Stratified folds, (fit, score) each, as scikit-learn and hence SentEval draw them.

    Args:
        strata: int64 (n,), labels, or whatever else should be found in every fold alike.
        n_folds: Number of folds; some stratum needs as many examples.
        seed: Seeds the shuffling within each class.

    Raises:
        ProbingError: If no stratum has as many.
    """
    from sklearn.model_selection import StratifiedKFold

    most = int(np.bincount(strata).max())
    if most < n_folds:
        raise ProbingError(
            f"no class has more than {most} examples for {n_folds} folds of a part of train; lower task.folds"
        )
    splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # a rare class is missing from some of the held-out parts, which a mean over them allows for
        warnings.filterwarnings("ignore", message="The least populated class")
        return list(splitter.split(np.zeros(len(strata)), strata))


def tenth(strata: Rows, seed: int) -> Split:
    """Nine tenths to fit on and a tenth to score, each class within one example of its share.

    Rows are ordered by class, at random within each, and every tenth is held out. Unlike a stratified
    shuffle split this works with any number of classes; a class with one example keeps it in the fit.

    Args:
        strata: int64 (n,), labels, or whatever else should be found in both parts alike.
        seed: Seeds the order.
    """
    shuffled = np.random.RandomState(seed).permutation(len(strata))
    ordered = shuffled[np.argsort(strata[shuffled], kind="stable")]
    shared = ordered[np.bincount(strata)[strata[ordered]] > 1]
    step = min(TENTH, len(shared))
    score = np.sort(shared[step // 2 :: step])
    return np.setdiff1d(np.arange(len(strata)), score), score


def _folds_of_train(problem: Problem) -> list[Split]:
    parts = folds(_strata(problem, problem.folds), problem.folds, problem.seed)
    return [(problem.train[fit], problem.train[score]) for fit, score in parts]


def _strata(problem: Problem, least: int) -> Rows:
    """Of train alone, so that scores of other rows have no say; one for all where `least` is too many."""
    strata = problem.target.take(problem.train).strata
    few = not isinstance(problem.target, Classes) and np.bincount(strata).max() < least
    return np.zeros_like(strata) if few else strata
