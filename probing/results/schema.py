"""The columns of the tidy frame that every analysis ends in."""

from __future__ import annotations

import pandas as pd

from probing.tasks.target import CLASS_METRICS, SCORE_METRICS

COLUMNS: dict[str, str] = {
    "analysis": "string",
    "model": "string",
    "task": "string",
    "granularity": "string",
    "pooling": "string",
    "probe": "string",
    "seed": "Int64",
    "layer": "Int64",
    "head": "Int64",
    "metric": "string",
    "dev": "Float64",
    "test": "Float64",
    "test_low": "Float64",
    "test_high": "Float64",
    **{f"test_{metric}": "Float64" for metric in (*CLASS_METRICS, *SCORE_METRICS, "mse")},
    "l2": "Float64",
    "n_train": "Int64",
    "n_dev": "Int64",
    "n_test": "Int64",
    "n_classes": "Int64",
    "majority": "Float64",
    "key": "string",
}
GRID = ("analysis", "model", "task", "granularity", "pooling", "probe", "seed", "metric")
"""Columns that tell one grid from another, beside its key."""


def as_frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Rows with the schema's columns, order and types; what a row lacks is missing."""
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
