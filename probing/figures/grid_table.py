"""The table behind a picture of grids."""

from __future__ import annotations

import pandas as pd

from probing.figures.grids import GridKey
from probing.results.sizes import SIZES


def grid_table(frame: pd.DataFrame, value: str) -> pd.DataFrame:
    """What a picture of grids draws, as rows: which grid, which cell, its scores."""
    found = ("value", "value_low", "value_high", "full", "rank") if value == "value" else ()
    scores = dict.fromkeys(("dev", "test", "test_low", "test_high", value, "majority", *found))
    columns = [*GridKey._fields, "layer", "head", *scores, "p_adjusted", *SIZES]
    return frame[[name for name in columns if name in frame]]
