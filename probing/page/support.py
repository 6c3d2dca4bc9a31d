"""A summary of the evidence in the numbers of a grid."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.page.contents import Number, Support
from probing.results.chance import Against, against, against_chance, chance_level
from probing.results.schema import COLUMNS

LEVEL = 0.05


def support(rows: pd.DataFrame) -> Support:
    """Summarise the rows of one grid.

    Args:
        rows: Rows of the result frame, with the columns of `load_results`.
    """
    test, adjusted = (_floats(rows, name) for name in ("test", "p_adjusted"))
    scored, tested, against = np.isfinite(test), np.isfinite(adjusted), against_guess(rows)
    return Support(
        best=int(np.nanargmax(test)) if scored.any() else None,
        mean=mean(test),
        guess=guess(rows),
        bounded=int(against.known.sum()),
        near_guess=int(against.holds.sum()),
        below=int(against.below.sum()),
        significant=int((adjusted[tested] <= LEVEL).sum()) if tested.any() else None,
        selectivity=mean(_floats(rows, "selectivity")),
        above_untrained=mean(test - _floats(rows, "untrained")),
    )


def against_guess(rows: pd.DataFrame) -> Against:
    """The position of the intervals of test scores relative to the score of guessing."""
    return against(_floats(rows, "test_low"), _floats(rows, "test_high"), chance_level(rows))


def value_against_chance(rows: pd.DataFrame) -> Against:
    """The position of the intervals of `value` relative to chance, or to 0 where no chance is known."""
    chance = _floats(rows, "chance") if "chance" in rows else np.full(len(rows), np.nan)
    return against_chance(_floats(rows, "value_low"), _floats(rows, "value_high"), chance)


def sides(found: Against) -> list[Number]:
    """-1, 0 or 1 for each cell whose interval is below, contains or is above the level; None if unknown."""
    side = np.where(found.below, -1, np.where(found.above, 1, 0)).tolist()
    return [one if known else None for one, known in zip(side, found.known.tolist(), strict=True)]


def guess(rows: pd.DataFrame) -> float | None:
    """The score of guessing in these rows: the majority, or 0 for a coefficient; None if it is unknown."""
    level = chance_level(rows)
    return None if math.isnan(level) else rounded(level)


def mean(values: NDArray[np.float64]) -> float | None:
    """Mean of the finite values, or None if there are none."""
    finite = values[np.isfinite(values)]
    return significant(float(finite.mean())) if len(finite) else None


def rounded(value: float) -> float:
    """Round to five decimals, a thousandth of a point, which halves the size of the page."""
    return round(value, 5)


def significant(value: float) -> float:
    """Round to six significant digits, for numbers of any size."""
    return float(f"{value:.6g}")


def numbers(column: pd.Series) -> list[Number]:
    """The values of a column for JSON; missing and infinite ones are None."""
    values = column.to_numpy(dtype=float, na_value=np.nan)
    whole = COLUMNS.get(str(column.name)) == "Int64"
    cut = significant if str(column.name).startswith("value") else rounded
    return [
        None if not math.isfinite(value) else int(value) if whole else cut(value) for value in values.tolist()
    ]


def _floats(rows: pd.DataFrame, name: str) -> NDArray[np.float64]:
    return rows[name].to_numpy(dtype=float, na_value=np.nan)
