"""Metric multidimensional scaling: points of a plane whose distances are close to given ones."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_Numbers = NDArray[np.float64]


class Scaled(NamedTuple):
    """Points and how badly they fit.

    Attributes:
        points: float64 (n, 2), in the unit of the distances.
        stress: Kruskal's stress-1, from 0: the root of the summed squares of the errors of distances,
            divided by the summed squares of the distances in the plane.
    """

    points: _Numbers
    stress: float


def scaled(distances: _Numbers, seed: int, *, starts: int = 5) -> Scaled:
    """Place n things in a plane by SMACOF, with the settings of Clark et al. (2019).

    The solution of the lowest stress among several random starts is turned so that x is the direction in
    which points spread most, and the point farthest out on an axis has a positive coordinate.

    Args:
        distances: float64 (n, n), symmetric with a diagonal of 0; n is at least 2.
        seed: Seed of the starts.
        starts: Number of random starts.
    """
    from sklearn.manifold import smacof

    found, _ = smacof(
        distances, metric=True, n_components=2, n_init=starts, max_iter=1000, eps=1e-10,
        random_state=seed, normalized_stress=False,
    )  # fmt: skip
    points = np.asarray(found, dtype=np.float64)
    points = points - points.mean(0)
    points = points @ np.linalg.svd(points, full_matrices=False)[2].T
    farthest = points[np.abs(points).argmax(0), np.arange(points.shape[1])]
    points = points * np.where(farthest < 0, -1.0, 1.0)
    return Scaled(points, stress(distances, points))


def stress(distances: _Numbers, points: _Numbers) -> float:
    """Return Kruskal's stress-1 of points; NaN where all points are the same."""
    apart = np.linalg.norm(points[:, None] - points, axis=2)
    size = float((apart**2).sum())
    return float(np.sqrt(((apart - distances) ** 2).sum() / size)) if size else float("nan")
