from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

from probing.errors import ProbingError
from probing.probes.coding import Coding
from probing.probes.contract import Probe
from probing.probes.linear import Linear
from probing.probes.logistic import Logistic
from probing.probes.newton import FoldSolver, KFold
from probing.probes.ridge import Ridge
from probing.probes.senteval import SentEval
from probing.probes.sgd import Schedule
from probing.probes.sklearn_probe import Sklearn
from probing.statistics.folds import folds, outer_folds
from probing.tasks.problem import Problem
from probing.tasks.target import Scores
from tests.probes.made import classes, clusters, graded, loss_and_gradient, problem

pytestmark = pytest.mark.slow

EXACT = Logistic(l2=(1e-4, 1e-2, 1e-1), tolerance=1e-9)
Ints = NDArray[np.int64]


def splits(labels: Ints) -> list[tuple[Ints, Ints]]:
    return list(StratifiedKFold(4, shuffle=True, random_state=7).split(labels, labels))


def looped(probe: Logistic, vectors: torch.Tensor, labels: Ints) -> tuple[list[float], list[float], Ints]:
    """One unit by one plain fit after another: mean dev score, L2 of each outer fold, all predictions."""
    dev, l2, guesses = [], [], np.full(len(labels), -1)
    k, target = int(labels.max()) + 1, torch.from_numpy(labels)

    def fitted(rows: Ints, held: Ints) -> Ints:
        weights = probe.train(vectors[:, rows], target[rows], k)[0]
        logits = weights[..., :-1] @ vectors[0, held].double().T + weights[..., -1:]
        return logits.argmax(1).numpy()

    for fit, held in splits(labels):
        inner = [(fit[a], fit[b]) for a, b in splits(labels[fit])]
        scores = np.mean([(fitted(a, b) == labels[b]).mean(1) for a, b in inner], axis=0)
        # among equals the strongest
        best = max(range(len(probe.l2)), key=lambda i: (round(scores[i], 12), probe.l2[i]))
        dev.append(scores[best])
        l2.append(probe.l2[best])
        guesses[held] = fitted(fit, held)[best]
    return dev, l2, guesses


@pytest.mark.parametrize("k", [2, 3])
def test_nested_is_a_plain_loop_over_folds(k: int) -> None:
    vectors, labels = clusters(2, 120, 4, k)
    fit = EXACT.fit(vectors, problem(labels, "nested"))
    for unit in range(2):
        dev, l2, guesses = looped(EXACT, vectors[unit : unit + 1], labels)
        assert fit.dev[unit] == pytest.approx(np.mean(dev), abs=1e-9)
        assert fit.l2[unit] == np.median(l2)
        np.testing.assert_array_equal(fit.predictions[unit], guesses)


def test_nested_is_scikit_learns() -> None:
    vectors, labels = clusters(2, 120, 4, 2)
    asked = problem(labels, "nested")
    ours, theirs = EXACT.fit(vectors, asked), Sklearn(EXACT.l2, tolerance=1e-7).fit(vectors, asked)
    np.testing.assert_allclose(ours.dev, theirs.dev, atol=1e-12)
    np.testing.assert_array_equal(ours.l2, theirs.l2)
    np.testing.assert_array_equal(ours.predictions, theirs.predictions)
    np.testing.assert_allclose(ours.weights, theirs.weights, rtol=2e-2, atol=1e-3)
    # and by hand, for a single value of L2
    alone = replace(EXACT, l2=(0.01,)).fit(vectors, asked)
    for fit, held in splits(labels):
        scaler = StandardScaler().fit(vectors[0, fit])
        model = LogisticRegression(C=2 / (0.01 * len(fit)), tol=1e-7)
        model.fit(scaler.transform(vectors[0, fit]), labels[fit])
        np.testing.assert_array_equal(
            alone.predictions[0, held], model.predict(scaler.transform(vectors[0, held]))
        )


def case(name: str) -> tuple[torch.Tensor, Ints]:
    n, dim = (60, 90) if name == "more features than rows" else (180, 5)
    vectors, labels = clusters(2, n, dim, 2, spread=40.0 if name == "separable" else 1.5)
    if name == "constant feature":
        vectors[:, :, 2] = 3.1
    if name == "duplicate feature":
        vectors[:, :, 2] = vectors[:, :, 1]
    if name == "feature of one example":
        vectors[:, :, 2] = 0
        vectors[:, 17, 2] = 5
    if name == "rare class":
        labels = (np.arange(n) % 20 == 0).astype(np.int64)
    if name == "scales apart":
        vectors[1] *= 1e4
        vectors[0, :, 0] *= 1e-4
    if name == "far from zero":
        vectors += 300
    return vectors, labels


CASES = [
    "ordinary", "separable", "more features than rows", "constant feature", "duplicate feature",
    "feature of one example", "rare class", "scales apart", "far from zero",
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "standardize"), [*((name, True) for name in CASES), ("ordinary", False), ("rare class", False)]
)
def test_every_fold_is_at_its_optimum(name: str, standardize: bool) -> None:
    vectors, labels = case(name)
    probe = Logistic(standardize=standardize)
    coding = Coding.of_shares(classes(labels), vectors.device)
    fits = [fit for fit, _ in splits(labels)]
    together = list(probe.fit_folds(vectors, coding, fits))
    exact = replace(probe, tolerance=1e-9)
    # the general solver's estimate of the gap is too small for such features
    limit = 1e-4 if name == "feature of one example" else 1e-5
    for rows, weights in zip(fits, together, strict=True):
        alone = exact.fit_rows(vectors, coding, rows)
        part = vectors[:, rows]
        mine, _ = loss_and_gradient(part, labels[rows], weights, probe.l2, standardize)
        best, _ = loss_and_gradient(part, labels[rows], alone, probe.l2, standardize)
        assert ((mine - best) / best).max() < limit


@pytest.mark.parametrize("name", ["ordinary", "feature of one example"])
def test_newton_says_where_it_fails(name: str) -> None:
    vectors, labels = case(name)
    start = Logistic().train(vectors, torch.from_numpy(labels), 2)
    kfold = KFold.of([fit for fit, _ in splits(labels)])
    assert kfold is not None
    shares = torch.from_numpy(labels[kfold.rows]).float()
    solver = FoldSolver(kfold, shares, torch.tensor(Logistic().l2).double(), True, 1e-6)
    found = solver(vectors[:, kfold.rows], start)
    assert found.shape == (2, 4, 5, 2, 6)
    assert bool(found.isfinite().all()) == (name == "ordinary")


def test_a_kfold_leaves_every_row_out_once() -> None:
    fits = [fit for fit, _ in splits(np.arange(40) % 2)]
    kfold = KFold.of([fit + 3 for fit in fits])
    assert kfold is not None
    assert sorted(kfold.rows) == list(range(3, 43))
    for fit, block in zip(fits, kfold.blocks, strict=True):
        assert sorted([*kfold.rows[block], *(fit + 3)]) == list(range(3, 43))
    assert KFold.of(fits[1:]) is None
    assert KFold.of([fits[0], fits[0]]) is None


def test_every_row_is_tested_by_a_probe_that_did_not_see_it() -> None:
    vectors, labels = clusters(2, 160, 5, 2)
    asked = problem(labels, "nested")
    _, held = outer_folds(asked)[0]
    # an outlier has a say in what is learnt for other folds, and none in what is said of its own
    other = vectors.clone()
    other[:, held[0]] *= -100
    before, after = EXACT.fit(vectors, asked), EXACT.fit(other, asked)
    np.testing.assert_array_equal(before.predictions[:, held[1:]], after.predictions[:, held[1:]])
    rest = np.setdiff1d(np.arange(160), held)
    assert (before.predictions[:, rest] != after.predictions[:, rest]).any()


def test_predictions_are_in_the_order_of_test() -> None:
    vectors, labels = clusters(2, 120, 4, 2)
    asked = problem(labels, "nested")
    turned = Logistic().fit(vectors, replace(asked, test=asked.test[::-1].copy()))
    plain = Logistic().fit(vectors, asked)
    np.testing.assert_array_equal(turned.predictions, plain.predictions[:, ::-1])


PROBES: list[Probe] = [
    Logistic(l2=(1e-3, 1e-1), tolerance=1e-9),
    Ridge(),
    Sklearn(l2=(1e-3, 1e-1)),
    SentEval(l2=(1e-4, 1e-2), batch_size=32),
]


@pytest.mark.parametrize("kind", ["classes", "scores"])
@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_every_probe_is_its_own_kfold_in_each_outer_fold(
    probe: Probe, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("probing.probes.senteval.RELATEDNESS", Schedule("adam", 16, 5, 1, 20))
    if kind == "classes":
        vectors, labels = clusters(2, 90, 4, 3)
        asked = problem(labels, "nested", folds=3)
    else:
        vectors, target = graded(2, 40, 4)
        asked = problem(target, "nested", folds=2)
    whole = probe.fit(vectors, asked)
    parts = [
        probe.fit(vectors, replace(asked, selection="kfold", train=fit, test=held))
        for fit, held in outer_folds(asked)
    ]
    np.testing.assert_allclose(whole.dev, np.mean([part.dev for part in parts], axis=0), atol=1e-4)
    np.testing.assert_array_equal(whole.l2, np.median([part.l2 for part in parts], axis=0))
    np.testing.assert_allclose(
        whole.weights, np.mean([p.weights for p in parts], axis=0), rtol=0.05, atol=5e-3
    )
    for (_, held), part in zip(outer_folds(asked), parts, strict=True):
        np.testing.assert_allclose(whole.predictions[:, held], part.predictions, atol=5e-3)


def test_folds_of_scores_are_balanced_and_ignore_other_scores() -> None:
    values = np.random.default_rng(0).exponential(size=100)
    parts = outer_folds(problem(Scores(values, (0.0, 5.0)), "nested"))
    assert sorted(np.concatenate([held for _, held in parts])) == list(range(100))
    for _, held in parts:
        assert abs((values[held] > np.median(values)).mean() - 0.5) < 0.1


def test_folds_that_no_class_can_fill_are_refused() -> None:
    labels = np.arange(8) % 2
    asked: Problem = problem(labels, "nested", folds=4)
    with pytest.raises(ProbingError, match=r"at most 3 examples per class for 4 folds.*task.folds"):
        Logistic().fit(torch.randn(1, 8, 3), asked)
    with pytest.raises(ProbingError, match=r"lower task.folds"):
        folds(labels, 5, 0)


def test_two_classes_need_no_fit_of_their_own_in_each_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, labels = clusters(2, 160, 5, 2)
    asked = problem(labels, "nested")
    fitted: list[int] = []
    plain = Linear.fit_rows

    def counted(self: Linear, *arguments: object) -> torch.Tensor:
        fitted.append(1)
        return plain(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Linear, "fit_rows", counted)
    Logistic().fit(vectors, asked)
    assert len(fitted) == 1
