from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge as SklearnRidge
from sklearn.linear_model import RidgeClassifier
from sklearn.preprocessing import StandardScaler

from probing.errors import ProbingError
from probing.probes.ridge import Ridge
from tests.probes.made import classes, clusters, graded, problem


@pytest.mark.parametrize("shape", [(120, 6), (40, 60)])
@pytest.mark.parametrize("standardize", [True, False])
def test_scores_are_scikit_learns(shape: tuple[int, int], standardize: bool) -> None:
    vectors, target = graded(3, *shape)
    asked = problem(target)
    values = target.values
    for l2 in (1e-3, 1.0):
        fit = Ridge(l2=(l2,), standardize=standardize).fit(vectors, asked)
        for unit, plain in enumerate(vectors.double().numpy()):
            scaler = StandardScaler(with_std=standardize).fit(plain[asked.train])
            model = SklearnRidge(alpha=l2 * len(asked.train))
            model.fit(scaler.transform(plain[asked.train]), values[asked.train])
            guesses = model.predict(scaler.transform(plain[asked.test]))
            np.testing.assert_allclose(fit.predictions[unit], guesses, rtol=1e-4, atol=1e-4)
        ours = np.einsum("ukd,und->un", fit.weights, vectors[:, asked.test].numpy()) + fit.bias
        np.testing.assert_allclose(ours, fit.predictions, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("k", [2, 5])
def test_classes_are_ridge_classifiers(k: int) -> None:
    vectors, labels = clusters(3, 200, 6, k)
    asked = problem(labels)
    for l2 in (1e-3, 1.0):
        fit = Ridge(l2=(l2,)).fit(vectors, asked)
        for unit, plain in enumerate(vectors.double().numpy()):
            scaler = StandardScaler().fit(plain[asked.train])
            model = RidgeClassifier(alpha=l2 * len(asked.train))
            model.fit(scaler.transform(plain[asked.train]), labels[asked.train])
            guesses = model.predict(scaler.transform(plain[asked.test]))
            np.testing.assert_array_equal(fit.predictions[unit], guesses)


def test_the_optimum_has_no_gradient() -> None:
    vectors, target = graded(2, 80, 5)
    probe = Ridge(l2=(0.01, 0.3), standardize=False)
    values = torch.from_numpy(target.values)
    weights = probe.train(vectors, values.unsqueeze(1), 1).requires_grad_()
    answers = (weights[..., :-1] @ vectors.double().mT.unsqueeze(1) + weights[..., -1:]).squeeze(2)
    penalty = torch.tensor(probe.l2).double() * weights[..., :-1].square().sum((2, 3))
    loss = (answers - values).square().mean(2) + penalty
    (gradient,) = torch.autograd.grad(loss.sum(), weights)
    assert gradient.abs().max() < 1e-5


def test_scores_are_not_held_within_their_range() -> None:
    vectors, target = graded(1, 100, 4, noise=0.1)
    fit = Ridge().fit(vectors * 3, problem(target))
    stretched = Ridge().fit(torch.cat([vectors[:, :80], 3 * vectors[:, 80:]], 1), problem(target))
    assert fit.predictions.max() < 7
    assert stretched.predictions.max() > 7


def test_origin_and_unit_of_scores_do_not_matter() -> None:
    vectors, target = graded(2, 100, 4)
    plain = Ridge().fit(vectors, problem(target))
    moved = Ridge().fit(vectors, problem(type(target)(1e6 + 10 * target.values, target.anchors)))
    np.testing.assert_allclose((moved.predictions - 1e6) / 10, plain.predictions, atol=1e-4)
    np.testing.assert_array_equal(moved.l2, plain.l2)


def test_a_constant_feature_and_a_class_without_examples_do_no_harm() -> None:
    vectors, labels = clusters(2, 120, 4, 3)
    vectors[:, :, 1] = 2.5
    fit = Ridge().fit(vectors, problem(classes(labels * 2, 5)))
    assert set(fit.predictions.flat) <= {0, 2, 4}
    assert (fit.weights[:, :, 1] == 0).all()


def test_settings_are_checked() -> None:
    with pytest.raises(ProbingError, match=r"probe\.l2"):
        Ridge(l2=(0.0,))
