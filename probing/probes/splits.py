"""Folds and held-out parts of the training rows, seeded and balanced by class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from probing.probes.problem import Problem

Rows = NDArray[np.int64]
# one training row in so many is held out by `selection="holdout"`
TENTH = 10


def inner_splits(problem: Problem) -> list[tuple[Rows, Rows]]:
    """The (fit, score) rows on which settings are chosen, as indices into all n rows.

    On `selection="dev"` that is train and dev; otherwise both parts come from train.
    """
    if problem.selection == "dev":
        return [(problem.train, problem.dev)]
    labels = problem.labels[problem.train]
    parts = (
        folds(labels, problem.folds, problem.seed)
        if problem.selection == "kfold"
        else [tenth(labels, problem.seed)]
    )
    return [(problem.train[fit], problem.train[score]) for fit, score in parts]


def folds(labels: Rows, n_folds: int, seed: int) -> list[tuple[Rows, Rows]]:
    """Stratified folds, (fit, score) each, as scikit-learn and hence SentEval draw them.

    Args:
        labels: int64 (n,).
        n_folds: Number of folds; every class needs as many examples.
        seed: Seeds the shuffling within each class.
    """
    from sklearn.model_selection import StratifiedKFold

    splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    return list(splitter.split(np.zeros(len(labels)), labels))


def tenth(labels: Rows, seed: int) -> tuple[Rows, Rows]:
    """Nine tenths to fit on and a tenth to score, each class within one example of its share.

    Rows are ordered by class, at random within each, and every tenth is held out. Unlike a stratified
    shuffle split this works with any number of classes; a class with one example keeps it in the fit.

    Args:
        labels: int64 (n,).
        seed: Seeds the order.
    """
    shuffled = np.random.RandomState(seed).permutation(len(labels))
    ordered = shuffled[np.argsort(labels[shuffled], kind="stable")]
    shared = ordered[np.bincount(labels)[labels[ordered]] > 1]
    step = min(TENTH, len(shared))
    score = np.sort(shared[step // 2 :: step])
    return np.setdiff1d(np.arange(len(labels)), score), score
