"""The map of multidimensional scaling: a plane is found again, and the map is always the same."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from probing.statistics.distance_map import scaled, stress


def test_points_of_a_plane_are_found_again() -> None:
    points = np.random.default_rng(0).normal(size=(12, 2)) * [3, 1]
    distances = cdist(points, points)
    found = scaled(distances, seed=0)
    assert found.stress < 1e-3
    np.testing.assert_allclose(cdist(found.points, found.points), distances, atol=0.02)
    assert found.points[:, 0].std() > found.points[:, 1].std()


def test_the_same_seed_gives_the_same_map_and_every_seed_a_turned_one() -> None:
    points = np.random.default_rng(1).normal(size=(9, 2)) * [4, 1]
    distances = cdist(points, points)
    first, again, other = (scaled(distances, seed).points for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(first, other, atol=0.05)


def test_stress_is_that_of_kruskal() -> None:
    distances = 1.0 - np.eye(4)  # a plane has no four points that are all as far apart
    found = scaled(distances, seed=0)
    apart = cdist(found.points, found.points)
    pairs = np.triu_indices(4, 1)
    wanted = np.sqrt(((apart - distances)[pairs] ** 2).sum() / (apart[pairs] ** 2).sum())
    assert found.stress == pytest.approx(wanted)
    assert found.stress > 0.1
    assert np.isnan(stress(distances, np.zeros((4, 2))))
