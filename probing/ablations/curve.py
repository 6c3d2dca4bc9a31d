"""Masking more and more heads: in one order, or with importance taken anew at every step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Members = Sequence[NDArray[np.int64]]
"""Places of the heads of each group: of single heads, or of layers."""


def cumulative(order: Sequence[int], members: Members, n: int, step: float) -> Mask:
    """Masks that close the first groups of an order, a share more each time.

    Args:
        order: Groups, what is masked first first.
        members: Places of the heads of each group.
        n: Number of heads of the model.
        step: Share of the groups.

    Returns:
        bool (steps + 1, n): nothing closed first, all groups last.
    """
    shares = np.arange(0, 1, step)
    sizes = sorted({*(round(share * len(order)) for share in shares), len(order)})
    masks = np.ones((len(sizes), n), dtype=bool)
    for mask, size in zip(masks, sizes, strict=True):
        for group in order[:size]:
            mask[members[group]] = False
    return masks


def keeps(score: float, full: float, threshold: float, metric: str) -> bool:
    """Whether a score is at least a share of the whole model's; a loss at most the whole's by the share."""
    return score <= full / threshold if metric == "loss" else score >= threshold * full


def iterative(
    importance: Callable[[Mask], NDArray[np.float64]], members: Members, n: int, step: float
) -> Iterator[Mask]:
    """The masking loop of Michel et al. (2019): the least important groups go, then importance is taken anew.

    Args:
        importance: Of every group under a mask; float64 (groups,).
        members: Places of the heads of each group.
        n: Number of heads of the model.
        step: Share of all groups that goes at a time; at least one does.

    Yields:
        bool (n,), first the mask that closes nothing, until no group is left; the caller may stop before.
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
