from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score, mean_squared_error
from sklearn.model_selection import StratifiedKFold

from probing.statistics import scores
from probing.tasks.target import Scores
from tests.probes.made import classes, problem

RNG = np.random.default_rng(0)
LABELS = RNG.choice(2, size=200, p=[0.3, 0.7])
VALUES = RNG.integers(6, size=200).astype(float)
ANCHORS = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)


def guesses_for(gold: NDArray[Any]) -> NDArray[Any]:
    """Those of three units, right about half of the time."""
    rng = np.random.default_rng(1)
    shuffled = np.stack([rng.permutation(gold) for _ in range(3)])
    return np.where(rng.random((3, len(gold))) < 0.5, gold, shuffled)


def test_every_metric_of_the_target_is_told() -> None:
    asked = problem(LABELS)
    gold = LABELS[asked.test]
    guesses = guesses_for(gold)
    found = scores.test_scores(asked, guesses)
    assert set(found) == {"accuracy", "macro_f1", "f1", "matthews"}
    np.testing.assert_allclose(found["f1"], [f1_score(gold, one) for one in guesses])
    assert set(scores.test_scores(problem(classes(LABELS, 3)), guesses)) == {"accuracy", "macro_f1"}
    graded = problem(Scores(VALUES, ANCHORS))
    gold = VALUES[graded.test]
    guesses = guesses_for(gold)
    found = scores.test_scores(graded, guesses)
    assert set(found) == {"pearson", "spearman", "mse"}
    np.testing.assert_allclose(found["spearman"], [spearmanr(gold, one)[0] for one in guesses])
    np.testing.assert_allclose(found["mse"], [mean_squared_error(gold, one) for one in guesses])


@pytest.mark.parametrize("average", ["mean", "weighted"])
def test_data_sets_are_scored_apart(average: str) -> None:
    groups = np.arange(200) % 7 % 3
    asked = problem(Scores(VALUES, ANCHORS), "none", groups=groups, average=average)
    gold, of_test = VALUES[asked.test], groups[asked.test]
    guesses = guesses_for(gold)
    for unit in range(3):
        apart = [pearsonr(gold[of_test == g], guesses[unit, of_test == g])[0] for g in range(3)]
        weights = np.bincount(of_test) if average == "weighted" else None
        mine = scores.test_scores(asked, guesses)["pearson"][unit]
        assert mine == pytest.approx(np.average(apart, weights=weights))


def test_nested_scores_are_means_over_outer_folds() -> None:
    asked = problem(LABELS, "nested")
    guesses = guesses_for(LABELS)
    outer = list(StratifiedKFold(4, shuffle=True, random_state=7).split(LABELS, LABELS))
    for metric, one in (("accuracy", accuracy_score), ("f1", f1_score)):
        means = [np.mean([one(LABELS[held], guess[held]) for _, held in outer]) for guess in guesses]
        np.testing.assert_allclose(scores.test_scores(asked, guesses)[metric], means)


def test_majority_is_what_train_has_most_of() -> None:
    asked = problem(LABELS)
    assert scores.majority(asked) == pytest.approx((LABELS[asked.test] == 1).mean())
    flipped = LABELS.copy()
    flipped[asked.test] = 0
    assert scores.majority(problem(flipped)) == 0
    assert scores.majority(problem(LABELS, metric="matthews")) == 0
    assert scores.majority(problem(LABELS, "nested")) == pytest.approx(LABELS.mean(), abs=0.01)
    assert scores.majority(problem(Scores(VALUES, ANCHORS), "none")) == 0


def test_nested_majority_is_that_of_each_outer_train() -> None:
    # 101 against 99: whatever is held out, more of the first are left
    labels = np.r_[np.zeros(101, dtype=np.int64), np.ones(99, dtype=np.int64)]
    assert scores.majority(problem(labels, "nested")) == pytest.approx(0.505, abs=0.005)
