"""Masking of more and more heads: in a fixed order, or by importance recomputed at every step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Members = Sequence[NDArray[np.int64]]
"""Positions of the heads of each group, either a single head or a layer."""


def cumulative(order: Sequence[int], members: Members, n: int, step: float) -> Mask:
    """Return masks that close the first groups of an order, one share more in each mask.

    Args:
        order: Groups in the order in which they are masked.
        members: Positions of the heads of each group.
        n: Number of heads of the model.
        step: Share of the groups that each mask closes in addition.

    Returns:
        bool (steps + 1, n), from nothing closed to all groups closed.
    """
    shares = np.arange(0, 1, step)
    sizes = sorted({*(round(share * len(order)) for share in shares), len(order)})
    masks = np.ones((len(sizes), n), dtype=bool)
    for mask, size in zip(masks, sizes, strict=True):
        for group in order[:size]:
            mask[members[group]] = False
    return masks


def keeps(score: float, full: float, threshold: float, metric: str) -> bool:
    """Return whether a score is at least this share of the full one (for a loss, at most full / share)."""
    return score <= full / threshold if metric == "loss" else score >= threshold * full


def iterative(
    importance: Callable[[Mask], NDArray[np.float64]], members: Members, n: int, step: float
) -> Iterator[Mask]:
    """Yield the masks of Michel et al. (2019): mask the least important groups, then recompute importance.

    Args:
        importance: Returns the importance of every group under a mask; float64 (groups,).
        members: Positions of the heads of each group.
        n: Number of heads of the model.
        step: Share of all groups masked in each step; at least one group.

    Yields:
        bool (n,), starting with the mask that closes nothing, until no group remains; the caller may stop
        earlier.
    """
    k = max(1, int(step * len(members)))
    mask, left = np.ones(n, dtype=bool), list(range(len(members)))
    yield mask.copy()
    while left:
        scores = importance(mask)
        left.sort(key=lambda group: float(scores[group]))
        for group in left[:k]:
            mask[members[group]] = False
        left = left[k:]
        yield mask.copy()
