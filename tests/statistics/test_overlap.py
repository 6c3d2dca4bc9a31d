"""The overlap of high attention and small distance, its identities and its exact chance level."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import hypergeom

from probing.statistics.overlap import chance_overlap, high_entries, near_entries, overlaps


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_attention_that_is_minus_the_distance_scores_one(rng: np.random.Generator) -> None:
    for pairs in (4, 9, 100, 1023):
        distances = rng.permutation(pairs).astype(float)
        found = overlaps(np.stack([-distances, distances]), distances)
        assert found.score.tolist() == [1, 0]
        assert found.defined.all()


def test_independent_maps_score_a_seventh(rng: np.random.Generator) -> None:
    scores = [overlaps(rng.random((20, 900)), rng.random(900)) for _ in range(20)]
    found = np.concatenate([each.score for each in scores])
    assert found.mean() == pytest.approx(0.144, abs=0.002)
    chance = np.concatenate([each.chance for each in scores])
    assert chance.mean() == pytest.approx(found.mean(), abs=3 * found.std() / np.sqrt(len(found)))


def test_chance_is_the_mean_of_shuffled_maps(rng: np.random.Generator) -> None:
    distances = rng.integers(0, 6, 144).astype(float)  # ties, as distances in trees have
    attention = rng.random((1, 144)) ** 3
    found = overlaps(attention, distances)
    shuffled = np.stack([rng.permutation(attention[0]) for _ in range(4000)])
    scores = overlaps(shuffled, distances).score
    assert found.chance[0] == pytest.approx(scores.mean(), abs=4 * scores.std() / np.sqrt(4000))


@pytest.mark.parametrize(
    ("high", "near", "pairs"),
    [(1, 1, 1), (3, 5, 6), (25, 25, 100), (2500, 2111, 10000), (0, 3, 9), (9, 9, 9)],
)
def test_chance_is_the_whole_sum_although_it_leaves_out_improbable_counts(
    high: int, near: int, pairs: int
) -> None:
    common = np.arange(max(0, high + near - pairs), min(high, near) + 1)
    wanted = (hypergeom.pmf(common, pairs, high, near) * common / (high + near - common)).sum()
    assert chance_overlap(high, near, pairs) == pytest.approx(wanted, rel=1e-12)


def test_a_score_needs_attention_and_a_pair_that_is_high_or_near() -> None:
    distances = np.array([0.0, 1, 2, 3, 4])
    found = overlaps(np.stack([np.zeros(5), np.ones(5), distances]), distances)
    assert found.defined.tolist() == [False, True, True]  # equal attention is nowhere high, and 0 is near
    assert found.score.tolist() == [0, 0, 0]
    assert found.chance[0] == 0
    assert not overlaps(np.ones((1, 5)), np.zeros(5)).defined.any()
    assert not overlaps(np.empty((2, 0)), np.empty(0)).defined.any()
    assert not overlaps(np.ones((1, 1)), np.zeros(1)).defined.any()


def test_quartiles_are_linear_and_strict() -> None:
    values = np.array([[0.0, 1, 2, 3]])  # the upper quartile is 2.25, the lower one 0.75
    assert high_entries(values).tolist() == [[False, False, False, True]]
    assert near_entries(values[0]).tolist() == [True, False, False, False]
    assert high_entries(np.array([[0.0, 0, 1, 1]])).tolist() == [[False] * 4]
