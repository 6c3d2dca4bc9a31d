"""What the numbers of a grid support, in a few figures."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.page.contents import Number, Support
from probing.results.chance import Against, against, chance_level
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
    """The side of the guessing score on which intervals of test scores lie."""
    return against(_floats(rows, "test_low"), _floats(rows, "test_high"), chance_level(rows))


def against_zero(rows: pd.DataFrame) -> Against:
    """The side of 0 on which intervals of `value` lie."""
    return against(_floats(rows, "value_low"), _floats(rows, "value_high"), 0.0)


def sides(found: Against) -> list[Number]:
    """-1, 0 or 1 for each cell: below, holds it, above; None where it is not known."""
    side = np.where(found.below, -1, np.where(found.above, 1, 0)).tolist()
    return [one if known else None for one, known in zip(side, found.known.tolist(), strict=True)]


def guess(rows: pd.DataFrame) -> float | None:
    """What guessing scores in these rows: the majority, 0 of a coefficient, None if it is not known."""
    level = chance_level(rows)
    return None if math.isnan(level) else rounded(level)


def mean(values: NDArray[np.float64]) -> float | None:
    """Mean of the finite values, or None if there are none."""
    finite = values[np.isfinite(values)]
    return significant(float(finite.mean())) if len(finite) else None


def rounded(value: float) -> float:
    """Five decimals: a thousandth of a point, and half the size of the page."""
    return round(value, 5)


def significant(value: float) -> float:
    """Six significant digits, for what may be of any size."""
    return float(f"{value:.6g}")


def numbers(column: pd.Series) -> list[Number]:
    """The values of a column for JSON, missing ones and those that are not finite as None."""
    values = column.to_numpy(dtype=float, na_value=np.nan)
    whole = COLUMNS.get(str(column.name)) == "Int64"
    cut = significant if str(column.name).startswith("value") else rounded
    return [
        None if not math.isfinite(value) else int(value) if whole else cut(value) for value in values.tolist()
    ]


def _floats(rows: pd.DataFrame, name: str) -> NDArray[np.float64]:
    return rows[name].to_numpy(dtype=float, na_value=np.nan)
