"""Which columns of the result frame a picture can draw."""

from __future__ import annotations

import pandas as pd

from probing.errors import ProbingError
from probing.results.checks import check_numbers
from probing.results.schema import DERIVED
from probing.tasks.target import CLASS_METRICS, LABEL_METRICS, SCORE_METRICS


def check_value(frame: pd.DataFrame, value: str) -> None:
    """Make sure that a column holds scores.

    Raises:
        ProbingError: If it is no column of scores, those of a baseline that has not been run, or missing
            because the analysis ends in no score.
    """
    there = [name for name in ("test", "dev", *DERIVED) if name in frame]
    metrics = [f"test_{metric}" for metric in (*CLASS_METRICS, *SCORE_METRICS, "mse", *LABEL_METRICS)]
    known = value in (*there, *metrics) and value in frame
    if not known or not pd.api.types.is_numeric_dtype(frame[value]):
        use = " or ".join(filter(None, (", ".join(there[:-1]), there[-1])))
        raise ProbingError(f"value {value!r} is no column of scores; use {use}")
    if frame[value].notna().any():
        check_numbers(frame, value, what="these rows")
        return
    if "value" in frame and frame["value"].notna().any():
        analysis = frame["analysis"].iloc[0]
        raise ProbingError(f"value {value!r} is missing in all rows of analysis {analysis}; use value=value")
    if value in DERIVED:
        kind = "untrained" if value == "untrained" else "control"
        raise ProbingError(f"value {value!r} is missing in all rows; run baseline={kind} first")


def check_found(frame: pd.DataFrame) -> None:
    """Make sure that the rows are of an analysis that ends in `value`.

    Raises:
        ProbingError: If they have scores instead.
    """
    if "value" not in frame or (frame["value"].isna().all() and frame["test"].notna().any()):
        raise ProbingError(
            "value 'value' is missing in all rows: a probe ends in scores; use test, or another analysis"
        )
