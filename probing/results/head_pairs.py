"""Rows for pairs of heads, and the square matrix of their values."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.results.schema import CELL, PAIR, of_pairs
from probing.results.stacked_columns import rows_of_columns

_Numbers = NDArray[np.float64]


def pair_rows(
    same: Mapping[str, object], first: NDArray[np.int64], second: NDArray[np.int64], values: _Numbers
) -> pd.DataFrame:
    """Return a row for each pair of heads, in the schema of the result frame.

    Args:
        same: Columns that are the same in every row.
        first: int64 (pairs, 2), layer and head of the first head of each pair.
        second: int64 (pairs, 2), those of the second.
        values: float64 (3, pairs), the value of each pair and the ends of its interval.
    """
    ends = zip((*CELL, *PAIR), (*first.T, *second.T), strict=True)
    found = zip(("value", "value_low", "value_high"), values, strict=True)
    own = {"variant": "pair", "main": False, "n_heads": 2, **dict(ends), **dict(found)}
    return rows_of_columns({**same, **own}, len(first))


def matrix_of_pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the values of pairs of heads as a symmetric matrix with a diagonal of 0.

    Args:
        rows: Rows of one run; those of single heads are left out.

    Returns:
        float64, indexed by (layer, head) in ascending order on both sides; NaN for pairs without a row.
    """
    pairs = rows[of_pairs(rows)]
    ends = [pd.MultiIndex.from_frame(pairs[list(names)].astype(int), names=CELL) for names in (CELL, PAIR)]
    heads = ends[0].append(ends[1]).unique().sort_values()
    one, two = (heads.get_indexer(end) for end in ends)
    matrix = np.full((len(heads), len(heads)), np.nan)
    matrix[one, two] = matrix[two, one] = pairs["value"].to_numpy(dtype=np.float64)
    np.fill_diagonal(matrix, 0.0)
    return pd.DataFrame(matrix, index=heads, columns=heads)
