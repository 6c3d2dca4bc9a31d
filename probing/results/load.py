"""Reading results back: the tidy frame, and one grid of it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from probing.errors import ProbingError
from probing.results.schema import COLUMNS, GRID, as_frame
from probing.results.store import read_result


def load_results(root: str | Path = "outputs") -> pd.DataFrame:
    """All results under a folder that `paths.root` named, one tidy row per probe.

    Args:
        root: The folder; a folder without results gives an empty frame with all columns.

    Returns:
        Columns as in `probing.results.schema.COLUMNS`; scores are fractions, layers and heads count
        from 0, layer -1 is the embeddings, and `head` is missing where a row is of a whole layer.

    Raises:
        ProbingError: If there is no such folder, or a result file is damaged; the message names it.
    """
    folder = Path(root)
    if not folder.is_dir():
        raise ProbingError(f"{folder}: no such folder; give the paths.root that the runs wrote to")
    frames = [read_result(path)[0] for path in sorted((folder / "results").glob("*.parquet"))]
    if not frames:
        return as_frame([])
    return pd.concat(frames, ignore_index=True)[list(COLUMNS)]


def select(frame: pd.DataFrame, **where: object) -> pd.DataFrame:
    """The rows whose columns have the given values; None leaves a column free.

    Raises:
        ProbingError: If there is no such column, or no such row; the message lists what there is.
    """
    for column, value in where.items():
        if column not in frame:
            raise ProbingError(f"no column {column!r}; the frame has {', '.join(frame.columns)}")
        if value is None:
            continue
        chosen = frame[frame[column] == value]
        if chosen.empty:
            there = ", ".join(sorted(map(str, frame[column].dropna().unique()))) or "nothing"
            raise ProbingError(f"no result with {column}={value!r}; there is {there}")
        frame = chosen
    return frame


def grid(frame: pd.DataFrame, *, value: str = "test", **where: object) -> pd.DataFrame:
    """One layers x heads grid out of a result frame.

    Args:
        frame: What `load_results` gives.
        value: The column that fills the cells.
        **where: Which grid: `model=...`, `task=...`, and any other column that it takes to name one.

    Returns:
        A frame with layers as its index and heads as its columns; whole layers are column 0.

    Raises:
        ProbingError: If no grid, or more than one, answers; the message says what to add.
    """
    rows = select(frame, **where)
    if value not in rows:
        raise ProbingError(f"no column {value!r}; the frame has {', '.join(frame.columns)}")
    if rows.empty:
        raise ProbingError("the frame holds no results; run probing first")
    open_columns = [column for column in (*GRID, "n_train", "key") if len(rows[column].unique()) > 1]
    if open_columns:
        column = open_columns[0]
        values = ", ".join(map(str, rows[column].unique()[:8]))
        raise ProbingError(f"more than one grid: {column} is any of {values}; name one, {column}=...")
    cells = rows.assign(head=rows["head"].fillna(0))
    return cells.pivot(index="layer", columns="head", values=value).astype(float)
