"""Scores, intervals and p-values of several labels, compared with scikit-learn and with plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, f1_score

from probing.statistics import scores
from probing.statistics.intervals import interval, wilson
from probing.statistics.metrics import score
from probing.statistics.resampling import resampled
from probing.statistics.significance import permutation_test
from probing.tasks.problem import Problem
from probing.tasks.target import LABEL_METRICS, Labels, Metric

Bools = NDArray[np.bool_]


def answered(n: int = 60, rows: int = 3, k: int = 4, seed: int = 0) -> tuple[Bools, Bools]:
    """Answers of probes that are right on most decisions, and the truth."""
    rng = np.random.default_rng(seed)
    gold = rng.random((n, k)) < np.linspace(0.1, 0.7, k)
    return gold ^ (rng.random((rows, n, k)) < 0.2), gold


def reference(answers: Bools, gold: Bools, metric: str) -> float:
    if metric == "exact_match":
        return float(accuracy_score(gold, answers))
    return float(f1_score(gold, answers, average=metric.removesuffix("_f1")))


def posed(gold: Bools, metric: Metric = "micro_f1") -> Problem:
    rows = np.arange(len(gold))
    half = len(rows) // 2
    names = tuple(map(str, range(gold.shape[1])))
    return Problem(Labels(gold, names), rows[:half], rows[:0], rows[half:], "kfold", 4, metric, 0)


@pytest.mark.parametrize("metric", LABEL_METRICS)
def test_scores_are_scikit_learns(metric: Metric) -> None:
    answers, gold = answered()
    found = score(torch.from_numpy(answers), torch.from_numpy(gold), metric)
    np.testing.assert_allclose(found, [reference(row, gold, metric) for row in answers], atol=1e-12)


def test_no_label_anywhere_scores_zero_in_f1() -> None:
    nothing = torch.zeros(5, 3, dtype=torch.bool)
    assert [float(score(nothing, nothing, metric)) for metric in LABEL_METRICS] == [0, 0, 1]


@pytest.mark.parametrize("metric", LABEL_METRICS)
def test_samples_are_scored_as_if_their_items_were_listed(metric: Metric) -> None:
    """The mean and spread of the draws are those of a plain bootstrap."""
    answers, gold = answered(n=40, rows=2)
    drawn = resampled(answers, gold, metric, 4000, np.random.default_rng(0))
    rng = np.random.default_rng(1)
    plain = []
    for _ in range(1500):
        items = rng.integers(len(gold), size=len(gold))
        sample = torch.from_numpy(answers[:, items]), torch.from_numpy(gold[items])
        plain.append(score(*sample, metric).numpy())
    expected = np.array(plain).T
    np.testing.assert_allclose(drawn.mean(1), expected.mean(1), atol=0.01)
    np.testing.assert_allclose(drawn.std(1), expected.std(1), rtol=0.1)
    # both rows are scored on the same samples
    np.testing.assert_allclose(np.corrcoef(drawn), np.corrcoef(expected), atol=0.1)


def test_intervals() -> None:
    answers, gold = answered(n=200)
    for metric in LABEL_METRICS:
        question = posed(gold, metric)
        test = answers[0, question.test]
        low, high = interval(question, test)
        assert low < reference(test, gold[question.test], metric) < high
    right = int((test == gold[question.test]).all(1).sum())
    assert interval(posed(gold, "exact_match"), test) == wilson(right, len(question.test))


@pytest.mark.parametrize("metric", LABEL_METRICS)
def test_p_is_the_share_of_permutations_that_score_no_worse(metric: Metric) -> None:
    answers, gold = answered(n=30, rows=2, seed=3)
    answers[1] = answers[1, np.random.default_rng(5).permutation(30)]  # knows nothing of the items
    draws = 99
    alone, adjusted = permutation_test(answers, gold, metric, draws=draws, seed=1)
    generator = np.random.default_rng(1)
    orders = [generator.permutation(30) for _ in range(draws)]
    for row in range(2):
        observed = reference(answers[row], gold, metric)
        permuted = np.array([reference(answers[row], gold[order], metric) for order in orders])
        assert alone[row] == (1 + (permuted >= observed - 1e-9).sum()) / (draws + 1)
    assert alone[0] == 0.01
    assert (adjusted >= alone).all()


def test_the_majority_is_the_best_constant_set_of_train() -> None:
    rng = np.random.default_rng(0)
    gold = rng.random((100, 4)) < (0.8, 0.5, 0.2, 0.05)
    for metric in LABEL_METRICS:
        question = posed(gold, metric)
        every = [np.array([bool(code >> bit & 1) for bit in range(4)]) for code in range(16)]
        train, test = gold[question.train], gold[question.test]

        def constant(one: Bools, truth: Bools, metric: Metric = metric) -> float:
            whole = torch.from_numpy(np.broadcast_to(one, truth.shape).copy())
            return float(score(whole, torch.from_numpy(truth), metric))

        best = max(every, key=lambda one: constant(one, train))
        assert scores.majority(question) == pytest.approx(constant(best, test))


def test_all_metrics_of_labels_are_reported_and_no_others() -> None:
    answers, gold = answered(n=60)
    question = posed(gold)
    found = scores.test_scores(question, answers[:, question.test])
    assert tuple(found) == LABEL_METRICS
