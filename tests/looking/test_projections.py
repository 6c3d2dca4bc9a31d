"""Planes are those of the vectors and of the probe that a run fits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

import probing
from probing.io.lazy import torch
from probing.looking.outcome import Look
from probing.looking.projections import discriminant, principal, shown_rows
from probing.probes.logistic import Logistic
from probing.tasks.problem import Problem
from probing.tasks.target import Classes, Scores
from tests.looking.conftest import options

RNG = np.random.default_rng(0)


def problem(labels: np.ndarray, *, classes: int, train: int) -> Problem:
    names = tuple("abcdefghij"[:classes])
    rows = np.arange(len(labels))
    return Problem(
        Classes(labels.astype(np.int64), names), rows[:train], rows[train : train + 20], rows[train + 20 :],
        "dev", 5, "accuracy", 0,
    )  # fmt: skip


def clouds(classes: int, n: int = 150, dim: int = 6) -> tuple[np.ndarray, Problem]:
    labels = RNG.integers(0, classes, n)
    centres = 2 * RNG.normal(size=(classes, dim))
    return centres[labels] + RNG.normal(size=(n, dim)), problem(labels, classes=classes, train=100)


def test_principal_axes_are_those_of_scikit_learn() -> None:
    points, _ = clouds(3)
    base, others = points[:100], points[100:]
    pca = PCA(2, svd_solver="full").fit(base)
    found = principal(base, others)
    for axis in (0, 1):
        expected = pca.transform(others)[:, axis]
        sign = np.sign(found.points[:, axis] @ expected)
        np.testing.assert_allclose(sign * found.points[:, axis], expected, atol=1e-4)
        assert f"({100 * pca.explained_variance_ratio_[axis]:.0f} % of variance)" in found.names[axis]


def test_vectors_of_one_feature_have_one_component() -> None:
    points = RNG.normal(size=(30, 1))
    found = principal(points, points)
    assert found.names[1] == "no second component"
    assert (found.points[:, 1] == 0).all()


def test_the_first_axis_of_two_classes_is_the_output_of_the_probe() -> None:
    points, own = clouds(2)
    vectors = torch.from_numpy(points[None].astype(np.float32))
    probe = Logistic(l2=(0.01,), standardize=False)
    fit = probe.fit(vectors, own, log_probabilities=True)
    found = discriminant(points[own.train], points[own.test], fit, 0, own)
    assert found is not None
    assert found.boundary
    assert found.names[0] == "output of the probe for b"
    assert fit.log_probabilities is not None
    odds = fit.log_probabilities[0, :, 1] - fit.log_probabilities[0, :, 0]
    np.testing.assert_allclose(found.points[:, 0], odds, atol=1e-3)
    assert ((found.points[:, 0] > 0) == (fit.predictions[0] == 1)).all()
    reference = LogisticRegression(C=2 / (0.01 * 100)).fit(points[own.train], own.gold[own.train])
    np.testing.assert_allclose(found.points[:, 0], reference.decision_function(points[own.test]), atol=0.02)


def test_the_second_axis_is_what_the_probe_does_not_read() -> None:
    points, own = clouds(2)
    fit = Logistic(l2=(0.01,)).fit(torch.from_numpy(points[None].astype(np.float32)), own)
    found = discriminant(points[own.train], points[own.train], fit, 0, own)
    assert found is not None
    line = (fit.weights[0, 1] - fit.weights[0, 0]).astype(np.float64)
    unit = line / np.linalg.norm(line)
    rest = points[own.train] - points[own.train].mean(0)
    rest = rest - np.outer(rest @ unit, unit)
    assert np.var(found.points[:, 1]) == pytest.approx(
        np.linalg.eigvalsh(np.cov(rest.T, bias=True))[-1], rel=1e-3
    )


def separation(plane: np.ndarray, labels: np.ndarray) -> float:
    means = np.stack([plane[labels == label].mean(0) for label in np.unique(labels)])
    inside = np.mean([plane[labels == label].var(0).sum() for label in np.unique(labels)])
    return float(means.var(0).sum() / inside)


def test_the_plane_of_the_probe_separates_classes_that_large_variance_hides() -> None:
    points, own = clouds(4, n=300)
    points = np.hstack([points, 20 * RNG.normal(size=points.shape)])
    fit = Logistic(l2=(0.01,)).fit(torch.from_numpy(points[None].astype(np.float32)), own)
    found = discriminant(points[own.train], points[own.test], fit, 0, own)
    assert found is not None
    assert not found.boundary
    plain, labels = principal(points[own.train], points[own.test]), own.gold[own.test]
    assert separation(found.points, labels) > 10 * separation(plain.points, labels)


def test_the_plane_of_the_probe_does_not_depend_on_the_units_of_features() -> None:
    points, own = clouds(4)
    fit = Logistic(l2=(0.01,)).fit(torch.from_numpy(points[None].astype(np.float32)), own)
    units = 10.0 ** RNG.integers(-2, 3, 6)
    other = type(fit)(fit.dev, fit.l2, fit.predictions, (fit.weights / units).astype(np.float32), fit.bias)
    planes = [
        discriminant(each[own.train], each[own.test], of, 0, own)
        for each, of in ((points, fit), (points * units, other))
    ]
    assert planes[0] is not None
    assert planes[1] is not None
    np.testing.assert_allclose(planes[0].points, planes[1].points, atol=1e-3)


def test_a_probe_without_weights_has_no_plane() -> None:
    points, own = clouds(2)
    fit = Logistic(l2=(0.01,)).fit(torch.from_numpy(points[None].astype(np.float32)), own)
    empty = type(fit)(fit.dev, fit.l2, fit.predictions, fit.weights[:, :0], fit.bias[:, :0])
    assert discriminant(points, points, empty, 0, own) is None


@pytest.mark.parametrize("kind", ["classes", "scores"])
def test_drawn_examples_keep_the_shares_of_strata(kind: str) -> None:
    labels = np.array([0] * 800 + [1] * 200)
    own = problem(np.concatenate([labels, labels]), classes=2, train=980)
    if kind == "scores":
        target = Scores(np.linspace(0, 5, 2000), (0.0, 1.0, 2.0, 3.0, 4.0, 5.0))
        own = Problem(target, own.train, own.dev, own.test, "dev", 5, "pearson", 0)
    rows = shown_rows(own, seed=3, most=100)
    assert len(rows) == 100
    assert (np.diff(rows) > 0).all()
    assert set(rows) <= set(own.test.tolist())
    if kind == "classes":
        assert np.bincount(own.gold[rows]).tolist() == [80, 20]
    np.testing.assert_array_equal(rows, shown_rows(own, seed=3, most=100))
    assert len(shown_rows(own, seed=3, most=5000)) == len(own.test)


@pytest.mark.slow
def test_scores_and_examples_are_those_of_the_run(looked: Look, tiny_bert: Path, tmp_path: Path) -> None:
    task = ["task=grammar/tense", "task.n_train=80", "task.n_dev=40", "task.n_test=40"]
    frame = probing.run([*options(tiny_bert, tmp_path), *task])
    semantic = looked.semantic
    assert semantic is not None
    scores = {(int(row.layer), int(row.head)): float(row.test) for row in frame.itertuples()}
    assert {place: view.score for place, view in semantic.heads.items()} == pytest.approx(scores)
    vectors = probing.load_representations(tmp_path, frame=True)
    assert isinstance(vectors, pd.DataFrame)
    tested = vectors.loc[vectors.index.get_level_values("split") == "test"]
    assert [units[0].text for units in semantic.units] == tested.index.get_level_values("text").tolist()
    assert semantic.labels == tuple(tested.index.get_level_values("label"))
    assert semantic.held_out
    trained = vectors.loc[vectors.index.get_level_values("split") == "train"][(1, 2)].to_numpy()
    expected = principal(trained.astype(float), tested[(1, 2)].to_numpy().astype(float))
    np.testing.assert_allclose(semantic.heads[1, 2].pca.points, expected.points, atol=1e-5)
