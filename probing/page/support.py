"""What the numbers of a grid support, in a few figures."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.page.content import Number, Support
from probing.results.schema import COLUMNS
from probing.tasks.target import COEFFICIENTS

LEVEL = 0.05


def support(rows: pd.DataFrame) -> Support:
    """Summarise the rows of one grid.

    Args:
        rows: Rows of the result frame, with the columns of `load_results`.
    """
    test, low, adjusted = (_floats(rows, name) for name in ("test", "test_low", "p_adjusted"))
    scored = np.isfinite(test)
    level = guess(rows)
    bound = np.where(np.isfinite(low), low, test)
    near = scored & (bound <= level) if level is not None else np.zeros_like(scored)
    tested = np.isfinite(adjusted)
    return Support(
        best=int(np.nanargmax(test)) if scored.any() else None,
        mean=mean(test),
        guess=level,
        near_guess=int(near.sum()),
        significant=int((adjusted[tested] <= LEVEL).sum()) if tested.any() else None,
        selectivity=mean(_floats(rows, "selectivity")),
        above_untrained=mean(test - _floats(rows, "untrained")),
    )


def guess(rows: pd.DataFrame) -> float | None:
    """What guessing scores in these rows: the majority, 0 of a coefficient, None if it is not known."""
    if rows["metric"].iloc[0] in COEFFICIENTS:
        return 0.0
    known = rows["majority"].dropna()
    return None if known.empty else rounded(float(known.iloc[0]))


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
