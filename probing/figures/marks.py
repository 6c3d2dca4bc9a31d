"""The meaning of the marks in cells, for the legend."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from probing.figures.grids import Grid
from probing.tasks.target import COEFFICIENTS

NO_DIFFERENCE = "no difference shown: 95 % interval contains 0"


def guessing_name(grids: Sequence[Grid]) -> str:
    """The meaning of a dot in a cell."""
    if grids[0].found:
        return "95 % interval contains chance" if _chance_known(grids) else NO_DIFFERENCE
    return f"95 % interval contains {_level_name(grids)}"


def rising_name(grids: Sequence[Grid]) -> str:
    """The meaning of a cross in a cell."""
    return f"above {'chance' if _chance_known(grids) else '0'}, including its 95 % interval"


def falling_name(grids: Sequence[Grid]) -> str:
    """The meaning of a triangle in a cell."""
    return f"95 % interval below {_level_name(grids)}"


def _chance_known(grids: Sequence[Grid]) -> bool:
    return any(np.isfinite(grid.chance).any() for grid in grids)


def _level_name(grids: Sequence[Grid]) -> str:
    coefficients = [grid.key.metric in COEFFICIENTS for grid in grids]
    if all(coefficients):
        return "0"
    return "the majority (for a correlation, 0)" if any(coefficients) else "the majority"
