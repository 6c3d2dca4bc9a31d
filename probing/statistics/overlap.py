"""The overlap of the largest entries of one map with the smallest of another, and its value by chance."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SPREAD = 12
"""Standard deviations around the mean outside which a count has no probability in float64."""
HIGH, NEAR = 0.75, 0.25
"""Quantiles above which an entry of the first map is high, and below which one of the second is near."""


class Overlap(NamedTuple):
    """Overlaps of several maps with one map of distances.

    Attributes:
        score: Entries that are high and near, divided by those that are either; 0 where undefined; float64.
        chance: Mean score of the map with its entries in random order; 0 where undefined; float64.
        defined: Whether the map has an entry other than 0, and any entry is high or near; bool.
    """

    score: NDArray[np.float64]
    chance: NDArray[np.float64]
    defined: NDArray[np.bool_]


def overlaps(maps: NDArray[np.float64], distances: NDArray[np.float64]) -> Overlap:
    """Compare each map with the distances (Chen et al. 2022, equation 3).

    Thresholds are linear quantiles, and equal entries are neither above nor below.

    Args:
        maps: (k, pairs), for instance attention.
        distances: (pairs,).

    Returns:
        One score for each map, (k,).
    """
    high, near = high_entries(maps), near_entries(distances)
    both, either = (high & near).sum(1), (high | near).sum(1)
    defined = maps.any(1) & (either > 0)
    chance = [chance_overlap(int(row.sum()), int(near.sum()), near.size) for row in high]
    score = both / np.maximum(either, 1)
    return Overlap(np.where(defined, score, 0.0), np.where(defined, chance, 0.0), defined)


def high_entries(maps: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which entries of each map are above its upper quartile; float64 (k, pairs) -> bool."""
    if not maps.shape[1]:
        return np.zeros(maps.shape, dtype=bool)
    high: NDArray[np.bool_] = maps > np.quantile(maps, HIGH, axis=1, keepdims=True)
    return high


def near_entries(distances: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which entries are below the lower quartile; (pairs,) -> bool (pairs,)."""
    if not distances.size:
        return np.zeros(distances.shape, dtype=bool)
    near: NDArray[np.bool_] = distances < np.quantile(distances, NEAR)
    return near


@lru_cache(maxsize=4096)
def chance_overlap(high: int, near: int, pairs: int) -> float:
    """Return the mean overlap of two random sets of given sizes, exactly.

    The number of common entries is hypergeometric, so no permutation has to be drawn.

    Args:
        high: Size of the first set.
        near: Size of the second set.
        pairs: Number of entries from which both are drawn.

    Returns:
        Mean of common / (high + near - common); 0 if both sets are empty.
    """
    from scipy.stats import hypergeom

    if not high + near:
        return 0.0
    mean = high * near / pairs
    deviation = math.sqrt(mean * (1 - high / pairs) * (pairs - near) / max(pairs - 1, 1))
    width = SPREAD * deviation + 1
    first, last = (
        max(0, high + near - pairs, math.floor(mean - width)),
        min(high, near, math.ceil(mean + width)),
    )
    common = np.arange(first, last + 1)
    return float((hypergeom.pmf(common, pairs, high, near) * common / (high + near - common)).sum())
