from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.probes.log_likelihood import LogLikelihood
from probing.probes.logistic import Logistic
from probing.probes.minimise import minimise
from probing.probes.scaling import Scaling
from probing.probes.sklearn_probe import Sklearn
from tests.probes.made import classes, clusters, loss_and_gradient, problem

pytestmark = pytest.mark.slow

EXACT = Logistic(tolerance=1e-9)


def case(name: str) -> tuple[torch.Tensor, NDArray[np.int64]]:
    units, n, dim, k = {
        "two classes": (3, 200, 5, 2),
        "six classes": (3, 300, 8, 6),
        "more features than rows": (2, 40, 60, 3),
        "separable": (2, 120, 6, 3),
        "many classes": (1, 400, 6, 70),
    }.get(name, (2, 240, 6, 4))
    vectors, labels = clusters(units, n, dim, k, spread=40.0 if name == "separable" else 1.5)
    if name == "constant feature":
        vectors[:, :, 2] = 3.1
    if name == "duplicate feature":
        vectors[:, :, 2] = vectors[:, :, 1]
    if name == "rare class":
        labels[labels == 3] = 2
        labels[:3] = 3
    if name == "scales apart":
        vectors[1] *= 1e4
        vectors[0, :, 0] *= 1e-4
    if name == "far from zero":
        vectors += 300
    return vectors, labels


CASES = [
    "two classes", "six classes", "more features than rows", "separable", "many classes", "constant feature",
    "duplicate feature", "rare class", "scales apart", "far from zero",
]  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_optimum_is_scikit_learns(name: str) -> None:
    vectors, labels = case(name)
    k = int(labels.max()) + 1
    target = torch.from_numpy(labels)
    ours = Logistic().train(vectors, target, k)
    exact = EXACT.train(vectors, target, k)
    sklearn = Sklearn(tolerance=1e-7).train(vectors, target, k)
    reference, _ = loss_and_gradient(vectors, labels, sklearn, EXACT.l2)
    loss, _ = loss_and_gradient(vectors, labels, ours, EXACT.l2)
    # scikit-learn may itself be short of the optimum where l2 is tiny; with more weights than rows the
    # estimate of the gap is a little too small
    assert ((loss - reference) / reference).max() < (3e-5 if name == "many classes" else 1e-5)
    finest, gradient = loss_and_gradient(vectors, labels, exact, EXACT.l2)
    assert ((finest - reference) / reference).max() < 1e-6
    assert gradient.abs().max() < 2e-4
    strong = [2, 3, 4]
    logits = [
        w[:, strong, :, :-1] @ vectors.double().mT.unsqueeze(1) + w[:, strong, :, -1:]
        for w in (exact, sklearn)
    ]
    first, second = (torch.softmax(z, 2) for z in logits)
    assert (first - second).abs().max() < 3e-3


@pytest.mark.parametrize("name", ["two classes", "six classes"])
def test_coefficients_are_scikit_learns(name: str) -> None:
    vectors, labels = case(name)
    k, target = int(labels.max()) + 1, torch.from_numpy(labels)
    exact = EXACT.train(vectors, target, k)
    sklearn = Sklearn(tolerance=1e-8).train(vectors, target, k)
    assert (exact - sklearn)[:, 2:].abs().max() < 3e-3 * sklearn.abs().max()


@pytest.mark.parametrize("k", [2, 5, 130])
def test_objective_agrees_with_autograd(k: int) -> None:
    torch.manual_seed(0)
    features = torch.randn(2, 300, 4, dtype=torch.float64)
    features[..., -1] = 1
    labels = torch.arange(300) % k
    l2 = torch.tensor([0.01, 1.0], dtype=torch.float64)
    weights = (100 * torch.randn(2, 2, k, 4, dtype=torch.float64)).requires_grad_()
    value = LogLikelihood.of(features, labels, l2, k)(weights.detach(), curvature=True)
    logits = weights @ features.mT.unsqueeze(1)
    loss = -torch.log_softmax(logits, 2)[:, :, labels, torch.arange(300)].mean(2)
    loss = loss + l2 / 2 * weights[..., :-1].square().sum((2, 3))
    (gradient,) = torch.autograd.grad(loss.sum(), weights)
    torch.testing.assert_close(value.loss, loss.detach())
    torch.testing.assert_close(value.gradient, gradient)


@pytest.mark.parametrize("k", [3, 130])
def test_the_value_at_the_origin_needs_no_sweep(k: int) -> None:
    vectors, labels = clusters(2, 300, 4, k)
    features = Scaling.of(vectors, True).apply(vectors)
    objective = LogLikelihood.of(features, torch.from_numpy(labels), torch.tensor([0.1, 1.0]).double(), k)
    start, value = objective.origin()
    swept = objective(start, curvature=True)
    torch.testing.assert_close(value.loss, swept.loss, rtol=1e-6, atol=0)
    torch.testing.assert_close(value.gradient, swept.gradient, rtol=0, atol=1e-6)
    assert value.curvature is not None
    assert swept.curvature is not None
    torch.testing.assert_close(value.curvature, swept.curvature, rtol=0, atol=1e-6)


def test_float64_reaches_a_vanishing_gradient() -> None:
    vectors, labels = case("six classes")
    scaling = Scaling.of(vectors, True)
    features = scaling.apply(vectors).double()
    l2 = torch.tensor(EXACT.l2, dtype=torch.float64)
    objective = LogLikelihood.of(features, torch.from_numpy(labels), l2, 6)
    optimum = minimise(objective, None, 1e-14, 300)
    assert bool(optimum.converged.all())
    assert objective(optimum.weights).gradient.abs().max() < 1e-7


@pytest.mark.parametrize("selection", ["dev", "kfold", "holdout"])
def test_the_choice_is_that_of_the_reference(selection: str) -> None:
    vectors, labels = clusters(3, 300, 6, 4)
    asked = problem(labels, selection)
    ours, reference = EXACT.fit(vectors, asked), Sklearn(tolerance=1e-7).fit(vectors, asked)
    np.testing.assert_array_equal(ours.l2, reference.l2)
    np.testing.assert_allclose(ours.dev, reference.dev, atol=1e-9)
    assert (ours.predictions != reference.predictions).mean() < 0.01
    logits = np.einsum("ukd,und->unk", ours.weights, vectors[:, asked.test].numpy()) + ours.bias[:, None]
    np.testing.assert_array_equal(logits.argmax(2), ours.predictions)


def test_ties_go_to_the_stronger_regularisation() -> None:
    vectors, labels = case("separable")
    fit = Logistic(l2=(1e-3, 1e-2, 1e-4)).fit(vectors, problem(labels))
    np.testing.assert_array_equal(fit.dev, 1)
    np.testing.assert_array_equal(fit.l2, 1e-2)


@pytest.mark.parametrize("selection", ["dev", "kfold", "holdout"])
def test_heads_are_independent(selection: str) -> None:
    vectors, labels = clusters(4, 200, 5, 3)
    vectors[3] *= 1e5
    asked = problem(labels, selection)
    whole = Logistic().fit(vectors, asked)
    turned = Logistic().fit(vectors[[2, 0, 3, 1]], asked)
    fewer = Logistic().fit(vectors[:2], asked)
    np.testing.assert_array_equal(turned.l2, whole.l2[[2, 0, 3, 1]])
    np.testing.assert_allclose(turned.weights, whole.weights[[2, 0, 3, 1]], rtol=1e-3, atol=1e-6)
    np.testing.assert_array_equal(fewer.l2, whole.l2[:2])
    np.testing.assert_allclose(fewer.dev, whole.dev[:2], atol=1e-12)
    np.testing.assert_allclose(fewer.weights, whole.weights[:2], rtol=1e-3, atol=1e-4)


def test_scale_and_origin_of_features_do_not_matter() -> None:
    vectors, labels = clusters(2, 200, 5, 3)
    asked = problem(labels)
    plain = EXACT.fit(vectors, asked)
    moved = EXACT.fit(vectors * torch.tensor([0.25, 1, 4, 16, 64]) + 2, asked)
    np.testing.assert_array_equal(moved.l2, plain.l2)
    np.testing.assert_array_equal(moved.predictions, plain.predictions)
    assert not np.allclose(
        Logistic(standardize=False).fit(vectors * 64, asked).weights * 64, plain.weights, atol=1e-3
    )


def test_without_standardisation_the_optimum_is_that_of_raw_vectors() -> None:
    vectors, labels = clusters(2, 200, 5, 3)
    target = torch.from_numpy(labels)
    ours = Logistic(standardize=False, tolerance=1e-9).train(vectors, target, 3)
    reference = Sklearn(standardize=False, tolerance=1e-8).train(vectors, target, 3)
    assert (ours - reference)[:, 2:].abs().max() < 3e-3 * reference.abs().max()


@pytest.mark.parametrize("selection", ["dev", "kfold", "holdout"])
def test_test_rows_have_no_say(selection: str) -> None:
    vectors, labels = clusters(2, 200, 5, 3)
    asked = problem(labels, selection)
    scrambled = labels.copy()
    scrambled[asked.test] = (labels[asked.test] + 1) % 3
    other = vectors.clone()
    other[:, asked.test] = torch.randn(2, len(asked.test), 5) * 100
    before = Logistic().fit(vectors, asked)
    after = Logistic().fit(other, replace(asked, target=classes(scrambled)))
    np.testing.assert_array_equal(before.l2, after.l2)
    np.testing.assert_array_equal(before.dev, after.dev)
    np.testing.assert_array_equal(before.weights, after.weights)


def test_a_class_that_train_lacks_is_never_predicted() -> None:
    vectors, labels = clusters(2, 200, 5, 3)
    fit = Logistic().fit(vectors, problem(classes(labels * 2, 6)))
    assert set(fit.predictions.flat) <= {0, 2, 4}
    assert np.isneginf(fit.bias[:, [1, 3, 5]]).all()
    assert (fit.weights[:, [1, 3, 5]] == 0).all()


def test_a_start_elsewhere_ends_at_the_same_optimum() -> None:
    vectors, labels = clusters(2, 200, 5, 3)
    target = torch.from_numpy(labels)
    cold = EXACT.train(vectors, target, 3)
    warm = EXACT.train(vectors, target, 3, cold + torch.randn_like(cold))
    first, _ = loss_and_gradient(vectors, labels, cold, EXACT.l2)
    second, _ = loss_and_gradient(vectors, labels, warm, EXACT.l2)
    torch.testing.assert_close(first, second, rtol=1e-6, atol=0)


def test_large_batches_are_fitted_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, labels = clusters(3, 200, 5, 3)
    whole = EXACT.fit(vectors, problem(labels))
    monkeypatch.setattr("probing.probes.linear.GROUP_BYTES", 1)
    monkeypatch.setattr("probing.probes.l2_choice.CHUNK_BYTES", 1)
    monkeypatch.setattr("probing.probes.log_likelihood.CHUNK_BYTES", {"cpu": 1, "accelerator": 1})
    parts = EXACT.fit(vectors, problem(labels))
    np.testing.assert_array_equal(parts.l2, whole.l2)
    np.testing.assert_array_equal(parts.predictions, whole.predictions)


def test_the_iteration_limit_is_told(caplog: pytest.LogCaptureFixture) -> None:
    vectors, labels = clusters(2, 200, 5, 3)
    with caplog.at_level(logging.WARNING):
        Logistic(max_iterations=2).train(vectors, torch.from_numpy(labels), 3)
    assert "of 10 fits stopped after 2 passes" in caplog.text
    caplog.clear()
    Logistic().train(vectors, torch.from_numpy(labels), 3)
    assert not caplog.text


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_vectors_that_are_not_finite_are_refused(bad: float) -> None:
    vectors, labels = clusters(3, 60, 4, 2)
    vectors[1, 5, 2] = bad
    with pytest.raises(ProbingError, match=r"unit 1: 1 of 60 vectors contain NaN or infinity"):
        Logistic().fit(vectors, problem(labels))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"l2": ()}, "probe.l2"),
        ({"l2": (0.0,)}, "probe.l2"),
        ({"l2": (0.1, 0.1)}, "probe.l2"),
        ({"tolerance": 0.0}, "probe.tolerance"),
        ({"max_iterations": 0}, "probe.max_iterations"),
    ],
)
def test_settings_are_checked(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ProbingError, match=message):
        Logistic(**settings)  # type: ignore[arg-type]
