"""Permutation tests find nothing where there is nothing, however many rows are looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats

from probing.statistics.metrics import score
from probing.statistics.significance import permutation_p, permutation_test
from probing.tasks.target import Metric
from probing.tasks.task import Average

METRICS: list[Metric] = ["accuracy", "macro_f1", "f1", "matthews", "pearson", "spearman"]


def noise(rng: np.random.Generator, rows: int, n: int, metric: Metric) -> tuple[NDArray[Any], NDArray[Any]]:
    """Answers that lean to one class as much as the row says, and gold that has nothing to do with them."""
    if metric in ("pearson", "spearman"):
        return rng.normal(size=(rows, n)).round(1), rng.normal(size=n).round(1)
    lean = np.linspace(0.1, 0.9, rows)[:, None]
    return (rng.random((rows, n)) < lean).astype(np.int64), (rng.random(n) < 0.6).astype(np.int64)


@pytest.mark.parametrize("metric", METRICS)
def test_one_row_agrees_with_scipy(metric: Metric) -> None:
    rng = np.random.default_rng(3)
    answers, gold = noise(rng, 1, 40, metric)
    answers = np.where(rng.random(40) < 0.15, gold, answers)
    guess = torch.from_numpy(answers[0])

    def statistic(labels: NDArray[Any]) -> float:
        return float(score(guess, torch.from_numpy(labels), metric))

    expected = stats.permutation_test(
        (gold,), statistic, permutation_type="pairings", alternative="greater", n_resamples=1500, rng=rng
    ).pvalue
    p, adjusted = permutation_test(answers, gold, metric, draws=1500)
    assert 0.005 < expected < 0.6
    assert p[0] == adjusted[0]
    assert abs(p[0] - expected) < 4 * np.sqrt(2 * expected * (1 - expected) / 1500)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("average", ["mean", "weighted"])
def test_permuted_scores_are_those_of_the_metric_within_each_data_set(
    metric: Metric, average: Average
) -> None:
    """With every order of so few items drawn, p is the share of orders that score no worse."""
    rng = np.random.default_rng(1)
    answers, gold = noise(rng, 3, 14, metric)
    groups = np.array([0] * 4 + [1] * 10)
    weights = [4 / 14, 10 / 14] if average == "weighted" else [0.5, 0.5]

    def total(labels: NDArray[Any]) -> NDArray[np.float64]:
        parts = [
            w
            * score(torch.from_numpy(answers[:, groups == g]), torch.from_numpy(labels[groups == g]), metric)
            for g, w in enumerate(weights)
        ]
        return sum(parts[1:], parts[0]).numpy()

    drawn = []
    for _ in range(1000):
        labels = gold.copy()
        for g in (0, 1):
            labels[groups == g] = rng.permutation(gold[groups == g])
        drawn.append(total(labels))
    expected = (np.array(drawn) >= total(gold) - 1e-9).mean(0)
    p, _ = permutation_test(answers, gold, metric, groups=groups, average=average, draws=3000)
    np.testing.assert_allclose(p, expected, atol=0.07)


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "pearson"])
def test_p_is_uniform_and_the_best_of_many_is_found_no_more_often_than_nominal(metric: Metric) -> None:
    rng, runs, level = np.random.default_rng(0), 300, 0.1
    alone, best = [], []
    for run in range(runs):
        p, adjusted = permutation_test(*noise(rng, 12, 60, metric), metric, draws=99, seed=run)
        assert (adjusted >= p).all()
        alone.append(p)
        best.append(adjusted.min())
    error = 3 * np.sqrt(level * (1 - level) / runs)
    # without the correction the best of twelve is found far more often
    assert np.mean(np.min(alone, 1) <= level) > 0.4
    assert np.mean(np.array(best) <= level) <= level + error
    # ties make p larger, never smaller
    slack = 0 if metric == "pearson" else 1
    assert np.mean(np.array(best) <= level) >= level - error - slack
    for at in (0.1, 0.25, 0.5):
        share = np.mean(np.array(alone) <= at)
        # the twelve rows of one run are all but independent
        error = 3 * np.sqrt(at * (1 - at) / (12 * runs))
        assert at - error - slack <= share <= at + error


def test_rows_that_differ_by_chance_alone_count_alike_in_the_maximum() -> None:
    """A row near the majority has the higher score by chance; it must not hide a real effect elsewhere."""
    rng = np.random.default_rng(0)
    gold = (rng.random(400) < 0.8).astype(np.int64)
    lazy = np.ones(400, dtype=np.int64)
    lazy[:10] = 0
    real = np.where(rng.random(400) < 0.35, gold, rng.integers(0, 2, 400))
    assert (lazy == gold).mean() > (real == gold).mean()
    p, adjusted = permutation_test(np.stack([lazy, real]), gold, "accuracy", draws=500)
    assert adjusted[1] < 0.02
    assert p[0] > 0.05


def test_a_real_effect_is_found_among_many_and_the_least_p_is_that_of_the_draws() -> None:
    rng = np.random.default_rng(0)
    answers, gold = noise(rng, 50, 200, "accuracy")
    answers[7] = np.where(rng.random(200) < 0.5, gold, answers[7])
    p, adjusted = permutation_test(answers, gold, "accuracy", draws=199)
    assert p[7] == adjusted[7] == 1 / 200
    assert np.delete(adjusted, 7).min() > 1 / 200


def test_a_row_that_always_answers_the_same_has_p_of_one() -> None:
    gold = np.arange(30) % 2
    answers = np.stack([np.ones(30, dtype=np.int64), gold])
    for found in permutation_test(answers, gold, "macro_f1", draws=99):
        assert found.tolist() == [1.0, 0.01]
    scores = np.stack([np.full(30, 0.1), gold + 0.0])
    assert permutation_test(scores, gold + 0.0, "spearman", draws=99)[1].tolist() == [1.0, 0.01]


def test_draws_repeat_with_the_seed_whatever_other_rows_there_are() -> None:
    rng = np.random.default_rng(0)
    answers, gold = noise(rng, 6, 80, "accuracy")
    p, _ = permutation_test(answers, gold, "accuracy", draws=200, seed=4)
    np.testing.assert_array_equal(
        permutation_test(answers[2:4], gold, "accuracy", draws=200, seed=4)[0], p[2:4]
    )
    assert (permutation_test(answers, gold, "accuracy", draws=200, seed=5)[0] != p).any()


def test_the_public_function_returns_a_row_for_each_probe() -> None:
    rng = np.random.default_rng(0)
    answers, gold = noise(rng, 5, 40, "accuracy")
    frame = permutation_p(answers, gold, "accuracy", draws=99, seed=2)
    p, adjusted = permutation_test(answers, gold, "accuracy", draws=99, seed=2)
    assert list(frame.columns) == ["p", "p_adjusted"]
    assert list(frame.index) == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(frame, np.stack([p, adjusted], axis=1))
