"""The columns of the result frame that a picture can draw."""

from __future__ import annotations

import pandas as pd

from probing.errors import ProbingError
from probing.results.checks import check_numbers, has_values
from probing.results.schema import COLUMNS, DERIVED, METRICS


def check_value(frame: pd.DataFrame, value: str) -> None:
    """Check that a column contains scores.

    Raises:
        ProbingError: If it is not a column of scores, if its baseline has not been run, or if the analysis
            gives no scores.
    """
    there = [name for name in ("test", "dev", *DERIVED) if name in frame]
    metrics = [f"test_{metric}" for metric in METRICS]
    # a column that results do not have was added to them, such as an importance of heads
    known = value in frame and (value in (*there, *metrics) or value not in COLUMNS)
    if not known or not pd.api.types.is_numeric_dtype(frame[value]):
        use = " or ".join(filter(None, (", ".join(there[:-1]), there[-1])))
        raise ProbingError(f"value {value!r} is not a column of scores; use {use}")
    if frame[value].notna().any():
        check_numbers(frame, value, what="these rows")
        return
    if has_values(frame):
        analysis = frame["analysis"].iloc[0]
        raise ProbingError(f"value {value!r} is missing in all rows of analysis {analysis}; use value=value")
    if value in DERIVED:
        kind = "untrained" if value == "untrained" else "control"
        raise ProbingError(f"value {value!r} is missing in all rows; run baseline={kind} first")


def check_found(frame: pd.DataFrame) -> None:
    """Check that the rows are of an analysis that gives a `value`.

    Raises:
        ProbingError: If they have only scores.
    """
    if "value" not in frame or (frame["value"].isna().all() and frame["test"].notna().any()):
        raise ProbingError(
            "value 'value' is missing in all rows: a probe gives scores; use value=test, or another analysis"
        )
