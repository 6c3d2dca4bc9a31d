from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef, mean_squared_error

from probing.statistics.metrics import Margins, matthews, score
from probing.tasks.target import CLASS_METRICS, SCORE_METRICS

REFERENCES: dict[str, Callable[[Any, Any], float]] = {
    "accuracy": accuracy_score,
    "macro_f1": lambda y, p: f1_score(y, p, average="macro"),
    "f1": f1_score,
    "matthews": matthews_corrcoef,
    "pearson": lambda y, p: pearsonr(y, p)[0],
    "spearman": lambda y, p: spearmanr(y, p)[0],
    "mse": mean_squared_error,
}


def batch(guesses: np.ndarray[Any, Any], gold: np.ndarray[Any, Any], metric: str) -> np.ndarray[Any, Any]:
    return score(torch.from_numpy(guesses), torch.from_numpy(gold), metric).numpy()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("metric", "k", "n"),
    [("f1", 2, 50)]
    + [(m, *shape) for m in CLASS_METRICS if m != "f1" for shape in ((2, 50), (5, 40), (60, 30))],
)
def test_scores_of_classes_are_scikit_learns(metric: str, k: int, n: int) -> None:
    rng = np.random.default_rng(k)
    labels, guesses = rng.integers(k, size=n), rng.integers(k, size=(2, 3, n))
    guesses[0, 0], guesses[0, 1], guesses[0, 2] = labels, 0, k - 1
    theirs = [[REFERENCES[metric](labels, guesses[a, b]) for b in range(3)] for a in range(2)]
    np.testing.assert_allclose(batch(guesses, labels, metric), theirs, atol=1e-12)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("metric", [*SCORE_METRICS, "mse"])
def test_scores_of_scores_are_scipys(metric: str, ties: bool) -> None:
    rng = np.random.default_rng(0)
    gold, guesses = rng.normal(size=40), rng.normal(size=(2, 3, 40))
    guesses[0, 0], guesses[0, 1], guesses[0, 2] = gold, -3 * gold, 1e6 + gold
    if ties:
        gold, guesses = gold.round(), guesses.round()
    theirs = [[REFERENCES[metric](gold, guesses[a, b]) for b in range(3)] for a in range(2)]
    np.testing.assert_allclose(batch(guesses, gold, metric), theirs, atol=1e-9)


@pytest.mark.parametrize("metric", SCORE_METRICS)
def test_an_undefined_correlation_counts_nothing(metric: str) -> None:
    gold = np.linspace(0, 5, 20)
    guesses = np.stack([np.zeros(20), np.full(20, 0.1), np.full(20, 1e300), gold])
    # the last bits of a constant are no variation
    guesses[1, ::2] += 2e-17
    np.testing.assert_array_equal(batch(guesses, gold, metric).round(12), [0, 0, 0, 1])
    np.testing.assert_array_equal(batch(guesses, np.ones(20), metric), 0)
    assert batch(guesses[:, :0], gold[:0], metric).shape == (4,)


@pytest.mark.parametrize("metric", SCORE_METRICS)
def test_correlations_have_no_scale(metric: str) -> None:
    rng = np.random.default_rng(0)
    gold, guesses = rng.normal(size=30), rng.normal(size=(1, 30))
    plain = batch(guesses, gold, metric)
    np.testing.assert_allclose(batch(guesses * 1e200, gold * 1e-200, metric), plain, atol=1e-12)
    np.testing.assert_allclose(batch(-guesses, gold, metric), -plain, atol=1e-12)


def test_matthews_of_two_classes_is_the_correlation_of_indicators() -> None:
    rng = np.random.default_rng(1)
    labels, guesses = rng.integers(2, size=80), rng.integers(2, size=80)
    ours = matthews(Margins.of(torch.from_numpy(guesses), torch.from_numpy(labels)))
    assert float(ours) == pytest.approx(np.corrcoef(labels, guesses)[0, 1])
