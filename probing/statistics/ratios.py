"""Means over texts of sums divided by counts, with their intervals."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

_Numbers = NDArray[np.float64]


def ratio(sums: _Numbers, counts: _Numbers) -> tuple[_Numbers, _Numbers, _Numbers]:
    """Return the sum of `sums` divided by the sum of `counts`, with a 95 % interval over texts.

    The interval is that of a ratio estimator (Cochran 1977, equation 6.13): its error is the mean of
    sum − ratio · count over texts, divided by the mean count. It treats texts as the units that were drawn,
    so tokens of one text may depend on each other.

    Args:
        sums: float64 (texts, ...), for example the attention to a token, summed over the queries of each
            text.
        counts: float64 of the same shape, the number of these queries.

    Returns:
        The ratio and both ends, float64 (...). A ratio is NaN where all counts are 0, and its ends are where
        fewer than two texts have a count.
    """
    total, size = counts.sum(0), (counts != 0).sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = sums.sum(0) / total
        errors = np.where(counts != 0, sums - found * counts, 0)
    return _with_ends(found, (errors**2).sum(0), total, size)


def ratio_of_blocks(blocks: Iterable[tuple[_Numbers, _Numbers]]) -> tuple[_Numbers, _Numbers, _Numbers]:
    """Return the same for texts that come block by block, of which only moments are kept.

    Args:
        blocks: `sums` and `counts` of some texts, as for `ratio`; at least one block.
    """
    moments: _Numbers = np.zeros(())
    for sums, counts in blocks:
        moments = moments + np.stack([
            sums.sum(0), counts.sum(0), (counts != 0).sum(0),
            (sums**2).sum(0), (sums * counts).sum(0), (counts**2).sum(0),
        ])  # fmt: skip
    total, counted, size, squares, products, counts_squared = moments
    with np.errstate(invalid="ignore", divide="ignore"):
        found = total / counted
        errors = squares - 2 * found * products + found**2 * counts_squared
    return _with_ends(found, np.maximum(errors, 0), counted, size)


def _with_ends(
    found: _Numbers, errors: _Numbers, total: _Numbers, size: NDArray[Any]
) -> tuple[_Numbers, _Numbers, _Numbers]:
    """Return a ratio and its ends, from the sums of squared errors, of counts, and of texts with a count."""
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt(errors / (size - 1)) / (total / size) / np.sqrt(size)
        half = np.where(size > 1, t.ppf(0.975, np.maximum(size - 1, 1)) * spread, np.nan)
    return found, found - half, found + half


def per_text(sums: _Numbers, counts: _Numbers) -> tuple[_Numbers, _Numbers]:
    """Return numbers whose `ratio` is the mean over texts instead of the mean over their parts.

    Args:
        sums: float64 (texts, ...).
        counts: float64 of the same shape; a text without a count is left out.

    Returns:
        The mean of each text and 1, or 0 and 0 for a text that is left out.
    """
    there = counts != 0
    return np.divide(sums, counts, out=np.zeros_like(sums), where=there), there.astype(np.float64)
