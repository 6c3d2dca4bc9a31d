"""The numbers of one grid, its best cell, and the format of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.results.alike import Quantity, quantity
from probing.results.checks import has_values, numbers
from probing.results.effects import effect
from probing.results.finding import finding_of_rows
from probing.results.grid_key import key_of
from probing.results.schema import DERIVED, METRICS
from probing.results.text.found_text import first_ranked
from probing.results.units import NumberFormat, difference_unit, score_unit

_P = ("p", "p_adjusted")
COLUMNS = ("test", "dev", "value", *DERIVED, *_P, *(f"test_{metric}" for metric in METRICS))
"""Columns of numbers that a table can show."""


@dataclass(frozen=True)
class Measured:
    """The numbers of one grid.

    Attributes:
        rows: Result rows of the grid.
        column: Name of the column of its numbers.
        best: Row of the best cell; None if no cell is the best.
    """

    rows: pd.DataFrame
    column: str
    best: pd.Series | None

    @property
    def quantity(self) -> Quantity:
        """The quantity of the numbers."""
        return quantity(self.rows, self.column)

    @property
    def metric(self) -> str:
        """The metric of the rows."""
        return key_of(self.rows).metric

    @property
    def numbers(self) -> NDArray[np.float64]:
        """The numbers, float64 (n,), NaN where they are missing."""
        return self.rows[self.column].to_numpy(dtype=np.float64, na_value=np.nan)

    @property
    def ends(self) -> tuple[str, str] | None:
        """The columns of the ends of the interval; None if the column has none."""
        names = f"{self.column}_low", f"{self.column}_high"
        return names if set(names) <= set(self.rows) else None

    @property
    def mean(self) -> float:
        """The mean of the known numbers; NaN if there are none."""
        known = self.numbers[np.isfinite(self.numbers)]
        return float(known.mean()) if len(known) else float("nan")

    @property
    def sign(self) -> float:
        """1 if larger numbers are better or a larger effect, −1 if smaller ones are."""
        if self.column in (*_P, "test_mse"):
            return -1.0
        if self.column != "value":
            return 1.0
        one = self.rows.iloc[:1].assign(value=1.0)
        return float(effect(one).iloc[0])


def measured(rows: pd.DataFrame, column: str = "") -> Measured:
    """The numbers of one grid and its best cell.

    Args:
        rows: Result rows of one grid.
        column: Name of the column of its numbers; empty for `value` where the analysis gives it, else `test`.

    Raises:
        ProbingError: If the column is not one that a table can show, or has no numbers.
    """
    column = column or ("value" if has_values(rows) else "test")
    if column not in COLUMNS:
        raise ProbingError(
            f"table: value {column!r} is not a score or a finding; use one of {', '.join(COLUMNS[:8])}"
        )
    found = numbers(rows, column, argument="table: value")
    grid = Measured(rows, column, None)
    if not np.isfinite(found).any():
        return grid
    if column == "value":
        return replace(grid, best=first_ranked(rows))
    place = int(np.nanargmax(found * grid.sign))
    return replace(grid, best=rows.iloc[place])


def format_of(grids: Sequence[Measured]) -> NumberFormat:
    """The common format of the numbers of grids with an equal quantity."""
    first = grids[0]
    if first.column in _P:
        return NumberFormat(digits=3)
    values = np.concatenate([grid.numbers for grid in grids])
    if first.column == "value":
        names = key_of(first.rows)
        return finding_of_rows(first.rows).unit_of(names.metric, names.normalisation, values)
    if first.column == "selectivity":
        return difference_unit(first.metric, values)
    own = first.column.removeprefix("test_") if first.column.startswith("test_") else first.metric
    return score_unit(own)


def heading_of(grid: Measured, unit: NumberFormat) -> str:
    """The quantity and the unit of cells, "test accuracy (%)"."""
    names = {"p": "p", "p_adjusted": "p, corrected", "selectivity": "selectivity"}
    said = grid.quantity
    before = {"value": "", "untrained": "untrained model's", "control": "control labels'"}
    start = before.get(grid.column, "test" if grid.column.startswith("test_") else grid.column)
    name = names.get(grid.column) or f"{start} {said.name}".lstrip()
    return f"{name} ({unit.label})" if unit.label else name
