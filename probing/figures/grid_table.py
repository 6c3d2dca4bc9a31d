"""The table behind a picture of grids."""

from __future__ import annotations

import pandas as pd

from probing.results.chance import ABOVE_CHANCE, with_above_chance
from probing.results.grid_key import GridKey
from probing.results.sizes import SIZES


def grid_table(frame: pd.DataFrame, value: str) -> pd.DataFrame:
    """The rows that a picture of grids draws: names of the grid, the cell, and its scores."""
    frame = with_above_chance(frame) if value == ABOVE_CHANCE else frame
    found = ("value", "value_low", "value_high", "full", "rank") if value == "value" else ()
    scores = dict.fromkeys(("dev", "test", "test_low", "test_high", value, "majority", *found))
    columns = [*GridKey._fields, "layer", "head", *scores, "p_adjusted", *SIZES]
    return frame[[name for name in columns if name in frame]]
