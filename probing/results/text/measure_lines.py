"""Measures of every head next to what chance would give, a line for each measure."""

from __future__ import annotations

import numpy as np
import pandas as pd

from probing.results.finding import finding_of_rows, main_rows, values_of
from probing.results.text.aligned import aligned
from probing.results.text.found_text import interval_text
from probing.results.text.grid_text import place_text

_HEADINGS = ("", "mean", "chance", "highest", "")


def shares_text(rows: pd.DataFrame) -> str:
    """A table with a line for each measure: its mean, its chance level and its highest head.

    Args:
        rows: Rows of one run of an analysis whose measures are variants.
    """
    finding = finding_of_rows(rows)
    lines = [_HEADINGS, *(_line(own) for _, own in rows.groupby("variant", sort=False))]
    lines[0] = (finding.measure, *_HEADINGS[1:])
    return "\n".join([*aligned(lines, "<>><<"), shares_summary(rows)])


def shares_summary(rows: pd.DataFrame) -> str:
    """One line: the highest head of each measure of the main grids."""
    main = main_rows(rows)
    told = []
    for variant, own in main.groupby("variant", sort=False):
        best = highest(own)
        told.append(f"{variant} {place_text(best)} {values_of(own).told(float(best['value']))}")
    return f"highest: {', '.join(told)}"


def highest(rows: pd.DataFrame) -> pd.Series:
    """The row of the largest value, the first among equals."""
    return rows.iloc[int(rows["value"].to_numpy(dtype=np.float64, na_value=-np.inf).argmax())]


def _line(rows: pd.DataFrame) -> tuple[str, ...]:
    unit, best = values_of(rows), highest(rows)
    chance = rows["chance"].mean()
    return (
        str(rows["variant"].iloc[0]),
        unit.spoken(float(rows["value"].mean())),
        "" if pd.isna(chance) else unit.spoken(float(chance)),
        place_text(best),
        f"{unit.spoken(float(best['value']))}{interval_text(best, unit)}",
    )
