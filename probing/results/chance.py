"""Scores compared with guessing: above it, not distinguishable from it, or below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.tasks.target import COEFFICIENTS

Flags = NDArray[np.bool_]
ABOVE_CHANCE = "above_chance"
"""Name of the column of `with_above_chance`."""
_ALIKE = 0.01
_UNBOUNDED = ("mse", "loss")
_SCORES = ("dev", "test", "test_low", "test_high", "untrained", "control")


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


def against(
    low: NDArray[np.float64], high: NDArray[np.float64], level: float | NDArray[np.float64]
) -> Against:
    """Compare intervals with a level.

    Args:
        low: float64, lower ends of any shape; NaN where there is no interval.
        high: float64, upper ends of the same shape.
        level: Score of guessing, or 0 for differences, one or one for each; NaN if it is unknown.
    """
    known = np.isfinite(low) & np.isfinite(high) & np.isfinite(level)
    below, above = known & (high < level), known & (low > level)
    return Against(known, known & ~below & ~above, below, above)


def against_chance(
    low: NDArray[np.float64], high: NDArray[np.float64], chance: NDArray[np.float64]
) -> Against:
    """Compare intervals of what an analysis found with chance, or with 0 where no chance is known.

    Args:
        low: float64, lower ends of any shape; NaN where there is no interval.
        high: float64, upper ends of the same shape.
        chance: Value of a head that knows nothing, of the same shape; NaN if it is unknown.
    """
    return against(low, high, np.where(np.isfinite(chance), chance, 0.0))


def chance_level(rows: pd.DataFrame) -> float:
    """The score of guessing in rows of one grid: 0 for a coefficient, else the majority; NaN if unknown."""
    if rows["metric"].iloc[0] in COEFFICIENTS:
        return 0.0
    known = rows["majority"].dropna()
    return float("nan") if known.empty else float(known.iloc[0])


def rescaled(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with their scores above chance, (score - majority) / (1 - majority).

    The result is 0 for the majority, 1 for a perfect score, and negative below the majority, for example -1
    for a score of 0 on two equally large classes. Unlike a difference, it has the same highest value for any
    number of classes. A correlation stays as it is, since guessing scores 0. The intervals of scores
    contain 0 where they contained the majority.

    Args:
        rows: Rows of the result frame, of any number of grids.

    Returns:
        The rows with other `dev`, `test`, `test_low`, `test_high`, `untrained` and `control`, and majority 0.

    Raises:
        ProbingError: If a metric has no highest score, or a majority is unknown.
    """
    scored = rows["test"].notna()
    unbounded = [metric for metric in rows.loc[scored, "metric"].unique() if metric in _UNBOUNDED]
    if unbounded:
        raise ProbingError(f"value=above_chance: {unbounded[0]} has no highest score; use value=test")
    base = rows["majority"].where(~rows["metric"].isin(COEFFICIENTS), 0.0).astype("Float64")
    unknown = rows[scored & base.isna()]
    if len(unknown):
        task = unknown["task"].iloc[0]
        raise ProbingError(f"value=above_chance: the majority of {task} is unknown; use value=test")
    full = rows[scored & base.ge(1).fillna(value=False)]
    if len(full):
        task = full["task"].iloc[0]
        raise ProbingError(f"value=above_chance: the majority of {task} is 100 %; use value=test")
    new = {name: (rows[name].astype("Float64") - base) / (1 - base) for name in _SCORES if name in rows}
    return rows.assign(**new, majority=base * 0)


def with_above_chance(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with columns `above_chance`, `above_chance_low` and `above_chance_high`, of test scores."""
    new, ends = rescaled(rows), [end for end in ("", "_low", "_high") if f"test{end}" in rows]
    return rows.assign(**{f"{ABOVE_CHANCE}{end}": new[f"test{end}"] for end in ends})


def usual_value(grids: Sequence[pd.DataFrame]) -> str:
    """Return the column that grids of several tasks are compared by, "above_chance" or "test".

    Args:
        grids: Rows of each grid.

    Returns:
        "above_chance" if majorities of one metric differ by more than a point and all grids have such a
        score, otherwise "test".
    """
    levels: dict[str, list[float]] = {}
    for rows in grids:
        if rows["test"].isna().all():
            continue
        metric, level = str(rows["metric"].iloc[0]), chance_level(rows)
        if metric in _UNBOUNDED or np.isnan(level) or rows["majority"].dropna().ge(1).any():
            return "test"
        levels.setdefault(metric, []).append(level)
    differ = any(max(own) - min(own) > _ALIKE for own in levels.values())
    return ABOVE_CHANCE if differ else "test"
