"""The columns that distinguish the grids of the result frame, as the key of a grid."""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd


class GridKey(NamedTuple):
    """The fields that distinguish the grids of the result frame; empty where a value is missing."""

    analysis: str = ""
    plugin: str = ""
    model: str = ""
    task: str = ""
    granularity: str = ""
    pooling: str = ""
    probe: str = ""
    objective: str = ""
    seed: int | str = ""
    limit: int | str = ""
    baseline: str = ""
    penalty: float | str = ""
    variant: str = ""
    fill: str = ""
    normalisation: str = ""
    direction: str = ""
    stack: str = ""
    metric: str = ""


def key_of(rows: pd.DataFrame) -> GridKey:
    """The key of the grid of the first row; missing fields are empty."""
    first: Any = rows.iloc[0]
    known = {name: first[name] for name in GridKey._fields if name in rows and not pd.isna(first[name])}
    return GridKey(**known)
