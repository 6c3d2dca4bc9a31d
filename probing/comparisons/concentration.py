"""Measures of how localised a task is: the share of its information that few heads encode."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.results.checks import check_numbers, single_heads
from probing.results.schema import GRID, KINDS, RESULT
from probing.results.several import preferred, several
from probing.validation.arguments import checked

# share of the best n's gain that counts as reaching it
SHARE = 0.95
# columns that name a task on a model; runs of single heads and of top heads share them
NAMES = [name for name in (*GRID, "step") if name not in {"granularity", *KINDS}]
COLUMNS = ["gini", "above_majority", "with_best", "n_heads", "n_95", "area"]


@checked(frame=RESULT)
def concentration(frame: pd.DataFrame) -> pd.DataFrame:
    """Measure how localised a task is, from grids of heads and runs of `top_heads`.

    The measures extend figure 3 of Jo & Myaeng (2020).

    Args:
        frame: Result rows; other granularities are left out.

    Returns:
        One row for each model, task, probe and so on, with the columns that name it and the following
        columns. A column is missing where there are no rows to compute it from.

        - `gini`: Gini coefficient of max(test − majority, 0) over heads. It is 0 where all heads score the
          same and approaches 1 where a single head encodes everything; NaN where none is above majority.
        - `above_majority`: Share of heads whose interval is above majority.
        - `with_best`: Number of heads, the best one included, that score within the best head's interval.
        - `n_heads`: Number of heads of the model.
        - `n_95`: Smallest number of top heads that together reach 95 % of the gain over majority of the
          best number.
        - `area`: Area under the gain of the top n as a share of the best gain, over n as a share of the
          largest n. The curve starts at no heads and no gain. The area is near 1 where few heads suffice
          and 0.5 where the gain is proportional to n.

    Raises:
        ProbingError: If no row is of a head or of top heads, none has a test score, one is infinite, or rows
            of one grid occur twice.

    Example:
        >>> import probing
        >>> from probing.results.schema import as_frame
        >>> frame = as_frame([
        ...     {"granularity": "head", "layer": 0, "head": head, "test": score, "majority": 0.5}
        ...     for head, score in enumerate([0.5, 0.5, 0.5, 0.9])
        ... ])
        >>> probing.concentration(frame)[["gini", "n_heads"]]
           gini  n_heads
        0  0.75        4
    """
    frame = single_heads(preferred(frame), "concentration")
    heads = frame[frame["granularity"] == "head"]
    top = frame[(frame["granularity"] == "top_heads") & (frame["variant"] == "top").fillna(value=False)]
    if heads.empty and top.empty:
        raise ProbingError("no rows of heads; give results of granularity head or top_heads")
    for rows in (heads, top):
        if len(rows):
            check_numbers(rows, "test", what=f"the rows of {rows['granularity'].iloc[0]}")
    heads, top = heads[heads["test"].notna()], top[top["test"].notna()]
    parts = [_each(heads, _of_heads, ["layer", "head"]), _each(top, _of_top, ["n_heads"])]
    found = [part for part in parts if len(part)]
    both = found[0] if len(found) == 1 else found[0].join(found[1], how="outer")
    return both.reindex(columns=COLUMNS).reset_index()


def gini(values: NDArray[np.float64]) -> float:
    """Return the Gini coefficient of non-negative values: mean absolute difference over twice the mean.

    Returns:
        A number from 0, where all are equal, to 1 − 1/n, where one value is all; NaN where all are 0.
    """
    ordered, n = np.sort(values), len(values)
    if not ordered.sum() > 0:
        return float("nan")
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * ordered.sum()))


def _each(
    rows: pd.DataFrame, measure: Callable[[pd.DataFrame], dict[str, float]], cell: list[str]
) -> pd.DataFrame:
    """Return the measures of each grid, indexed by the columns that name it."""
    found, names = [], []
    for name, grid in rows.groupby(NAMES, dropna=False, sort=False):
        if grid.duplicated(cell).any():
            raise several(grid)
        found.append(measure(grid))
        names.append(name)
    return (
        pd.DataFrame(found, index=pd.MultiIndex.from_tuples(names, names=NAMES)) if found else pd.DataFrame()
    )


def _of_heads(grid: pd.DataFrame) -> dict[str, float]:
    test, low, base = _scores(grid)
    best = int(test.argmax())
    known = not np.isnan(low).all()
    return {
        "gini": gini(np.maximum(test - base, 0)),
        "above_majority": float((low > base).mean()) if known else np.nan,
        "with_best": int((test >= low[best]).sum()) if known else np.nan,
        "n_heads": len(grid),
    }


def _of_top(grid: pd.DataFrame) -> dict[str, float]:
    grid = grid.sort_values("n_heads")
    n = grid["n_heads"].to_numpy(dtype=float)
    test, _, base = _scores(grid)
    gain = test - base
    if gain.max() <= 0:
        return {"n_95": np.nan, "area": np.nan}
    curve = np.concatenate([[0.0], np.maximum(gain, 0) / gain.max()])
    steps = np.diff(np.concatenate([[0.0], n / n.max()]))
    area = steps @ (curve[1:] + curve[:-1]) / 2
    return {"n_95": int(n[gain >= SHARE * gain.max()][0]), "area": float(area)}


def _scores(grid: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return test scores, lower ends of their intervals, and the majority baseline, or 0 without one."""
    test, low = (grid[name].to_numpy(dtype=float, na_value=np.nan) for name in ("test", "test_low"))
    base = grid["majority"].iloc[0]
    return test, low, 0.0 if pd.isna(base) else float(base)
