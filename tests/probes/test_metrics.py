from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from probing.probes.intervals import bootstrap_macro_f1, interval, wilson
from probing.probes.metrics import confusion, score


@pytest.mark.parametrize(("k", "n"), [(2, 50), (5, 40), (60, 30)])
def test_scores_are_scikit_learns(k: int, n: int) -> None:
    rng = np.random.default_rng(k)
    labels, guesses = rng.integers(k, size=n), rng.integers(k, size=(2, 3, n))
    guesses[0, 0] = labels
    counts = confusion(torch.from_numpy(guesses), torch.from_numpy(labels), k)
    for unit in np.ndindex(2, 3):
        np.testing.assert_array_equal(counts[unit], confusion_matrix(labels, guesses[unit], labels=range(k)))
    for metric, one in (
        ("accuracy", accuracy_score),
        ("macro_f1", lambda y, p: f1_score(y, p, average="macro")),
    ):
        ours = score(torch.from_numpy(guesses), torch.from_numpy(labels), k, metric)  # type: ignore[arg-type]
        theirs = [[one(labels, guesses[a, b]) for b in range(3)] for a in range(2)]
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_wilson_has_the_textbook_values() -> None:
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)


def test_wilson_covers_the_truth() -> None:
    rng = np.random.default_rng(0)
    for truth in (0.5, 0.8, 0.95):
        ends = np.array([wilson(int(hits), 100) for hits in rng.binomial(100, truth, size=2000)])
        assert 0.93 < ((ends[:, 0] <= truth) & (truth <= ends[:, 1])).mean() < 0.98


def test_the_bootstrap_covers_the_truth() -> None:
    rng = np.random.default_rng(0)
    cells = np.array([[0.3, 0.05, 0.05], [0.04, 0.2, 0.06], [0.05, 0.05, 0.2]])
    truth = float(np.mean(2 * np.diag(cells) / (cells.sum(0) + cells.sum(1))))
    draws = rng.multinomial(300, cells.ravel(), size=400).reshape(-1, 3, 3)
    ends = np.array([bootstrap_macro_f1(counts, seed, 400) for seed, counts in enumerate(draws)])
    assert 0.92 < ((ends[:, 0] <= truth) & (truth <= ends[:, 1])).mean() < 0.98


def test_the_bootstrap_is_that_of_items(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(4, size=200)
    guesses = np.where(rng.random(200) < 0.7, labels, rng.integers(4, size=200))
    whole = interval(guesses, labels, 4, "macro_f1", 3)
    assert whole == interval(guesses, labels, 4, "macro_f1", 3)
    picks = rng.integers(200, size=(1000, 200))
    items = [f1_score(labels[at], guesses[at], average="macro") for at in picks]
    assert whole == pytest.approx(np.quantile(items, [0.025, 0.975]), abs=0.01)
    # blocks of draws continue one stream
    monkeypatch.setattr("probing.probes.intervals.BLOCK", 50)
    assert interval(guesses, labels, 4, "macro_f1", 3) == whole


def test_accuracy_has_wilsons_interval() -> None:
    labels = np.arange(10)
    assert interval(labels, labels, 10, "accuracy", 0) == wilson(10, 10)
