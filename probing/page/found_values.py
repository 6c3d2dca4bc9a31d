"""The content of the page for a grid of `value`, whose meaning depends on the analysis."""

from __future__ import annotations

import numpy as np
import pandas as pd

from probing.figures.arrange import arrange
from probing.figures.findings import mark_name, measure_name, unit_of, within_one
from probing.page.contents import FoundValues, Support
from probing.page.support import mean, value_against_chance
from probing.results.finding import smaller_is_more


def found(rows: pd.DataFrame) -> FoundValues:
    """The meaning of the values of one grid.

    Args:
        rows: Rows of one grid, one for each cell.
    """
    grid = arrange(rows, value="value")
    unit = unit_of([grid])
    return FoundValues(
        what=measure_name([grid]),
        unit=unit,
        label=unit.label,
        turned=bool(smaller_is_more(rows).all()),
        within_one=within_one(grid),
        most=mark_name([grid], ["head"]),
        ranked_on=grid.ranked_on,
    )


def found_support(rows: pd.DataFrame) -> Support:
    """Summarise such a grid: `best` has the largest effect, `near_guess` counts intervals that contain 0.

    Args:
        rows: Rows of one grid, in the order of the columns of the page.
    """
    value, rank = (rows[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in ("value", "rank"))
    against = value_against_chance(rows)
    return Support(
        best=int(np.nanargmin(rank)) if np.isfinite(rank).any() else None,
        mean=mean(value),
        guess=None,
        bounded=int(against.known.sum()),
        near_guess=int(against.holds.sum()),
        below=int(against.below.sum()),
        significant=None,
        selectivity=None,
        above_untrained=None,
    )
