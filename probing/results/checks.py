"""Refusals of columns for which a statistic cannot be computed."""

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
        column: Its name.
        what: Name of the frame in messages.
        argument: The argument that named the column, for messages.

    Returns:
        Its numbers, float64 (n,), NaN where they are missing; one at least is not.

    Raises:
        ProbingError: Naming the column, if it does not exist, has no rows, holds texts or infinity, or has
            only missing values.
    """
    values = numbers(frame, column, what=what, argument=argument)
    if frame.empty:
        raise ProbingError(f"{what} holds no rows; select others")
    if np.isinf(values).any():
        raise ProbingError(f"column {column!r} of {what} holds infinity in row {np.isinf(values).argmax()}")
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
        ProbingError: If there is no such column, or it holds texts.
    """
    check_there(frame, column, what=what, argument=argument)
    values = frame[column]
    if not pd.api.types.is_numeric_dtype(values) and values.notna().any():
        start = f"{argument}: " if argument else ""
        raise ProbingError(
            f"{start}column {column!r} of {what} holds texts; give one of numbers, such as 'test'"
        )
    return values.to_numpy(dtype=float, na_value=np.nan)


def check_there(frame: pd.DataFrame, column: str, *, what: str = "the frame", argument: str = "") -> None:
    """Refuse a column that a frame lacks; see `check_numbers`.

    Raises:
        ProbingError: Naming those that there are.
    """
    if column not in frame:
        start = f"{argument}: " if argument else ""
        there = ", ".join(map(str, frame.columns))
        raise ProbingError(f"{start}no column {column!r}; {what} has {there}")


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
    """Refuse what is not a square table of correlations.

    Raises:
        ProbingError: If it is not square, or holds anything but numbers from -1 to 1.
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
