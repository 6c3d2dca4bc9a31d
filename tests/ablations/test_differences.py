"""Δ of scores and its intervals: paired, of the right size, and on the right side."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import bootstrap

from probing.ablations.differences import differences, of_means, standard_error
from probing.ablations.evaluate import Answers
from probing.objectives.answers import Judge, Judged
from probing.objectives.objective import Batch, Output
from probing.tasks.target import Classes, Metric, Scores
from probing.tasks.task import Task, Unit


class Told(Judged):
    """An objective whose answers are given, not computed."""

    def __init__(self, task: Task, counts: NDArray[np.float64] | None = None) -> None:
        self.task = task
        self.judge = Judge(task)
        self.__dict__["counts"] = np.ones(len(task)) if counts is None else counts

    def run(self, batch: Batch) -> Output:
        raise NotImplementedError


class Tokens(Told):
    """Scores are means over tokens, of which examples have some each."""

    def score(
        self, rows: NDArray[np.int64], loss: NDArray[np.float64], answer: NDArray[np.float64]
    ) -> dict[str, float]:
        return {"loss": float(loss.sum() / self.counts[rows].sum())}


def _task(
    gold: NDArray[np.int64], metric: Metric = "accuracy", groups: NDArray[np.str_] | None = None
) -> Task:
    return Task(
        "test/told",
        tuple(Unit(f"text {row}") for row in range(len(gold))),
        Classes(gold, ("no", "yes")),
        np.array(["test"] * len(gold)),
        selection="none",
        metric=metric,
        groups=groups,
    )


def _answers(rng: np.random.Generator, gold: NDArray[np.int64], *shares: float) -> Answers:
    """Of every mask, answers that are right with some probability, mostly for the same examples."""
    luck = rng.random(len(gold)) * 0.7 + rng.random((len(shares), len(gold))) * 0.3
    cuts = [np.quantile(row, share) if share < 1 else 2 for row, share in zip(luck, shares, strict=True)]
    right = luck < np.array(cuts)[:, None]
    answer = np.where(right, gold, 1 - gold).astype(float)
    loss = np.where(right, 0.2, 1.5) + rng.random(right.shape) * 0.1
    return Answers(np.arange(len(gold)), loss, answer)


def _pairs(rng: np.random.Generator, answers: Answers, draws: int = 4000) -> NDArray[np.int64]:
    return rng.integers(0, len(answers.rows), (draws, len(answers.rows)))


@pytest.mark.parametrize("metric", ["accuracy", "loss"])
def test_delta_is_masked_less_whole_and_its_interval_that_of_a_paired_bootstrap(metric: str) -> None:
    rng = np.random.default_rng(0)
    gold = np.arange(400) % 2
    answers = _answers(rng, gold, 0.9, 0.85, 0.6, 0.9)
    ready = Told(_task(gold))
    found = differences(ready, answers, metric, 0)
    values = answers.loss if metric == "loss" else (answers.answer == gold).astype(float)
    np.testing.assert_allclose(found.full, values[0].mean())
    np.testing.assert_allclose(found.scores, values[1:].mean(1))
    np.testing.assert_allclose(found.deltas, values[1:].mean(1) - values[0].mean())
    assert (found.deltas[1] < -0.2) == (metric == "accuracy")
    assert (found.low < found.deltas).all()
    assert (found.deltas < found.high).all()
    samples = _pairs(rng, answers)
    for place in range(3):
        drawn = (values[place + 1] - values[0])[samples].mean(1)
        low, high = np.quantile(drawn, (0.025, 0.975))
        width = high - low
        assert abs(found.low[place] - low) < 0.12 * width
        assert abs(found.high[place] - high) < 0.12 * width


def test_pairing_makes_intervals_narrower_than_those_of_two_samples() -> None:
    rng = np.random.default_rng(1)
    gold = np.arange(400) % 2
    answers = _answers(rng, gold, 0.8, 0.78)
    found = differences(Told(_task(gold)), answers, "accuracy", 0)
    apart = 2 * 1.96 * np.sqrt(2 * 0.8 * 0.2 / 400)
    assert found.high[0] - found.low[0] < 0.8 * apart


@pytest.mark.parametrize("metric", ["accuracy", "loss"])
def test_intervals_hold_the_truth_as_often_as_they_say(metric: str) -> None:
    """Examples are drawn anew a thousand times from a population in which Δ is known."""
    rng = np.random.default_rng(2)
    gold = np.arange(20_000) % 2
    everyone = _answers(rng, gold, 0.85, 0.75)
    values = everyone.loss if metric == "loss" else (everyone.answer == gold).astype(float)
    truth = float(values[1].mean() - values[0].mean())
    held = []
    for _ in range(1000):
        rows = rng.integers(0, len(gold), 200)
        ready = Told(_task(np.sort(gold[rows])))
        order = np.argsort(gold[rows], kind="stable")
        some = Answers(np.arange(200), everyone.loss[:, rows[order]], everyone.answer[:, rows[order]])
        found = differences(ready, some, metric, 0)
        held.append(found.low[0] <= truth <= found.high[0])
    assert 0.925 <= np.mean(held) <= 0.975


def test_of_means_over_tokens_long_examples_count_for_more() -> None:
    rng = np.random.default_rng(3)
    counts = rng.integers(1, 30, 300).astype(float)
    whole = rng.gamma(2, size=300) * counts
    masked = whole + counts * rng.normal(0.3, 0.5, 300)
    gold = np.arange(300) % 2
    answers = Answers(np.arange(300), np.stack([whole, masked]), np.zeros((2, 300)))
    found = differences(Tokens(_task(gold), counts), answers, "loss", 0)
    np.testing.assert_allclose(found.deltas[0], (masked - whole).sum() / counts.sum())
    samples = _pairs(rng, answers)
    drawn = (masked - whole)[samples].sum(1) / counts[samples].sum(1)
    low, high = np.quantile(drawn, (0.025, 0.975))
    assert abs(found.low[0] - low) < 0.12 * (high - low)
    assert abs(found.high[0] - high) < 0.12 * (high - low)


@pytest.mark.parametrize("metric", ["f1", "matthews", "macro_f1"])
def test_scores_that_are_no_means_have_a_bootstrap_of_pairs(metric: Metric) -> None:
    rng = np.random.default_rng(4)
    gold = (rng.random(300) < 0.3).astype(np.int64)
    answers = _answers(rng, gold, 0.9, 0.7, 0.9)
    answers = Answers(answers.rows, answers.loss, np.vstack([answers.answer, answers.answer[0]]))
    answers = Answers(answers.rows, np.vstack([answers.loss, answers.loss[0]]), answers.answer)
    found = differences(Told(_task(gold, metric)), answers, metric, 0)
    assert (found.low < found.deltas).tolist() == [True, True, False]
    assert found.high[0] < 0, "the first mask is clearly worse"
    assert found.low[1] < 0 < found.high[1], "the second is not"
    assert found.low[2] == found.deltas[2] == found.high[2] == 0, "the third is the whole model"
    again = differences(Told(_task(gold, metric)), answers, metric, 0)
    np.testing.assert_array_equal(found.low, again.low)


def test_correlations_have_one_too() -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(size=200)
    task = Task(
        "test/told",
        tuple(Unit(f"text {row}") for row in range(200)),
        Scores(values, (-5.0, 5.0)),
        np.array(["test"] * 200),
        selection="none",
        metric="pearson",
    )
    answer = values + rng.normal(size=(2, 200)) * np.array([[0.3], [1.5]])
    found = differences(Told(task), Answers(np.arange(200), np.square(answer - values), answer), "pearson", 0)
    assert found.low[0] < found.deltas[0] < found.high[0] < 0


def test_scores_averaged_over_data_sets_have_none() -> None:
    rng = np.random.default_rng(6)
    gold = np.arange(100) % 2
    groups = np.array(["a"] * 30 + ["b"] * 70)
    answers = _answers(rng, gold, 0.9, 0.7)
    ready = Told(_task(gold, groups=groups))
    found = differences(ready, answers, "accuracy", 0)
    right = answers.answer == gold
    np.testing.assert_allclose(found.full, (right[0][:30].mean() + right[0][30:].mean()) / 2)
    assert np.isnan(found.low).all()
    assert np.isnan(found.high).all()
    assert np.isfinite(differences(ready, answers, "loss", 0).low).all()


def test_a_mask_that_changes_nothing_has_an_interval_of_nothing() -> None:
    rng = np.random.default_rng(7)
    gold = np.arange(50) % 2
    answers = _answers(rng, gold, 0.8)
    answers = Answers(answers.rows, np.repeat(answers.loss, 2, 0), np.repeat(answers.answer, 2, 0))
    for metric in ("accuracy", "loss"):
        found = differences(Told(_task(gold)), answers, metric, 0)
        assert found.low[0] == found.deltas[0] == found.high[0] == 0


@pytest.mark.parametrize("n", [10, 20, 50])
def test_few_and_skewed_differences_have_intervals_that_hold_the_truth(n: int) -> None:
    """Lognormal differences, as those of losses: better than normal intervals, and near what is said."""
    rng, truth = np.random.default_rng(n), np.exp(0.5)
    held, normal, above = [], [], []
    for turn in range(600):
        added = rng.lognormal(size=(1, n))
        low, high = of_means(added, np.ones(n), turn)
        held.append(low[0] <= truth <= high[0])
        above.append(high[0] < truth)
        mean, error = added.mean(), added.std(ddof=1) / np.sqrt(n)
        normal.append(abs(mean - truth) <= 1.96 * error)
    assert np.mean(held) > np.mean(normal) + 0.03
    assert np.mean(held) >= 0.9
    assert np.mean(above) < 0.1


def test_few_long_and_short_texts_have_intervals_that_hold_the_truth() -> None:
    """Sums over tokens, divided by their number, which texts differ in."""
    rng, held = np.random.default_rng(0), []
    for turn in range(400):
        counts = rng.integers(3, 40, 15).astype(float)
        added = counts * (rng.lognormal(sigma=0.8, size=(1, 15)))
        low, high = of_means(added, counts, turn)
        held.append(low[0] <= np.exp(0.32) <= high[0])
    assert np.mean(held) >= 0.9


def test_few_examples_of_accuracy_hold_the_truth() -> None:
    """One or two of twelve examples change: a normal interval has nearly no width, or none."""
    rng, held = np.random.default_rng(1), []
    for turn in range(1000):
        added = rng.choice([-1.0, 0.0, 1.0], p=[0.2, 0.75, 0.05], size=(1, 12))
        low, high = of_means(added, np.ones(12), turn)
        held.append(low[0] <= -0.15 <= high[0])
        assert -1 <= low[0] <= added.mean() <= high[0] <= 1
    assert np.mean(held) >= 0.93 - (0.75**12)


def test_studentised_intervals_are_as_scipys_where_both_are_known() -> None:
    """For many differences without skew all intervals agree; fewer than five have none."""
    rng = np.random.default_rng(2)
    added = rng.normal(0.3, 1, size=(3, 199))
    low, high = of_means(added, np.ones(199), 0)
    for place, row in enumerate(added):
        other = bootstrap((row,), np.mean, method="BCa", rng=np.random.default_rng(0)).confidence_interval
        width = other.high - other.low
        assert abs(low[place] - other.low) < 0.1 * width
        assert abs(high[place] - other.high) < 0.1 * width
    assert np.isnan(of_means(added[:, :4], np.ones(4), 0)).all()


def test_standard_errors_are_those_of_the_score() -> None:
    rng = np.random.default_rng(8)
    gold = np.arange(50) % 2
    answers = _answers(rng, gold, 0.8)
    share = float((answers.answer[0] == gold).mean())
    error = standard_error(Told(_task(gold)), answers, "accuracy", 0)
    assert error == pytest.approx(np.sqrt(share * (1 - share) / 49))
    drawn = standard_error(Told(_task(gold, "matthews")), answers, "matthews", 0)
    assert 0.5 * 2 * error < drawn < 2 * 2 * error
    groups = np.array(["a"] * 20 + ["b"] * 30)
    assert np.isnan(standard_error(Told(_task(gold, groups=groups)), answers, "accuracy", 0))
