"""Scores compared with guessing: above it, not distinguishable from it, or below it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.tasks.target import COEFFICIENTS

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Against:
    """The position of intervals relative to a level; a cell without an interval has none.

    Attributes:
        known: bool, cells that have an interval; none if the level is unknown.
        holds: bool, cells whose interval contains the level.
        below: bool, cells whose interval is below the level.
        above: bool, cells whose interval is above the level.
    """

    known: Flags
    holds: Flags
    below: Flags
    above: Flags


def against(low: NDArray[np.float64], high: NDArray[np.float64], level: float) -> Against:
    """Compare intervals with a level.

    Args:
        low: float64, lower ends of any shape; NaN where there is no interval.
        high: float64, upper ends of the same shape.
        level: Score of guessing, or 0 for differences; NaN if it is unknown.
    """
    known = np.isfinite(low) & np.isfinite(high) & np.isfinite(level)
    below, above = known & (high < level), known & (low > level)
    return Against(known, known & ~below & ~above, below, above)


def chance_level(rows: pd.DataFrame) -> float:
    """The score of guessing in rows of one grid: 0 for a coefficient, else the majority; NaN if unknown."""
    if rows["metric"].iloc[0] in COEFFICIENTS:
        return 0.0
    known = rows["majority"].dropna()
    return float("nan") if known.empty else float(known.iloc[0])
