from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import pearsonr
from sklearn.metrics.pairwise import paired_cosine_distances

from probing.errors import ProbingError
from probing.probes.cosine import Cosine
from probing.probes.logistic import Logistic
from probing.probes.ridge import Ridge
from probing.probes.senteval import SentEval
from probing.tasks.target import Scores
from probing.tasks.task import Task
from tests.probes.made import graded, problem


def test_it_is_the_cosine_of_the_halves() -> None:
    vectors, target = graded(3, 60, 8)
    asked = problem(target, "none", train=np.arange(0), test=np.arange(10, 60))
    fit = Cosine().fit(vectors, asked)
    for unit, pairs in enumerate(vectors[:, 10:].numpy()):
        cosines = 1 - paired_cosine_distances(pairs[:, :4], pairs[:, 4:])
        np.testing.assert_allclose(fit.predictions[unit], cosines, atol=1e-6)
    assert fit.predictions.dtype == np.float64
    assert np.isnan(fit.dev).all()
    assert np.isnan(fit.l2).all()
    assert fit.weights.shape == (3, 0, 8)


def test_lengths_do_not_matter() -> None:
    vectors, target = graded(2, 40, 6)
    asked = problem(target, "none")
    plain = Cosine().fit(vectors, asked).predictions
    scaled = vectors.clone()
    scaled[..., :3] *= 1e18
    scaled[..., 3:] *= 1e-18
    np.testing.assert_allclose(Cosine().fit(scaled, asked).predictions, plain, atol=1e-6)


def test_a_zero_vector_is_like_nothing() -> None:
    vectors, target = graded(1, 10, 4)
    vectors[0, 9, 2:] = 0
    fit = Cosine().fit(vectors, problem(target, "none", test=np.array([8, 9])))
    assert fit.predictions[0, 1] == 0
    assert fit.predictions[0, 0] != 0


def test_dev_is_scored_where_there_is_one() -> None:
    vectors, target = graded(2, 60, 8)
    asked = problem(target)
    fit = Cosine().fit(vectors, asked)
    first, second = vectors[:, asked.dev].chunk(2, 2)
    cosines = torch.nn.functional.cosine_similarity(first, second, dim=2)
    for dev, guesses in zip(fit.dev, cosines.numpy(), strict=True):
        assert dev == pytest.approx(pearsonr(guesses, target.values[asked.dev])[0], abs=1e-5)


def test_what_has_no_two_vectors_or_no_scores_is_refused_before_extraction(small_task: Task) -> None:
    with pytest.raises(ProbingError, match=r"test/small has classes; use probe=logistic"):
        Cosine().check(small_task)
    graded_task = replace(small_task, target=Scores(np.arange(60.0), (0, 60)), metric="pearson")
    with pytest.raises(ProbingError, match=r"test/small has no pairs of vectors; use probe=ridge"):
        Cosine().check(graded_task)
    Cosine().check(replace(graded_task, partners=small_task.units))


@pytest.mark.parametrize("probe", [Logistic(), Ridge(), SentEval(scores=(0, 30, 60))])
def test_what_is_trained_needs_train_examples(small_task: Task, probe: Logistic | Ridge | SentEval) -> None:
    graded_task = replace(small_task, target=Scores(np.arange(60.0), (0, 60)), metric="pearson")
    probe.check(graded_task)
    with pytest.raises(ProbingError, match="no train examples; use probe=cosine"):
        probe.check(replace(graded_task, selection="none"))
    pairs, target = graded(2, 30, 4)
    pairs[1, 3] = torch.nan
    with pytest.raises(ProbingError, match=r"unit 1: 1 of 30"):
        Cosine().fit(pairs, problem(target))
