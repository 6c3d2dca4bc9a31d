"""p-values of differences by flipping their signs, corrected for choosing the best of many rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_Numbers = NDArray[np.float64]
BLOCK = 500
"""Draws computed at once."""
TIE = 1e-9
"""Standardised sums that differ by less are equal up to rounding."""


def sign_flip_p(differences: _Numbers, *, draws: int = 1999, seed: int = 0) -> tuple[_Numbers, _Numbers]:
    """Return the one-sided p that sums of differences exceed 0, alone and corrected for the best row.

    The null hypothesis is that the differences of a text are as likely to have the opposite signs, for all
    rows together. So each draw flips the signs of random texts (Fisher 1935, section 21), and
    p = (1 + number of draws with a sum that is no smaller) / (draws + 1). Items of a text may depend on each
    other, since their text is flipped as a whole.

    The correction is the single-step maximum of Westfall & Young (1993, section 2.3): each row is compared
    with the best row of every draw. A row is first divided by the root of its sum of squares, which flips do
    not change, so that rows with few differences and with many are comparable.

    Args:
        differences: float64 (rows, texts), for each text the sum over its items of what a row scores minus
            what it is compared with.
        draws: Number of draws.
        seed: Seed of the draws.

    Returns:
        p and adjusted p, float64 (rows,) each, from 1 / (draws + 1) to 1. A row without any difference has 1.
    """
    size = np.sqrt((differences**2).sum(1))
    scaled = np.divide(differences, size[:, None], out=np.zeros_like(differences), where=size[:, None] > 0)
    observed = scaled.sum(1)
    generator = np.random.default_rng(seed)
    alone = np.ones(len(scaled))
    best = np.ones(len(scaled))
    for start in range(0, draws, BLOCK):
        number = min(BLOCK, draws - start)
        signs = generator.integers(0, 2, (scaled.shape[1], number), dtype=np.int8)
        sums = scaled @ (2.0 * signs - 1)
        alone += (sums >= observed[:, None] - TIE).sum(1)
        best += (sums.max(0, initial=-np.inf) >= observed[:, None] - TIE).sum(1)
    p = np.where(size > 0, alone / (draws + 1), 1.0)
    return p, np.where(size > 0, best / (draws + 1), 1.0)


def sums_by_text(values: _Numbers, texts: NDArray[np.int64]) -> _Numbers:
    """Return the sum of the items of each text; (rows, items) -> (rows, texts).

    Args:
        values: float64 (rows, items).
        texts: int64 (items,), the text of each item, by any numbers.
    """
    _, places = np.unique(texts, return_inverse=True)
    order = np.argsort(places, kind="stable")
    starts = np.flatnonzero(np.diff(places[order], prepend=-1))
    found: _Numbers = np.add.reduceat(values[:, order], starts, axis=1)
    return found
