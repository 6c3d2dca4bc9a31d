"""Graded scores: shares of anchors, by every probe that is trained on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import pearsonr, spearmanr

from probing.errors import ProbingError
from probing.probes.coding import Coding, spread
from probing.probes.linear import Linear
from probing.probes.logistic import Logistic
from probing.probes.ridge import Ridge
from probing.probes.sklearn_probe import Sklearn
from probing.tasks.target import Scores
from tests.probes.made import graded, loss_and_gradient, problem

pytestmark = pytest.mark.slow

EXACT = Logistic(l2=(1e-3, 1e-2, 1e-1), tolerance=1e-9)
LINEAR: list[Linear] = [EXACT, Sklearn(EXACT.l2, tolerance=1e-7), Ridge()]


def test_the_mean_of_the_shares_is_the_score() -> None:
    anchors = (0.0, 0.5, 1.0, 1.5, 2.0)
    values = np.array([0, 0.25, 0.5, 1.3, 1.99, 2])
    shares = spread(values, anchors)
    np.testing.assert_allclose(shares @ anchors, values)
    np.testing.assert_allclose(shares.sum(1), 1)
    assert ((shares > 0).sum(1) <= 2).all()
    np.testing.assert_allclose(shares[3], [0, 0, 0.4, 0.6, 0])


def test_scores_beyond_the_anchors_count_as_the_outermost() -> None:
    target = Scores(np.array([-3.0, 0.2, 9.0]), (0.0, 1.0, 2.0))
    coding = Coding.of_shares(target, torch.device("cpu"))
    np.testing.assert_allclose(coding.target.numpy(), np.array([[1, 0, 0], [0.8, 0.2, 0], [0, 0, 1]]))


@pytest.mark.parametrize("k", [2, 6])
def test_the_optimum_of_shares_is_scikit_learns(k: int) -> None:
    vectors, target = graded(2, 150, 5)
    target = replace(target, anchors=tuple(np.linspace(0, 5, k).tolist()))
    coding = Coding.of_shares(target, vectors.device)
    ours, theirs = (
        probe.train(vectors, coding.target, k) for probe in (EXACT, Sklearn(EXACT.l2, tolerance=1e-7))
    )
    loss, gradient = loss_and_gradient(vectors, coding.target.numpy(), ours, EXACT.l2)
    reference, _ = loss_and_gradient(vectors, coding.target.numpy(), theirs, EXACT.l2)
    assert gradient.abs().max() < 1e-4
    torch.testing.assert_close(loss, reference, rtol=1e-6, atol=0)
    assert (ours - theirs).abs().max() < 3e-3 * theirs.abs().max()


def test_the_answer_is_the_expected_anchor() -> None:
    vectors, target = graded(2, 100, 4)
    asked = problem(target)
    fit = EXACT.fit(vectors, asked)
    tested = vectors[:, asked.test].double().numpy()
    logits = np.einsum("ukd,und->unk", fit.weights, tested) + fit.bias[:, None]
    shares = np.exp(logits - logits.max(2, keepdims=True))
    shares /= shares.sum(2, keepdims=True)
    np.testing.assert_allclose(fit.predictions, shares @ np.arange(6), atol=1e-5)
    assert fit.predictions.dtype == np.float64


@pytest.mark.parametrize("metric", ["pearson", "spearman"])
@pytest.mark.parametrize("probe", LINEAR, ids=lambda probe: type(probe).__name__)
def test_l2_is_chosen_by_the_correlation_on_dev(probe: Linear, metric: str) -> None:
    vectors, target = graded(3, 150, 6, noise=1.5)
    asked = problem(target, metric=metric)
    fit = probe.fit(vectors, asked)
    one = {"pearson": pearsonr, "spearman": spearmanr}[metric]
    scores = []
    for l2 in probe.l2:
        # its dev score, told by asking for dev in the place of test
        alone = replace(probe, l2=(l2,)).fit(vectors, replace(asked, test=asked.dev))
        scores.append([one(guess, target.values[asked.dev])[0] for guess in alone.predictions])
    np.testing.assert_allclose(fit.dev, np.max(scores, axis=0), atol=5e-4)
    np.testing.assert_array_equal(fit.l2, np.take(probe.l2, np.argmax(scores, axis=0)))


@pytest.mark.parametrize("selection", ["dev", "kfold", "holdout", "nested"])
def test_scores_are_learnt_however_l2_is_chosen(selection: str) -> None:
    vectors, target = graded(2, 100, 4)
    asked = problem(target, selection, folds=3)
    ours = Logistic(EXACT.l2).fit(vectors, asked)
    theirs = Sklearn(EXACT.l2).fit(vectors, asked)
    np.testing.assert_array_equal(ours.l2, theirs.l2)
    np.testing.assert_allclose(ours.dev, theirs.dev, atol=2e-3)
    np.testing.assert_allclose(ours.predictions, theirs.predictions, atol=0.05)
    for guesses in ours.predictions:
        assert pearsonr(guesses, target.values[asked.test])[0] > 0.6


@pytest.mark.parametrize("selection", ["kfold", "holdout"])
@pytest.mark.parametrize("probe", LINEAR, ids=lambda probe: type(probe).__name__)
def test_test_scores_have_no_say(probe: Linear, selection: str) -> None:
    vectors, target = graded(2, 100, 4)
    asked = problem(target, selection)
    values = target.values.copy()
    values[asked.test] = 5 - values[asked.test] / 2
    before = probe.fit(vectors, asked)
    after = probe.fit(vectors, replace(asked, target=replace(target, values=values)))
    np.testing.assert_array_equal(before.weights, after.weights)
    np.testing.assert_array_equal(before.dev, after.dev)


def test_an_anchor_without_a_share_is_never_expected() -> None:
    vectors, target = graded(2, 100, 4)
    few = replace(target, values=np.where(target.values > 2.5, 4.0, 1.0))
    fit = EXACT.fit(vectors, problem(few))
    assert np.isneginf(fit.bias[:, [0, 2, 3, 5]]).all()
    assert ((fit.predictions >= 1) & (fit.predictions <= 4)).all()
    # all beyond one end: all the same answer
    ends = replace(target, values=target.values + 7)
    alone = EXACT.fit(vectors, problem(ends))
    np.testing.assert_array_equal(alone.predictions, 5)
    np.testing.assert_array_equal(alone.dev, 0)


@pytest.mark.parametrize("probe", LINEAR, ids=lambda probe: type(probe).__name__)
def test_a_task_without_train_is_refused(probe: Linear) -> None:
    vectors, target = graded(1, 40, 4)
    with pytest.raises(ProbingError, match="no train examples; use probe=cosine"):
        probe.fit(vectors, problem(target, "none"))
