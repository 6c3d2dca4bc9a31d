"""Predictions are those of the optimum, also of examples that lie next to the border between two classes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.linear_model import Ridge as SklearnRidge

from probing.probes import logistic
from probing.probes.coding import Coding
from probing.probes.logistic import Logistic
from probing.probes.polish import polish
from probing.probes.ridge import Ridge
from probing.statistics.folds import outer_folds
from probing.tasks.problem import Problem
from tests.probes.made import classes, clusters, graded, problem

pytestmark = pytest.mark.slow

Floats = NDArray[np.float64]
L2 = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
# further from the border than either side rounds
NEAR = 2e-6
# and where a fit is too large for a Hessian
FAR = 1e-5


def exact(x: Floats, labels: NDArray[np.int64], l2: float) -> tuple[Floats, Floats]:
    """scikit-learn's own Newton solver on features that are standardised in float64; for vectors as given."""
    k = int(labels.max()) + 1
    mean, spread = x.mean(0), x.std(0)
    # for two classes scikit-learn penalises w alone; the two rows are ±w/2
    strength = (2 if k == 2 else 1) / (l2 * len(x))
    model = LogisticRegression(C=strength, solver="newton-cholesky", tol=1e-12, max_iter=200)
    model.fit((x - mean) / spread, labels)
    weights, bias = model.coef_ / spread, model.intercept_
    if k == 2:
        weights, bias = np.vstack([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    return weights, bias - weights @ mean


def planted(at: Floats, optimum: tuple[Floats, Floats], rng: np.random.Generator) -> Floats:
    """Points moved to where the two largest outputs differ by some 1e-5."""
    weights, bias = optimum
    moved = at.copy()
    for turn in range(3):
        outputs = moved @ weights.T + bias
        second, first = np.argsort(outputs, axis=1)[:, -2:].T
        across = weights[first] - weights[second]
        wanted = rng.uniform(-2e-5, 2e-5, len(at)) if turn == 2 else 0
        lead = (moved * across).sum(1) + bias[first] - bias[second] - wanted
        moved -= (lead / np.square(across).sum(1))[:, None] * across
    return moved


def margins(x: Floats, optimum: tuple[Floats, Floats]) -> tuple[NDArray[np.int64], Floats]:
    """Answers, and by how much they lead."""
    outputs = x @ optimum[0].T + optimum[1]
    ordered = np.sort(outputs, axis=1)
    return outputs.argmax(1), ordered[:, -1] - ordered[:, -2]


@pytest.mark.parametrize(
    ("units", "n", "dim", "k"),
    [(4, 900, 32, 2), (3, 900, 20, 3), (2, 900, 32, 6), (1, 900, 300, 2), (1, 700, 90, 8)],
)
def test_examples_next_to_the_border_are_answered_as_at_the_exact_optimum(
    units: int, n: int, dim: int, k: int
) -> None:
    """Choice of L2 included, for as many classes as it is promised for; dev and test are next to borders."""
    rng = np.random.default_rng(0)
    vectors, labels = clusters(units, n, dim, k, spread=3.0)
    asked = problem(labels)
    train = asked.train
    data = vectors.double().numpy()
    optima = [[exact(x[train], labels[train], l2) for l2 in L2] for x in data]
    for unit, fits in enumerate(optima):
        for rows, which in ((asked.dev, 2), (asked.test, 3)):
            vectors[unit, rows] = torch.from_numpy(planted(data[unit, rows], fits[which], rng)).float()
    fit = Logistic(l2=L2).fit(vectors, asked)
    data, compared = vectors.double().numpy(), 0
    for unit, fits in enumerate(optima):
        if k <= logistic.MOST_CLASSES and dim < 100:
            dev = [float((margins(data[unit, asked.dev], at)[0] == labels[asked.dev]).mean()) for at in fits]
            assert fit.l2[unit] == max(zip(np.round(dev, 12), L2, strict=True))[1]
            assert fit.dev[unit] == pytest.approx(max(dev), abs=1e-12)
        answers, lead = margins(data[unit, asked.test], fits[L2.index(float(fit.l2[unit]))])
        sure = lead > (NEAR if k < 8 else FAR)
        np.testing.assert_array_equal(fit.predictions[unit][sure], answers[sure])
        compared += int(sure.sum())
    assert compared > 0.4 * units * len(asked.test)


@pytest.mark.parametrize("k", [2, 3])
def test_folds_are_fitted_to_the_optimum(k: int) -> None:
    vectors, labels = clusters(2, 400, 12, k)
    asked = problem(labels, "kfold")
    coding = Coding.of_shares(classes(labels), torch.device("cpu"))
    folds = [np.setdiff1d(asked.train, asked.train[start::4]) for start in range(4)]
    for rows, found in zip(folds, Logistic(l2=L2).fit_folds(vectors, coding, folds), strict=True):
        for unit, x in enumerate(vectors.double().numpy()):
            for place, l2 in enumerate(L2):
                weights, bias = exact(x[rows], labels[rows], l2)
                wanted = x @ weights.T + bias
                given = x @ found[unit, place, :, :-1].numpy().T + found[unit, place, :, -1].numpy()
                assert np.abs((given - given[:, :1]) - (wanted - wanted[:, :1])).max() < 1e-6


def test_nested_folds_answer_as_at_the_exact_optimum() -> None:
    vectors, labels = clusters(2, 300, 8, 2)
    asked = problem(labels, "nested")
    fit = Logistic(l2=(1e-3,)).fit(vectors, asked)
    for rows, held in outer_folds(asked):
        for unit, x in enumerate(vectors.double().numpy()):
            answers, _ = margins(x[held], exact(x[rows], labels[rows], 1e-3))
            np.testing.assert_array_equal(fit.predictions[unit, held], answers)


def test_ridge_is_exact_far_from_zero() -> None:
    """Features whose spread is small next to their mean, as those of first tokens are in early layers."""
    vectors, target = graded(2, 400, 10)
    vectors = vectors * 0.01 + 30
    asked = problem(target)
    fit = Ridge(l2=(1e-4,)).fit(vectors, asked)
    for unit, x in enumerate(vectors.double().numpy()):
        mean, spread = x[asked.train].mean(0), x[asked.train].std(0)
        model = SklearnRidge(alpha=1e-4 * len(asked.train), solver="cholesky")
        model.fit((x[asked.train] - mean) / spread, target.values[asked.train])
        wanted = model.predict((x[asked.test] - mean) / spread)
        np.testing.assert_allclose(fit.predictions[unit], wanted, rtol=0, atol=1e-7)


def test_what_does_not_converge_is_returned_as_it_was() -> None:
    vectors, labels = clusters(1, 60, 5, 2, spread=40.0)
    far = torch.full((1, 1, 2, 6), 1e6, dtype=torch.float64)
    far[:, :, 1] *= -1
    weights, found = polish(vectors, torch.from_numpy(labels), far, torch.tensor([[1e-12]]).double(), True)
    assert not bool(found.any())
    torch.testing.assert_close(weights, far)


@pytest.mark.parametrize("threads", [1, 2])
def test_answers_do_not_depend_on_threads_or_order(threads: int, small: Problem) -> None:
    vectors, _ = clusters(5, len(small.gold), 32, 2)
    torch.set_num_threads(threads)
    fit = Logistic().fit(vectors, small)
    turned = Logistic().fit(vectors.flip(0), small)
    np.testing.assert_array_equal(fit.predictions, turned.predictions[::-1])
    np.testing.assert_array_equal(fit.l2, turned.l2[::-1])
    np.testing.assert_allclose(fit.weights, turned.weights[::-1], rtol=1e-5, atol=1e-7)


@pytest.fixture
def small() -> Problem:
    return problem(clusters(1, 500, 2, 2)[1])
