"""Nested k-fold: every example is tested once, by a probe fitted and selected without its fold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probing.probes.contract import Fit
from probing.statistics.folds import outer_folds
from probing.tasks.problem import Problem


def outer_problems(problem: Problem) -> list[Problem]:
    """Return the k-fold problem on the train part of each outer fold, as SentEval's InnerKFoldClassifier.

    Raises:
        ProbingError: If train is too small for the folds.
    """
    return [
        replace(problem, train=fit, test=held, selection="kfold", groups=None)
        for fit, held in outer_folds(problem)
    ]


def join_outer(problem: Problem, outer: list[Problem], fits: list[Fit]) -> Fit:
    """Merge the fits of all outer folds into one; see `Fit` for how each part is merged.

    Args:
        problem: The nested problem.
        outer: The problems that `outer_problems` returned.
        fits: The fit of each of them.
    """
    place = np.empty(len(problem.target), dtype=np.int64)
    place[problem.test] = np.arange(len(problem.test))

    def joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
        units, _, *rest = parts[0].shape
        whole: NDArray[Any] = np.empty((units, len(problem.test), *rest), dtype=parts[0].dtype)
        for fold, part in zip(outer, parts, strict=True):
            whole[:, place[fold.test]] = part
        return whole

    chances = [fit.log_probabilities for fit in fits if fit.log_probabilities is not None]
    return Fit(
        dev=np.mean([fit.dev for fit in fits], axis=0),
        l2=np.median([fit.l2 for fit in fits], axis=0),
        predictions=joined([fit.predictions for fit in fits]),
        weights=np.mean([fit.weights for fit in fits], axis=0),
        bias=np.mean([fit.bias for fit in fits], axis=0),
        log_probabilities=joined(chances) if chances else None,
    )
