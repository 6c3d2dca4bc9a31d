"""Refusals of columns of numbers that a statistic cannot be taken of."""

from __future__ import annotations

import numpy as np
import pandas as pd

from probing.errors import ProbingError


def check_numbers(frame: pd.DataFrame, *names: str, what: str = "the frame") -> None:
    """Refuse a frame without rows, or with a column that holds no numbers, infinity, or only missing ones.

    Args:
        frame: Result rows, or any other table.
        names: Columns.
        what: How messages call the frame.

    Raises:
        ProbingError: Naming the column.
    """
    for name in names:
        if name not in frame:
            raise ProbingError(f"no column {name!r}; {what} has {', '.join(map(str, frame.columns))}")
        if frame.empty:
            raise ProbingError(f"{what} holds no rows; select others")
        try:
            values = frame[name].to_numpy(dtype=float, na_value=np.nan)
        except (TypeError, ValueError) as error:
            raise ProbingError(f"column {name!r} of {what} holds no numbers") from error
        if np.isinf(values).any():
            raise ProbingError(f"column {name!r} of {what} holds infinity in row {np.isinf(values).argmax()}")
        if np.isnan(values).all():
            raise ProbingError(f"column {name!r} of {what} is missing in all {len(values)} rows")


def check_matrix(matrix: pd.DataFrame) -> None:
    """Refuse what is not a square table of correlations.

    Raises:
        ProbingError: If it is not square, or holds what is no number from -1 to 1.
    """
    if matrix.shape[0] != matrix.shape[1]:
        shape = " x ".join(map(str, matrix.shape))
        raise ProbingError(f"matrix is {shape}; give the square one that correlations returns")
    try:
        values = matrix.to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ProbingError("matrix holds no numbers; give what correlations returns") from error
    if (np.abs(values) > 1 + 1e-9).any():
        raise ProbingError("matrix holds numbers beyond -1 and 1; give what correlations returns")


def check_draws(draws: int, seed: int) -> None:
    """Refuse a number of random draws that is nothing or without end, and a seed that is none.

    Raises:
        ProbingError: Naming the argument.
    """
    if not 1 <= draws <= MOST_DRAWS:
        raise ProbingError(f"draws={draws}: give 1 to {MOST_DRAWS:,}")
    if seed < 0:
        raise ProbingError(f"seed={seed}: give 0 or more")


MOST_DRAWS = 1_000_000
"""Random draws of a test or an interval at most; more would not end."""
