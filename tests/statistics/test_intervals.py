from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.metrics import f1_score

from probing.statistics import scores
from probing.statistics.intervals import fisher, interval, wilson
from probing.statistics.metrics import score
from probing.statistics.resampling import resampled
from probing.tasks.problem import Problem
from probing.tasks.target import CLASS_METRICS, SCORE_METRICS, Metric, Scores, Target
from tests.probes.made import classes

pytestmark = pytest.mark.slow


def posed(target: Target, metric: str, **changes: Any) -> Problem:  # noqa: ANN401
    """All rows are test rows."""
    rows = np.arange(len(target))
    fields = {"train": rows, "dev": rows[:0], "test": rows, "selection": "holdout", "folds": 5, "seed": 0}
    return Problem(target, metric=metric, **(fields | changes))  # type: ignore[arg-type]


def covered(ends: list[tuple[float, float]], truth: float) -> float:
    low, high = np.array(ends).T
    return float(((low <= truth) & (truth <= high)).mean())


def normal_pairs(rng: np.random.Generator, correlation: float, n: int) -> NDArray[np.float64]:
    first, second = rng.normal(size=(2, n))
    return np.stack([first, correlation * first + np.sqrt(1 - correlation**2) * second])


def test_wilson_has_the_textbook_values() -> None:
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)


@pytest.mark.parametrize("n", [1, 2, 7, 100, 20_000])
def test_wilson_has_scipys_values(n: int) -> None:
    for hits in range(0, n + 1, max(1, n // 50)):
        theirs = binomtest(hits, n).proportion_ci(0.95, method="wilson")
        assert wilson(hits, n) == pytest.approx(tuple(theirs), rel=0, abs=1e-12)


def test_fisher_has_scipys_values() -> None:
    from scipy.stats import pearsonr

    first, second = normal_pairs(np.random.default_rng(0), 0.5, 30)
    theirs = pearsonr(first, second).confidence_interval(0.95)
    assert fisher(pearsonr(first, second)[0], 30, "pearson") == pytest.approx(tuple(theirs))
    low, high = fisher(0.5, 30, "spearman")
    assert low < fisher(0.5, 30, "pearson")[0]
    assert high > fisher(0.5, 30, "pearson")[1]


def test_wilson_covers_the_truth() -> None:
    rng = np.random.default_rng(0)
    for truth in (0.5, 0.8, 0.95):
        ends = [wilson(int(hits), 100) for hits in rng.binomial(100, truth, size=2000)]
        assert 0.93 < covered(ends, truth) < 0.98


@pytest.mark.parametrize("metric", SCORE_METRICS)
@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_intervals_of_correlations_cover_the_truth(metric: str, correlation: float) -> None:
    rng = np.random.default_rng(0)
    pairs = [normal_pairs(rng, correlation, 40) for _ in range(1000)]
    ends = [interval(posed(Scores(gold, (0.0, 1.0)), metric), guess) for gold, guess in pairs]
    truth = correlation if metric == "pearson" else 6 / np.pi * np.arcsin(correlation / 2)
    assert 0.92 < covered(ends, truth) < 0.975


@pytest.mark.parametrize("average", ["mean", "weighted"])
def test_means_of_correlations_over_data_sets_are_covered(average: str) -> None:
    rng = np.random.default_rng(0)
    sizes, truths = (25, 60, 200), (0.9, 0.1, 0.5)
    groups = np.repeat([0, 1, 2], sizes)
    truth = np.average(truths, weights=sizes if average == "weighted" else None)
    ends = []
    for _ in range(600):
        parts = [normal_pairs(rng, *pair) for pair in zip(truths, sizes, strict=True)]
        gold, guesses = np.concatenate(parts, axis=1)
        asked = posed(Scores(gold, (0.0, 1.0)), "pearson", groups=groups, average=average)
        ends.append(interval(asked, guesses))
    assert 0.92 < covered(ends, float(truth)) < 0.98


@pytest.mark.parametrize("metric", CLASS_METRICS)
@pytest.mark.parametrize("apart", [False, True])
def test_intervals_of_classes_cover_the_truth(
    metric: str, apart: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("probing.statistics.intervals.DRAWS", 400)
    rng = np.random.default_rng(1)
    # joint chances of label and prediction in two data sets of different size
    cells = np.array([[0.5, 0.1, 0.05, 0.35], [0.25, 0.25, 0.1, 0.4]])[: 1 + apart]
    sizes = (150, 60)[: 1 + apart]
    groups = np.repeat(np.arange(1 + apart), sizes)

    def draw(n: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        kinds = np.concatenate([rng.choice(4, size=m, p=p) for m, p in zip(n, cells, strict=True)])
        return kinds // 2, kinds % 2

    many = [300_000] * (1 + apart)
    labels, guesses = draw(tuple(many))
    whole = posed(classes(labels), metric, groups=np.repeat(np.arange(1 + apart), many))
    truth = scores.test_scores(whole, guesses[None])[metric][0]
    ends = []
    for _ in range(400):
        labels, guesses = draw(sizes)
        ends.append(interval(posed(classes(labels, 2), metric, groups=groups), guesses))
    assert 0.92 < covered(ends, float(truth)) < 0.98


def test_nested_accuracy_has_wilsons_interval() -> None:
    rng = np.random.default_rng(0)
    labels, guesses = rng.integers(2, size=(2, 200))
    asked = posed(classes(labels), "accuracy", selection="nested")
    assert interval(asked, guesses) == wilson(int((labels == guesses).sum()), 200)


def test_nested_folds_narrow_as_examples_do() -> None:
    gold, guesses = normal_pairs(np.random.default_rng(0), 0.6, 400)
    target = Scores(gold, (0.0, 1.0))
    low, high = interval(posed(target, "pearson", selection="nested"), guesses)
    plain_low, plain_high = interval(posed(target, "pearson"), guesses)
    assert high - low == pytest.approx(plain_high - plain_low, rel=0.15)


def test_the_bootstrap_is_that_of_items(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(4, size=200)
    guesses = np.where(rng.random(200) < 0.7, labels, rng.integers(4, size=200))
    asked = posed(classes(labels), "macro_f1", seed=3)
    whole = interval(asked, guesses)
    assert whole == interval(asked, guesses)
    picks = rng.integers(200, size=(400, 200))
    items = [f1_score(labels[at], guesses[at], average="macro") for at in picks]
    assert whole == pytest.approx(np.quantile(items, [0.025, 0.975]), abs=0.015)
    # blocks of draws continue one stream
    monkeypatch.setattr("probing.statistics.resampling.BLOCK", 2000)
    assert interval(asked, guesses) == whole


@pytest.mark.parametrize("selection", ["holdout", "nested"])
@pytest.mark.parametrize("metric", [*CLASS_METRICS, *SCORE_METRICS])
def test_no_interval_is_undefined(metric: str, selection: str) -> None:
    labels = np.arange(12) % 2
    target: Target = classes(labels)
    if metric in SCORE_METRICS:
        target = Scores(np.arange(12.0), (0.0, 11.0))
    gold = posed(target, metric).gold
    for guesses in (gold, gold[::-1].copy(), np.zeros_like(gold)):
        for groups in (None, np.repeat([0, 1, 2], [1, 2, 9])):
            low, high = interval(posed(target, metric, selection=selection, groups=groups), guesses)
            assert -1 <= low <= high <= 1


@pytest.mark.parametrize(
    ("metric", "apart"),
    [("accuracy", False), ("accuracy", True), ("macro_f1", True), ("pearson", True), ("spearman", False)],
)
def test_bootstrap_intervals_cover_the_truth_whatever_the_metric(
    metric: str, apart: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("probing.statistics.intervals.DRAWS", 300)
    rng, sizes = np.random.default_rng(0), (250, 120)[: 1 + apart]
    chances = np.array([[0.7, 0.5, 0.3], [0.4, 0.9, 0.6]])

    def draw(sizes: tuple[int, ...]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Three classes, told with a chance that differs by class and data set; or noisy scores."""
        groups = np.repeat(np.arange(len(sizes)), sizes)
        if metric in SCORE_METRICS:
            gold, other = rng.normal(size=(2, len(groups)))
            return gold, np.array([0.9, 0.3])[groups] * gold + other
        gold = rng.integers(3, size=len(groups))
        right = rng.random(len(groups)) < chances[groups, gold]
        return gold, np.where(right, gold, (gold + rng.integers(1, 3, size=len(groups))) % 3)

    def ask(gold: NDArray[Any], sizes: tuple[int, ...]) -> Problem:
        groups = np.repeat(np.arange(len(sizes)), sizes)
        target = Scores(gold, (0.0, 1.0)) if metric in SCORE_METRICS else classes(gold, 3)
        return posed(target, metric, groups=groups)

    many = (200_000,) * len(sizes)
    gold, guesses = draw(many)
    truth = scores.test_scores(ask(gold, many), guesses[None])[metric][0]
    ends = []
    for _ in range(250):
        gold, guesses = draw(sizes)
        ends.append(interval(ask(gold, sizes), guesses, "bootstrap"))
    # 0.95 but for three binomial errors, 0.041
    assert 0.905 < covered(ends, float(truth)) < 0.99


def test_resampled_scores_are_those_of_the_samples_themselves() -> None:
    """Samples that are drawn as counts score as the same items written out would."""
    rng, n = np.random.default_rng(0), 12
    gold, guess = rng.integers(4, size=(2, n)).astype(float)
    metrics: list[Metric] = ["pearson", "spearman"]
    for metric in metrics:
        drawn = resampled(np.stack([guess, gold]), gold, metric, 50, np.random.default_rng(3))
        places = np.random.default_rng(3).integers(n, size=(50, n))
        for draw, place in enumerate(places):
            theirs = score(torch.from_numpy(guess[place]), torch.from_numpy(gold[place]), metric)
            assert drawn[0, draw] == pytest.approx(float(theirs))
        assert drawn[1] == pytest.approx(np.ones(50))


def test_rows_that_answer_alike_score_alike_on_every_sample() -> None:
    rng = np.random.default_rng(0)
    gold, guess = rng.integers(3, size=(2, 60))
    metrics: list[Metric] = ["accuracy", "macro_f1"]
    for metric in metrics:
        same, twin, right = resampled(np.stack([guess, guess, gold]), gold, metric, 100, rng)
        np.testing.assert_array_equal(same, twin)
        assert (right == 1).all()
        assert same.std() > 0.02
