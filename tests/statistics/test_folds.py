from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from probing.statistics.folds import folds, inner_splits, tenth
from probing.tasks.target import Scores
from tests.probes.made import problem

LABELS = np.random.default_rng(0).choice(4, size=203, p=[0.6, 0.25, 0.1, 0.05])


def test_folds_are_scikit_learns() -> None:
    theirs = StratifiedKFold(4, shuffle=True, random_state=3).split(LABELS, LABELS)
    for (fit, held), (a, b) in zip(folds(LABELS, 4, 3), theirs, strict=True):
        np.testing.assert_array_equal(fit, a)
        np.testing.assert_array_equal(held, b)


def test_a_tenth_of_each_class_is_held_out() -> None:
    fit, held = tenth(LABELS, 0)
    np.testing.assert_array_equal(np.sort(np.concatenate([fit, held])), np.arange(203))
    shares = np.bincount(LABELS) / 10
    assert (np.abs(np.bincount(LABELS[held], minlength=4) - shares) <= 1).all()
    np.testing.assert_array_equal(tenth(LABELS, 0)[1], held)
    assert not np.array_equal(tenth(LABELS, 1)[1], held)


@pytest.mark.parametrize("labels", [np.arange(30) % 15, np.r_[np.arange(5), 0, 1], np.array([0, 0, 1, 1])])
def test_a_tenth_leaves_every_class_in_the_fit(labels: NDArray[np.int64]) -> None:
    for seed in range(20):
        fit, held = tenth(labels, seed)
        assert len(held)
        assert set(labels[fit]) == set(labels)


@pytest.mark.parametrize("selection", ["kfold", "holdout"])
def test_scores_are_held_out_from_low_to_high(selection: str) -> None:
    values = np.random.default_rng(0).exponential(size=200)
    target = Scores(values, (0.0, 5.0))
    fifths = target.take(problem(target, selection).train).strata
    for fit, held in inner_splits(problem(target, selection)):
        assert sorted(np.concatenate([fit, held])) == list(range(160))
        shares = np.bincount(fifths[held]) / len(held)
        np.testing.assert_allclose(shares, 0.2, atol=0.06)


@pytest.mark.parametrize("selection", ["kfold", "holdout"])
def test_a_few_scores_are_enough(selection: str) -> None:
    for n in (10, 15):
        target = Scores(np.arange(float(n)), (0.0, 20.0))
        for fit, held in inner_splits(problem(target, selection)):
            assert len(fit)
            assert len(held)


def test_settings_are_chosen_on_train_or_dev_only() -> None:
    for selection, parts in (("dev", 1), ("kfold", 4), ("holdout", 1)):
        asked = problem(LABELS, selection)
        splits = inner_splits(asked)
        assert len(splits) == parts
        for fit, held in splits:
            assert not set(fit) & set(held)
            assert not (set(fit) | set(held)) & set(asked.test)
    assert inner_splits(problem(LABELS))[0][1] is not None
