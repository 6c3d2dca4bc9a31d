"""Log-probabilities of test items, compared with scikit-learn and with PyTorch modules."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from probing.probes.contract import Probe
from probing.probes.cosine import Cosine
from probing.probes.logistic import Logistic
from probing.probes.mlp import Mlp
from probing.probes.ridge import Ridge
from probing.probes.senteval import SentEval
from probing.probes.sklearn_probe import Sklearn
from probing.statistics.folds import outer_folds
from probing.tasks.problem import Problem
from tests.probes import test_mlp
from tests.probes.made import classes, clusters, graded, problem

PROBES = (Logistic(), Sklearn(), SentEval(epoch_size=1), Mlp(nhid=5, epoch_size=1))


def of_sklearn(
    vectors: torch.Tensor, asked: Problem, l2: float, train: NDArray[np.int64]
) -> NDArray[np.float64]:
    x = vectors.double().numpy()
    scaler = StandardScaler().fit(x[train])
    strength = (2 if len(np.unique(asked.gold)) == 2 else 1) / (l2 * len(train))
    model = LogisticRegression(C=strength, tol=1e-12, max_iter=100_000)
    model.fit(scaler.transform(x[train]), asked.gold[train])
    found: NDArray[np.float64] = model.predict_log_proba(scaler.transform(x))
    return found


@pytest.mark.parametrize("k", [2, 3, 5])
def test_logistic_agrees_with_scikit_learn(k: int) -> None:
    vectors, labels = clusters(3, 240, 6, k)
    asked = problem(labels)
    fit = Logistic().fit(vectors, asked, log_probabilities=True)
    assert fit.log_probabilities is not None
    for unit in range(3):
        expected = of_sklearn(vectors[unit], asked, fit.l2[unit], asked.train)[asked.test]
        np.testing.assert_allclose(fit.log_probabilities[unit], expected, rtol=0, atol=1e-6)


def test_the_sklearn_probe_gives_what_predict_log_proba_gives() -> None:
    vectors, labels = clusters(2, 200, 5, 2)
    asked = problem(labels)
    fit = Sklearn(l2=(1e-2,), tolerance=1e-12).fit(vectors, asked, log_probabilities=True)
    assert fit.log_probabilities is not None
    for unit in range(2):
        expected = of_sklearn(vectors[unit], asked, 1e-2, asked.train)[asked.test]
        np.testing.assert_allclose(fit.log_probabilities[unit], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
@pytest.mark.parametrize("selection", ["dev", "kfold", "holdout", "nested"])
@pytest.mark.parametrize("k", [2, 4])
def test_they_sum_to_one_and_the_largest_is_the_prediction(probe: Probe, selection: str, k: int) -> None:
    vectors, labels = clusters(3, 160, 5, k)
    asked = problem(labels, selection)
    fit = probe.fit(vectors, asked, log_probabilities=True)
    assert fit.log_probabilities is not None
    assert fit.log_probabilities.dtype == np.float64
    assert fit.log_probabilities.shape == (3, len(asked.test), k)
    np.testing.assert_allclose(np.exp(fit.log_probabilities).sum(2), 1, atol=1e-12)
    np.testing.assert_array_equal(fit.log_probabilities.argmax(2), fit.predictions)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_they_are_given_on_request_only_and_change_nothing_else(probe: Probe) -> None:
    vectors, labels = clusters(2, 120, 4, 3)
    plain = probe.fit(vectors, problem(labels))
    asked = probe.fit(vectors, problem(labels), log_probabilities=True)
    assert plain.log_probabilities is None
    for name in ("dev", "l2", "predictions", "weights", "bias"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(asked, name))


def test_nested_folds_give_each_item_those_of_its_own_probe() -> None:
    vectors, labels = clusters(1, 120, 4, 3)
    asked = problem(labels, "nested")
    probe = Logistic(l2=(1e-2,))
    fit = probe.fit(vectors, asked, log_probabilities=True)
    assert fit.log_probabilities is not None
    for train, held in outer_folds(asked):
        expected = of_sklearn(vectors[0], asked, 1e-2, train)[held]
        np.testing.assert_allclose(fit.log_probabilities[0, held], expected, rtol=0, atol=1e-6)


def test_senteval_s_are_the_softmax_of_its_linear_layer() -> None:
    vectors, labels = clusters(2, 150, 5, 3)
    asked = problem(labels)
    fit = SentEval().fit(vectors, asked, log_probabilities=True)
    assert fit.log_probabilities is not None
    for unit in range(2):
        layer = torch.nn.Linear(5, 3)
        layer.weight.data = torch.from_numpy(fit.weights[unit])
        layer.bias.data = torch.from_numpy(fit.bias[unit])
        with torch.no_grad():
            expected = torch.log_softmax(layer(vectors[unit, asked.test]), 1).numpy()
        np.testing.assert_allclose(fit.log_probabilities[unit], expected, rtol=0, atol=1e-5)


def test_those_of_an_mlp_are_the_softmax_of_the_same_modules_trained_one_by_one() -> None:
    vectors, labels = clusters(1, 150, 5, 3)
    asked = problem(labels)
    probe = SentEval(nhid=test_mlp.NHID, l2=(1e-4,), dropout=0.1, epoch_size=2)
    fit = probe.fit(vectors, asked, log_probabilities=True)
    assert fit.log_probabilities is not None
    naive = test_mlp.Naive(probe, 5, 3, 1e-4, asked.seed)
    x, y = vectors[0], torch.from_numpy(labels)
    naive.fit(x[asked.train], y[asked.train], (x[asked.dev], y[asked.dev]))
    with torch.no_grad():
        expected = torch.log_softmax(naive.model.eval()(x[asked.test]), 1).numpy()
    np.testing.assert_allclose(fit.log_probabilities[0], expected, rtol=0, atol=1e-3)


def test_a_class_without_training_examples_has_probability_zero() -> None:
    vectors, labels = clusters(1, 100, 4, 2)
    asked = problem(labels)
    three = problem(classes(labels, 3))
    fit = Logistic().fit(vectors, three, log_probabilities=True)
    two = Logistic().fit(vectors, asked, log_probabilities=True)
    assert fit.log_probabilities is not None
    assert two.log_probabilities is not None
    assert np.isneginf(fit.log_probabilities[..., 2]).all()
    np.testing.assert_allclose(fit.log_probabilities[..., :2], two.log_probabilities, atol=1e-9)


@pytest.mark.parametrize("probe", [Ridge(), Cosine(), Logistic(), SentEval()], ids=lambda probe: probe.name)
def test_scores_have_none(probe: Probe) -> None:
    vectors, target = graded(1, 80, 4)
    assert probe.fit(vectors, problem(target), log_probabilities=True).log_probabilities is None


def test_ridge_has_none_of_classes() -> None:
    vectors, labels = clusters(1, 80, 4, 3)
    assert Ridge().fit(vectors, problem(labels), log_probabilities=True).log_probabilities is None
