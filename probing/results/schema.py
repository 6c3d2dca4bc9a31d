"""The columns of the tidy frame that every analysis returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.results.grid_key import GridKey
from probing.tasks.target import CLASS_METRICS, LABEL_METRICS, SCORE_METRICS

SCHEMA = 7
"""Version of the columns, written to every file."""
COMPUTED = 5
"""Version of the way in which results are computed, part of every key."""
METRICS = tuple(dict.fromkeys((*CLASS_METRICS, *SCORE_METRICS, "mse", *LABEL_METRICS)))
"""All metrics, each with a column `test_...`."""
COLUMNS: dict[str, str] = {
    "task": "string",
    "layer": "Int64",
    "head": "Int64",
    "model": "string",
    "analysis": "string",
    "granularity": "string",
    "probe": "string",
    "baseline": "string",  # none, or the baseline: untrained, control or permuted
    "variant": "string",  # kind of row, if a granularity or an analysis has several
    "metric": "string",
    "pooling": "string",
    "objective": "string",  # what the model is used for, if an analysis ablates heads
    "step": "Int64",  # training step, if the model is one of several checkpoints
    "seed": "Int64",
    "limit": "Int64",  # max examples of each split in a quick look; missing for a full run
    "main": "boolean",  # whether a row belongs to the grid that is reported first
    "fill": "string",  # replacement of a masked head: zero, mean or uniform
    "normalisation": "string",  # of an importance: layer, minmax; missing if there is none
    "penalty": "Float64",  # lambda, the cost of an open gate
    "direction": "string",  # from which of two words a head is asked to find the other
    "draw": "Int64",  # number of the random draw, if there are several
    "stack": "string",  # encoder, decoder or cross, if the model has several
    "layer_2": "Int64",  # the second head of a row for a pair of heads; missing in all other rows
    "head_2": "Int64",
    "offset": "Int64",  # relative position of the target, of a positional head or of a positional baseline
    "roles": "string",  # names of the roles of a head, "induction previous_token"
    "heads": "string",  # names of the heads, "4.10 3.5" (layer.head), unless they are one head or a layer
    "l2": "Float64",
    "n_train": "Int64",
    "n_dev": "Int64",
    "n_test": "Int64",
    "n_classes": "Int64",
    "plugin": "string",  # module of an analysis that is not part of this package; it has the FINDING
    "setup": "string",  # digest of what baselines share: examples, labels, way of reading tokens
    "key": "string",
    "inner": "boolean",  # whether another run made this one on its way, without a request for it
    **{f"test_{metric}": "Float64" for metric in METRICS},
    "dev": "Float64",
    "full": "Float64",  # score of the full model, under the same metric as `test`
    "majority": "Float64",
    "chance": "Float64",  # the value of a head that knows nothing, such as one with uniform attention
    "threshold": "Float64",  # the value from which on a head has a role
    "p": "Float64",
    "p_adjusted": "Float64",
    "value_low": "Float64",
    "value_high": "Float64",
    "test_low": "Float64",
    "test_high": "Float64",
    "n_heads": "Int64",  # number of heads whose vectors are read together
    "rank": "Int64",  # rank of a cell by its effect on the model; 1 is the largest
    "value": "Float64",  # finding that is not a score: an importance, a difference, a gate
    "test": "Float64",
}
"""Columns and their types, in an order that suits a printed frame.

The first name a cell and the last are its score. pandas prints both ends of a wide frame and leaves out its
middle, which has the columns that seldom matter.
"""
DERIVED: dict[str, str] = {
    "untrained": "Float64",  # test score of the same cell of the randomly initialised model
    "control": "Float64",  # test score of the same cell on control labels
    "selectivity": "Float64",  # test minus control (Hewitt & Liang 2019)
}
"""Columns that `load_results` adds from rows of other runs; files do not have them."""
_NAMES = tuple(COLUMNS)
_BASELINES_AT = _NAMES.index("p")
ORDER = (*_NAMES[:_BASELINES_AT], *DERIVED, *_NAMES[_BASELINES_AT:])
"""Order of the columns of `load_results`: those of `COLUMNS`, with those of `DERIVED` before p."""
NONE = "none"
"""The value with which a user selects rows without a value in a column, `limit=none`."""
PREDICTED = "predicted"
"""A further column of files: the answers to all test items, a list for each row."""
GRID = GridKey._fields
"""Columns that distinguish grids, in addition to the key."""
KINDS = ("variant", "fill", "normalisation", "penalty", "direction")
"""Columns that distinguish the kinds of rows within one analysis."""
CELL = ("layer", "head")
"""Columns of a head, which the frames of single functions have too."""
PAIR = ("layer_2", "head_2")
"""Columns of the second head of a pair; files and frames of other analyses may lack them."""
PLACE = (*KINDS, "metric", "draw", "stack", "layer", "head", *PAIR, "n_heads")
"""Columns that distinguish the rows of one run."""

_SINGLE = tuple(name for name in PLACE if name not in PAIR)
RESULT = tuple(dict.fromkeys((*GRID, *_SINGLE, "step", "dev", "test", "n_train", "majority", "key")))
"""Columns that every frame of results has, to distinguish its rows and to report scores."""


def as_frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Convert rows to the columns, order and types of the schema; absent values are missing.

    If the rows have answers to test items, these are kept in column `PREDICTED`.
    """
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    frame["main"] = frame["main"].fillna(value=True)
    if any(PREDICTED in row for row in rows):
        frame[PREDICTED] = pd.Series([row[PREDICTED] for row in rows], dtype=object)
    return frame


def completed(frame: pd.DataFrame, value: str, where: str) -> pd.DataFrame:
    """Return a frame of heads, such as that of `head_importance`, with all columns that results have.

    Args:
        frame: Rows with the columns layer and head.
        value: Column to show. It is the task, so the title, of a frame that has none.
        where: Function and argument, for messages: "grid: frame".

    Raises:
        ProbingError: If the frame lacks the column, or is one of results without some of their columns.
    """
    lacking = [column for column in RESULT if column not in frame]
    if lacking and {"dev", "test"} & set(frame):
        raise ProbingError(f"{where} has no column {lacking[0]!r}; give rows as returned by load_results")
    if lacking and value not in frame:
        there = ", ".join(map(str, frame.columns))
        raise ProbingError(f"{where} has no column {value!r}, only {there}")
    whole = frame["head"].isna().map({True: "attention", False: "head"})
    known: dict[str, Any] = {"task": value, "granularity": whole}
    filled: dict[str, Any] = {
        column: known.get(column, pd.Series(pd.NA, index=frame.index, dtype=COLUMNS[column]))
        for column in lacking
    }
    return frame.assign(**filled) if lacking else frame


def without_metric(rows: pd.DataFrame, value: str) -> pd.DataFrame:
    """Return rows of one grid, without their metric if they show a column that results do not have."""
    if value not in rows or value in COLUMNS or value in DERIVED:
        return rows
    return rows.assign(metric=pd.Series(pd.NA, index=rows.index, dtype=COLUMNS["metric"]))


def with_inner(frame: pd.DataFrame, *, inner: bool) -> pd.DataFrame:
    """Mark the rows of one run as made by another run on its way, or as requested."""
    return frame.assign(inner=pd.array([inner] * len(frame), dtype="boolean"))


def places(frame: pd.DataFrame, columns: Sequence[str] = PLACE) -> pd.MultiIndex:
    """An index of rows by the columns that distinguish them; missing values are "-", which equals itself."""
    chosen = frame.reindex(columns=list(columns))
    return pd.MultiIndex.from_frame(chosen.astype(object).where(chosen.notna(), "-"))


def fitted(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Return whether each row was fitted to the labels of its run: all rows except permuted ones; bool."""
    return rows["variant"].ne("permuted").fillna(value=True).to_numpy(dtype=bool)


def of_pairs(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Return whether each row is for a pair of heads, and so not a cell of a grid; bool."""
    if PAIR[0] not in rows:
        return np.zeros(len(rows), dtype=bool)
    return rows[PAIR[0]].notna().to_numpy(dtype=bool)
