"""The threshold up to which a score counts as kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from probing.results.units import LOSS

THRESHOLD = 0.9
"""The share of the full score that iterative masking keeps (Michel et al. 2019)."""


def threshold(full: float, metric: str) -> float:
    """The lowest score that still counts as kept; for a loss, the highest."""
    return full / THRESHOLD if metric == LOSS else THRESHOLD * full


def last_kept(scores: ArrayLike, full: float, metric: str) -> int:
    """The position of the last score before the first one that is not kept; -1 if none is kept.

    Args:
        scores: (n,), scores from the full model to the one with the fewest heads.
        full: Score of the full model.
        metric: Metric of all scores.
    """
    numbers, limit = np.asarray(scores, dtype=np.float64), threshold(full, metric)
    kept = numbers <= limit if metric == LOSS else numbers >= limit
    return len(kept) - 1 if kept.all() else int(np.argmin(kept)) - 1
