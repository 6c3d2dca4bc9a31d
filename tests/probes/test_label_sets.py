"""Several labels for each example, compared with scikit-learn label by label."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import StandardScaler

from probing.errors import ProbingError
from probing.probes.contract import Fit, Probe
from probing.probes.cosine import Cosine
from probing.probes.logistic import Logistic
from probing.probes.mlp import Mlp
from probing.probes.ridge import Ridge
from probing.probes.senteval import SentEval
from probing.probes.sklearn_probe import Sklearn
from probing.statistics.folds import outer_folds
from probing.tasks.problem import Problem
from probing.tasks.target import Labels
from probing.tasks.task import Task, Unit
from tests.probes.made import problem

Bools = NDArray[np.bool_]
NAMES = ("aware", "moved", "volition")


def sets(n: int = 240, units: int = 2, dim: int = 6, seed: int = 0) -> tuple[torch.Tensor, Labels]:
    """Labels of different frequency, each along a direction of its own in the vectors, with noise."""
    rng = np.random.default_rng(seed)
    values = rng.random((n, len(NAMES))) < (0.6, 0.3, 0.1)
    directions = rng.normal(size=(units, len(NAMES), dim))
    vectors = values.astype(float) @ directions + rng.normal(size=(units, n, dim))
    return torch.tensor(vectors, dtype=torch.float32), Labels(values, NAMES)


def asked(target: Labels, selection: str = "dev") -> Problem:
    return problem(target, selection, metric="micro_f1")


def one_vs_rest(
    x: NDArray[np.float64], gold: Bools, train: NDArray[np.int64], l2: float
) -> tuple[Bools, NDArray[np.float64], OneVsRestClassifier]:
    """Answers to all rows, the probability of each label, and the model."""
    scaler = StandardScaler().fit(x[train])
    # of two classes, the weights of both rows bear the penalty here and those of one in scikit-learn
    each = LogisticRegression(C=2 / (l2 * len(train)), tol=1e-12, max_iter=100_000)
    model = OneVsRestClassifier(each).fit(scaler.transform(x[train]), gold[train])
    return model.predict(scaler.transform(x)).astype(bool), model.predict_proba(scaler.transform(x)), model


@pytest.mark.parametrize("probe", [Logistic(), Sklearn(tolerance=1e-12)], ids=lambda probe: probe.name)
def test_it_is_one_vs_rest_with_the_l2_value_that_is_best_on_dev(probe: Probe) -> None:
    vectors, target = sets()
    question = asked(target)
    fit = probe.fit(vectors, question, log_probabilities=True)
    assert fit.log_probabilities is not None
    for unit, x in enumerate(vectors.double().numpy()):
        dev = []
        for l2 in Logistic().l2:
            guesses = one_vs_rest(x, target.values, question.train, l2)[0][question.dev]
            dev.append(f1_score(target.values[question.dev], guesses, average="micro"))
        # among equals the strongest
        best = max(range(len(dev)), key=lambda at: (round(dev[at], 12), at))
        assert fit.l2[unit] == Logistic().l2[best]
        np.testing.assert_allclose(fit.dev[unit], dev[best], atol=1e-12)
        answers, chances, _ = one_vs_rest(x, target.values, question.train, fit.l2[unit])
        np.testing.assert_array_equal(fit.predictions[unit], answers[question.test])
        found = np.exp(fit.log_probabilities[unit])
        np.testing.assert_allclose(found[..., 1], chances[question.test], atol=1e-6)
        np.testing.assert_allclose(found.sum(2), 1, atol=1e-12)


def test_weights_are_the_log_odds_of_each_label() -> None:
    vectors, target = sets()
    question = asked(target)
    fit = Logistic().fit(vectors, question, log_probabilities=True)
    assert fit.log_probabilities is not None
    assert fit.weights.shape == (2, 3, 6)
    for unit in range(2):
        odds = vectors[unit, question.test].numpy() @ fit.weights[unit].T + fit.bias[unit]
        both = fit.log_probabilities[unit]
        np.testing.assert_allclose(odds, both[..., 1] - both[..., 0], atol=1e-4)


def test_nested_folds_answer_every_item_by_the_probe_of_its_own_fold() -> None:
    vectors, target = sets(units=1)
    question = asked(target, "nested")
    fit = Logistic(l2=(1e-2,)).fit(vectors, question, log_probabilities=True)
    assert fit.log_probabilities is not None
    assert fit.predictions.shape == (1, len(target), 3)
    x = vectors[0].double().numpy()
    for train, held in outer_folds(question):
        answers, chances, _ = one_vs_rest(x, target.values, train, 1e-2)
        np.testing.assert_array_equal(fit.predictions[0, held], answers[held])
        np.testing.assert_allclose(np.exp(fit.log_probabilities[0, held, :, 1]), chances[held], atol=1e-6)


@pytest.mark.parametrize("selection", ["kfold", "holdout", "nested"])
def test_a_label_that_parts_of_train_lack_is_not_given_there(selection: str) -> None:
    vectors, target = sets(n=100)
    values = target.values.copy()
    values[:, 2] = False
    values[3, 2] = True  # a single example, so that all but one part have it on none or on one
    fit = Logistic().fit(vectors, asked(replace(target, values=values), selection), log_probabilities=True)
    assert fit.log_probabilities is not None
    assert not np.isnan(fit.log_probabilities).any()
    assert np.isfinite(fit.dev).all()
    without = values[:, :2]
    two = Logistic(l2=(1e-2,)).fit(vectors, asked(Labels(without, NAMES[:2]), selection))
    three = Logistic(l2=(1e-2,)).fit(vectors, asked(replace(target, values=values), selection))
    if selection != "nested":  # whose folds depend on the labels
        np.testing.assert_array_equal(three.predictions[..., :2], two.predictions)


def test_groups_of_units_give_what_all_units_give(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, target = sets(units=4)
    whole = Logistic().fit(vectors, asked(target), log_probabilities=True)
    monkeypatch.setattr("probing.probes.linear.GROUP_BYTES", 1)
    parts = Logistic().fit(vectors, asked(target), log_probabilities=True)
    for name in Fit.__dataclass_fields__:
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("probe", [Ridge(), Cosine(), SentEval(), Mlp()], ids=lambda probe: probe.name)
def test_probes_with_one_answer_refuse(probe: Probe) -> None:
    _, target = sets(n=30)
    split = np.array(["train"] * 20 + ["dev"] * 5 + ["test"] * 5)
    units = tuple(Unit(f"text {row}") for row in range(30))
    target = replace(target, values=np.tile(np.eye(3, dtype=bool), (10, 1)))
    task = Task("sets", units, target, split, metric="micro_f1")
    with pytest.raises(ProbingError, match=f"probe={probe.name} gives one answer .* use probe=logistic"):
        probe.check(task)
    Logistic().check(task)
