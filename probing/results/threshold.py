"""How far a score may fall while a model still does what it did."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from probing.results.units import LOSS

THRESHOLD = 0.9
"""The share of the full score that iterative masking keeps (Michel et al. 2019)."""


def threshold(full: float, metric: str) -> float:
    """The lowest score, or of a loss the highest, that still counts as kept."""
    return full / THRESHOLD if metric == LOSS else THRESHOLD * full


def last_kept(scores: ArrayLike, full: float, metric: str) -> int:
    """The place of the last score before the first that is not kept; -1 if that is the first of all.

    Args:
        scores: (n,), from the whole model to what is left of it least.
        full: Score of the whole model.
        metric: Of both.
    """
    numbers, limit = np.asarray(scores, dtype=np.float64), threshold(full, metric)
    kept = numbers <= limit if metric == LOSS else numbers >= limit
    return len(kept) - 1 if kept.all() else int(np.argmin(kept)) - 1
