"""Folds and held-out parts of the training rows, seeded and balanced by class, or by fifths of scores."""

from __future__ import annotations

import warnings

import numpy as np

from probing.errors import ProbingError
from probing.tasks.problem import Problem, Rows
from probing.tasks.target import Classes

Split = tuple[Rows, Rows]
# one in this many training rows is held out by `selection="holdout"`
TENTH = 10


def inner_splits(problem: Problem) -> list[Split]:
    """Return the (fit, score) rows on which settings are selected, as indices into all n rows.

    With `selection="dev"` these are train and dev; otherwise both parts come from train.

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
    """Return the (fit, test) rows of `selection="nested"`; every row of train is tested once.

    Raises:
        ProbingError: If train is too small for the folds.
    """
    return _folds_of_train(problem)


def folds(strata: Rows, n_folds: int, seed: int) -> list[Split]:
    """Return stratified folds, (fit, score) each, as scikit-learn and therefore SentEval draw them.

    Args:
        strata: int64 (n,), labels or other groups to balance over folds.
        n_folds: Number of folds; at least one stratum needs this many examples.
        seed: Seed of the shuffling within each class.

    Raises:
        ProbingError: If no stratum has that many.
    """
    from sklearn.model_selection import StratifiedKFold

    most = int(np.bincount(strata).max())
    if most < n_folds:
        raise ProbingError(
            f"a part of train has at most {most} examples per class for {n_folds} folds; lower task.folds"
        )
    splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # a rare class may be missing from some held-out parts; the mean over folds allows for that
        warnings.filterwarnings("ignore", message="The least populated class")
        return list(splitter.split(np.zeros(len(strata)), strata))


def tenth(strata: Rows, seed: int) -> Split:
    """Return nine tenths to fit on and a tenth to score, each class within one example of its share.

    Rows are ordered by class, at random within each class, and every tenth is held out. Unlike a stratified
    shuffle split, this works with any number of classes. A class with one example keeps it in the fit.

    Args:
        strata: int64 (n,), labels or other groups to balance over both parts.
        seed: Seed of the order.
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
    """Return strata of train alone, unaffected by other rows; a single stratum where `least` is too many."""
    strata = problem.target.take(problem.train).strata
    few = not isinstance(problem.target, Classes) and np.bincount(strata).max() < least
    return np.zeros_like(strata) if few else strata
