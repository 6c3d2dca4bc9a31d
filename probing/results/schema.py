"""The columns of the tidy frame that every analysis ends in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.tasks.target import CLASS_METRICS, LABEL_METRICS, SCORE_METRICS

SCHEMA = 6
"""Version of the columns; in every file."""
COMPUTED = 5
"""Version of the way in which results are computed; in every key."""
COLUMNS: dict[str, str] = {
    "analysis": "string",
    "plugin": "string",  # module of an analysis that is not part of this package; it has the FINDING
    "model": "string",
    "step": "Int64",  # of training, where the model is one of several checkpoints
    "task": "string",
    "granularity": "string",
    "pooling": "string",
    "probe": "string",
    "objective": "string",  # what the model is used for, where an analysis takes heads away
    "seed": "Int64",
    "limit": "Int64",  # most examples of each split that a quick look took; missing for a full run
    "baseline": "string",  # none; untrained, control or permuted of rows that others are compared with
    "variant": "string",  # kind of row, where a granularity or an analysis has several
    "main": "boolean",  # whether a row belongs to the grid that is reported first
    "fill": "string",  # replacement of a masked head: zero, mean or uniform
    "normalisation": "string",  # of an importance: layer, minmax; missing if there is none
    "penalty": "Float64",  # lambda, the cost of an open gate
    "draw": "Int64",  # which of several random draws
    "stack": "string",  # encoder, decoder or cross, of a model that has several
    "layer": "Int64",
    "head": "Int64",
    "layer_2": "Int64",  # the second head of a row for a pair of heads; missing in all other rows
    "head_2": "Int64",
    "n_heads": "Int64",  # whose vectors are read together
    "heads": "string",  # which, as "4.10 3.5" (layer.head), where they are neither one nor a layer's
    "metric": "string",
    "dev": "Float64",
    "test": "Float64",
    "test_low": "Float64",
    "test_high": "Float64",
    "value": "Float64",  # what the analysis found, where it is no score: an importance, a difference, a gate
    "value_low": "Float64",
    "value_high": "Float64",
    "full": "Float64",  # score of the whole model that a difference is to, under the same metric as `test`
    "rank": "Int64",  # from 1, of the cells of a grid: how much the model needs this one, most first
    **{f"test_{metric}": "Float64" for metric in (*CLASS_METRICS, *SCORE_METRICS, "mse", *LABEL_METRICS)},
    "p": "Float64",
    "p_adjusted": "Float64",
    "l2": "Float64",
    "n_train": "Int64",
    "n_dev": "Int64",
    "n_test": "Int64",
    "n_classes": "Int64",
    "majority": "Float64",
    "question": "string",  # what a row and its baselines share: examples, labels, how tokens are read
    "key": "string",
    "inner": "boolean",  # whether another run made this one on its way, and nobody asked for it
}
DERIVED: dict[str, str] = {
    "untrained": "Float64",  # test score of the same cell of the untrained twin
    "control": "Float64",  # test score of the same cell on control labels
    "selectivity": "Float64",  # test minus control (Hewitt & Liang 2019)
}
"""Columns that `load_results` adds from rows of other runs; files do not hold them."""
NONE = "none"
"""The value by which a user asks for rows that have nothing in a column, `limit=none`."""
PREDICTED = "predicted"
"""A column that files hold beside those: the answer to every test item, a list for each row."""
GRID = (
    "analysis", "plugin", "model", "task", "granularity", "pooling", "probe", "objective", "seed", "limit",
    "baseline", "penalty", "variant", "fill", "normalisation", "stack", "metric",
)  # fmt: skip
"""Columns that tell one grid from another, beside its key."""
KINDS = ("variant", "fill", "normalisation", "penalty")
"""Columns that distinguish the kinds of rows within one analysis."""
PAIR = ("layer_2", "head_2")
"""Columns of the second head of a pair; files and frames of other analyses may lack them."""
PLACE = (*KINDS, "metric", "draw", "stack", "layer", "head", *PAIR, "n_heads")
"""Columns that tell the rows of one run apart."""

_SINGLE = tuple(name for name in PLACE if name not in PAIR)
RESULT = tuple(dict.fromkeys((*GRID, *_SINGLE, "step", "dev", "test", "n_train", "majority", "key")))
"""Columns without which rows cannot be distinguished or have no result."""


def as_frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Rows with the schema's columns, order and types; what a row lacks is missing.

    Answers to test items stay beside them, in `PREDICTED`, if the rows have any.
    """
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    frame["main"] = frame["main"].fillna(value=True)
    if any(PREDICTED in row for row in rows):
        frame[PREDICTED] = pd.Series([row[PREDICTED] for row in rows], dtype=object)
    return frame


def with_inner(frame: pd.DataFrame, *, inner: bool) -> pd.DataFrame:
    """The same rows of one run, marked as made by another run on its way, or as asked for."""
    return frame.assign(inner=pd.array([inner] * len(frame), dtype="boolean"))


def places(frame: pd.DataFrame, columns: Sequence[str] = PLACE) -> pd.MultiIndex:
    """Rows by the columns that tell them apart; what is missing is "-", so that it equals itself."""
    chosen = frame.reindex(columns=list(columns))
    return pd.MultiIndex.from_frame(chosen.astype(object).where(chosen.notna(), "-"))


def fitted(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Which rows were fitted to, and scored on, the labels of their run: all but those of permuted ones."""
    return rows["variant"].ne("permuted").fillna(value=True).to_numpy(dtype=bool)


def of_pairs(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which rows are for a pair of heads, and so not cells of a grid."""
    if PAIR[0] not in rows:
        return np.zeros(len(rows), dtype=bool)
    return rows[PAIR[0]].notna().to_numpy(dtype=bool)
