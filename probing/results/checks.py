"""Checks that a statistic can be computed for a column."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.results.schema import PAIR, of_pairs


def check_numbers(
    frame: pd.DataFrame, column: str, *, what: str = "the frame", argument: str = ""
) -> NDArray[np.float64]:
    """Refuse a column for which a statistic cannot be computed.

    Args:
        frame: Result rows, or any other table.
        column: Name of the column.
        what: Name of the frame in messages.
        argument: Name of the argument that gave the column, for messages.

    Returns:
        The numbers of the column, float64 (n,), NaN where they are missing; at least one is not.

    Raises:
        ProbingError: If the column does not exist, has no rows, contains texts or infinity, or has only
            missing values.
    """
    values = numbers(frame, column, what=what, argument=argument)
    if frame.empty:
        raise ProbingError(f"{what} has no rows; select others")
    if np.isinf(values).any():
        row = np.isinf(values).argmax()
        raise ProbingError(f"column {column!r} of {what} contains infinity in row {row}")
    if np.isnan(values).all():
        raise ProbingError(f"column {column!r} of {what} is missing in all {len(values)} rows")
    return values


def numbers(
    frame: pd.DataFrame, column: str, *, what: str = "the frame", argument: str = ""
) -> NDArray[np.float64]:
    """The numbers of a column, NaN where they are missing; see `check_numbers`.

    Returns:
        float64 (n,).

    Raises:
        ProbingError: If there is no such column, or if it contains texts.
    """
    check_there(frame, column, what=what, argument=argument)
    values = frame[column]
    if not pd.api.types.is_numeric_dtype(values) and values.notna().any():
        start = f"{argument}: " if argument else ""
        raise ProbingError(
            f"{start}column {column!r} of {what} contains texts; give one of numbers, such as 'test'"
        )
    return values.to_numpy(dtype=float, na_value=np.nan)


def check_there(frame: pd.DataFrame, column: str, *, what: str = "the frame", argument: str = "") -> None:
    """Refuse a column that a frame lacks; see `check_numbers`.

    Raises:
        ProbingError: If the column is missing; the message lists the existing ones.
    """
    if column not in frame:
        start = f"{argument}: " if argument else ""
        there = ", ".join(map(str, frame.columns))
        raise ProbingError(f"{start}no column {column!r}; {what} has {there}")


def has_values(rows: pd.DataFrame) -> bool:
    """Return whether rows are of an analysis that gives a `value`, and not only scores."""
    return "value" in rows and bool(rows["value"].notna().any())


def single_heads(frame: pd.DataFrame, what: str = "a grid") -> pd.DataFrame:
    """Return the rows without those for pairs of heads, which are not cells of a grid.

    Args:
        frame: Result rows.
        what: What shows or compares single heads, for the message.

    Raises:
        ProbingError: If all rows are for pairs of heads.
    """
    pairs = of_pairs(frame)
    if len(pairs) and pairs.all():
        raise ProbingError(
            f"the rows are for pairs of heads (columns {' and '.join(PAIR)}), which {what} does not show; "
            "select rows of single heads or layers"
        )
    return frame[~pairs] if pairs.any() else frame


def check_matrix(matrix: pd.DataFrame) -> None:
    """Refuse anything but a square table of correlations.

    Raises:
        ProbingError: If it is not square, or contains anything but numbers from -1 to 1.
    """
    if matrix.shape[0] != matrix.shape[1]:
        shape = " x ".join(map(str, matrix.shape))
        raise ProbingError(f"matrix is {shape}; give the square one that probing.correlations returns")
    try:
        values = matrix.to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ProbingError("matrix contains texts; give what probing.correlations returns") from error
    if (np.abs(values) > 1 + 1e-9).any():
        raise ProbingError("matrix contains numbers beyond -1 and 1; give what probing.correlations returns")
