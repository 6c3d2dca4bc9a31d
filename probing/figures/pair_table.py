"""Pairs of a matrix of rank correlations with their intervals, as rows and as a square."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from probing.statistics.intervals import fisher


def pair_table(matrix: pd.DataFrame, n: int) -> pd.DataFrame:
    """Return a row for each pair of a matrix of rank correlations, in its order.

    Args:
        matrix: Spearman's rho, a square frame with the same names as index and columns.
        n: Number of cells behind each correlation.

    Returns:
        Columns `first`, `second`, `n`, `rho`, and `low` and `high`, its 95 % interval.
    """
    rows: list[dict[str, object]] = []
    names, values = list(matrix), matrix.to_numpy(dtype=np.float64)
    for (i, first), (j, second) in combinations(enumerate(names), 2):
        rho = float(values[i, j])
        low, high = (rho, rho) if np.isnan(rho) else fisher(rho, n, "spearman")
        rows.append({"first": first, "second": second, "n": n, "rho": rho, "low": low, "high": high})
    return pd.DataFrame(rows)


def square(
    names: Sequence[object], pairs: pd.DataFrame, below: str, above: str | None = None
) -> pd.DataFrame:
    """Return a column of pairs as a square matrix with 1 on its diagonal.

    Args:
        names: Names of the rows and columns, in their order.
        pairs: Rows with `first`, `second` and the columns.
        below: Column below the diagonal.
        above: Column above the diagonal; None takes the same.
    """
    place = {name: number for number, name in enumerate(names)}
    matrix = np.eye(len(names))
    for first, second, low, high in pairs[["first", "second", below, above or below]].itertuples(index=False):
        ends = sorted((place[first], place[second]))
        matrix[ends[1], ends[0]], matrix[ends[0], ends[1]] = low, high
    return pd.DataFrame(matrix, index=list(names), columns=list(names))
