"""Paired tests find what was planted, as often as they should, and agree with SciPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats

from probing.comparisons.paired import compare_heads, like_best
from probing.errors import ProbingError
from probing.results.load import Predictions
from probing.statistics.metrics import score
from probing.statistics.paired_tests import holm, mcnemar, swapped, two_sided
from probing.tasks.target import Metric
from tests.comparisons.test_compare import grid

pytestmark = pytest.mark.slow


def answered(
    answers: NDArray[Any],
    gold: NDArray[Any],
    metric: str = "accuracy",
    groups: NDArray[np.int64] | None = None,
) -> Predictions:
    """One layer of heads with the given answers; dev is the number of the head."""
    rows = grid(np.zeros((1, len(answers))), metric=metric)
    dev = pd.array(np.arange(len(answers)) / 10, dtype="Float64")
    return Predictions(rows.assign(dev=dev), answers, gold, groups)


def noisy(rng: np.random.Generator, gold: NDArray[np.int64], right: list[float]) -> NDArray[np.int64]:
    """Answers that are right with the given chances, else any other of three classes."""
    wrong = (gold + rng.integers(1, 3, size=(len(right), len(gold)))) % 3
    return np.where(rng.random(wrong.shape) < np.array(right)[:, None], gold, wrong)


def test_mcnemar_is_a_binomial_test_of_the_items_that_only_one_is_right_on() -> None:
    rng = np.random.default_rng(0)
    gold = rng.integers(3, size=80)
    one, two = noisy(rng, gold, [0.7, 0.5])
    only = [int(((one == gold) & (two != gold)).sum()), int(((two == gold) & (one != gold)).sum())]
    assert mcnemar(one, two, gold) == pytest.approx(stats.binomtest(only[0], sum(only)).pvalue)
    assert mcnemar(one, two, gold) == mcnemar(two, one, gold)
    assert mcnemar(one, one, gold) == 1


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "pearson", "spearman"])
def test_swapping_answers_agrees_with_scipy(metric: Metric) -> None:
    rng, graded = np.random.default_rng(1), metric in {"pearson", "spearman"}
    gold: NDArray[Any] = rng.normal(size=40) if graded else rng.integers(3, size=40)
    if graded:
        one, two = (stats.zscore(gold + noise * rng.normal(size=40)) for noise in (1.0, 1.6))
    else:
        one, two = noisy(rng, gold, [0.75, 0.6])
    of: Metric = metric
    if metric == "spearman":  # ranks are swapped, and not taken anew
        of, one, two, gold = "pearson", *(stats.rankdata(values) for values in (one, two, gold))
    truth = torch.from_numpy(gold)

    def difference(first: NDArray[Any], second: NDArray[Any]) -> float:
        scores = [score(torch.from_numpy(np.asarray(answers)), truth, of) for answers in (first, second)]
        return float(scores[0] - scores[1])

    expected = stats.permutation_test(
        (one, two), difference, permutation_type="samples", n_resamples=1500, rng=np.random.default_rng(0)
    ).pvalue
    drawn = swapped(one, two, gold, metric, 1500, np.random.default_rng(0))
    assert drawn[0] == pytest.approx(difference(one, two))
    assert 0.01 < expected < 0.9
    assert abs(two_sided(drawn) - expected) < 4 * np.sqrt(2 * expected * (1 - expected) / 1500)


def test_holm_is_step_down_bonferroni() -> None:
    p = np.array([0.01, np.nan, 0.04, 0.03, 0.005])
    assert holm(p).tolist() == pytest.approx([0.03, np.nan, 0.06, 0.06, 0.02], nan_ok=True)
    assert holm(np.array([0.6, 0.7])).tolist() == [1, 1]
    assert holm(np.array([0.2])).tolist() == [0.2]


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_alike_heads_are_told_apart_no_more_often_than_nominal(metric: Metric) -> None:
    rng, runs, level = np.random.default_rng(0), 120, 0.1
    alone, any_adjusted = [], []
    for run in range(runs):
        gold = rng.integers(3, size=60)
        table = compare_heads(answered(noisy(rng, gold, [0.6] * 5), gold, metric), draws=99, seed=run)
        alone.append(table["p"].dropna().to_numpy())
        any_adjusted.append(table["p_adjusted"].min() <= level)
    error = 3 * np.sqrt(level * (1 - level) / runs)
    assert np.mean(any_adjusted) <= level + error
    # four tests share a reference, so they are not independent
    assert 0.02 < np.mean(np.array(alone) <= level) <= level + error


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "pearson"])
def test_intervals_of_differences_cover_the_truth(metric: Metric) -> None:
    rng, runs, n = np.random.default_rng(0), 150, 150

    def draw(n: int) -> tuple[NDArray[Any], NDArray[Any]]:
        if metric == "pearson":
            gold, shared, one, two = rng.normal(size=(4, n))
            return np.stack([gold + shared + one, gold + shared + 0.5 * two]), gold
        labels = rng.integers(3, size=n)
        return noisy(rng, labels, [0.6, 0.75]), labels

    answers, gold = draw(200_000)
    scores = score(torch.from_numpy(answers), torch.from_numpy(gold), metric)
    truth, covered = float(scores[0] - scores[1]), 0
    for run in range(runs):
        answers, gold = draw(n)
        low, high = compare_heads(answered(answers, gold, metric), draws=200, seed=run)[["low", "high"]].iloc[
            0
        ]
        covered += low <= truth <= high
    assert 0.95 - 3 * np.sqrt(0.05 * 0.95 / runs) - 0.01 < covered / runs <= 0.99


def test_planted_differences_are_found_and_equals_are_not_told_from_the_best() -> None:
    rng = np.random.default_rng(0)
    gold = rng.integers(3, size=500)
    predictions = answered(noisy(rng, gold, [0.4, 0.79, 0.6, 0.8]), gold)
    table = compare_heads(predictions)
    assert table["reference"].tolist() == [False, False, False, True]
    assert (table["p_adjusted"] <= 0.001).tolist() == [True, False, True, False]
    assert (table["high"] < 0).tolist() == [True, False, True, False]
    expected = [(row == gold).mean() - (predictions.answers[3] == gold).mean() for row in predictions.answers]
    assert table["difference"].tolist() == pytest.approx(expected)
    assert like_best(predictions)["head"].tolist() == [3, 1]
    against = compare_heads(predictions, against=(0, 0))
    assert against["reference"].tolist() == [True, False, False, False]
    assert (against["difference"].to_numpy()[1:] > 0.1).all()


def test_the_best_head_is_chosen_on_dev_and_never_on_test() -> None:
    rng = np.random.default_rng(0)
    gold = rng.integers(3, size=100)
    predictions = answered(noisy(rng, gold, [0.9, 0.5, 0.4]), gold)
    assert compare_heads(predictions)["reference"].tolist() == [False, False, True]
    rows = predictions.rows.assign(dev=pd.array([pd.NA] * 3, dtype="Float64"), test=[0.9, 0.5, 0.4])
    undecided = Predictions(rows, predictions.answers, gold)
    assert compare_heads(undecided)["reference"].tolist() == [True, False, False]


def test_data_sets_are_kept_apart_and_one_scale_is_as_good_as_another() -> None:
    rng = np.random.default_rng(0)
    gold, groups = rng.normal(size=120), np.repeat([0, 1], [30, 90])
    answers = gold + np.array([1.0, 2.0])[:, None] * rng.normal(size=(2, 120))
    table = compare_heads(answered(answers, gold, "pearson", groups), draws=300)
    by_set = [[np.corrcoef(row[groups == g], gold[groups == g])[0, 1] for g in (0, 1)] for row in answers]
    assert table["score"].tolist() == pytest.approx(np.mean(by_set, axis=1).tolist())
    weighted = compare_heads(answered(answers, gold, "pearson", groups), draws=300, average="weighted")
    assert weighted["score"].tolist() == pytest.approx((np.array(by_set) @ [0.25, 0.75]).tolist())
    scaled = compare_heads(answered(answers * [[100], [0.01]], gold, "pearson", groups), draws=300)
    assert scaled["p"][0] == table["p"][0]
    assert scaled["low"][0] == pytest.approx(table["low"][0])


def test_rows_of_permuted_labels_are_left_out_and_what_cannot_be_compared_says_so() -> None:
    rng = np.random.default_rng(0)
    gold = rng.integers(3, size=50)
    predictions = answered(noisy(rng, gold, [0.9, 0.8, 0.4]), gold)
    rows = predictions.rows.assign(variant=pd.array(["top", "top", "permuted"], dtype="string"))
    assert len(compare_heads(Predictions(rows, predictions.answers, gold))) == 2
    with pytest.raises(ProbingError, match="0 rows of layer 5 head 0"):
        compare_heads(predictions, against=(5, 0))
    with pytest.raises(ProbingError, match="metric='pearson': the run answered with classes"):
        compare_heads(predictions, metric="pearson")
    with pytest.raises(ProbingError, match="a single probe cannot be compared"):
        compare_heads(Predictions(rows[:1], predictions.answers[:1], gold))
