"""The table of several grids with one setting down and another across, as papers print it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from probing.errors import ProbingError
from probing.results.schema import GRID, NONE
from probing.results.several import several
from probing.results.sizes import sizes_text
from probing.results.tables.layout import MISSING, Cell, Layout, sentence
from probing.results.tables.measured import Measured, format_of, heading_of
from probing.results.tables.named import names_of_all
from probing.results.units import NumberFormat
from probing.validation.suggestions import suggest

_NAMES = (*GRID, "step")


def crossed_table(grids: Sequence[Measured], rows: str, columns: str, summary: str) -> Layout:
    """Lay out one number for each grid, the best of each row in bold.

    Args:
        grids: The grids.
        rows: Setting whose values are the rows, such as "task".
        columns: Setting whose values are the columns, such as "model".
        summary: "best" for the best cell of each grid, "mean" for the mean of its cells.

    Raises:
        ProbingError: If a setting does not exist, or if two grids share a place of the table.
    """
    _check(rows, columns)
    places = [(_text(grid, rows), _text(grid, columns)) for grid in grids]
    by_place: dict[tuple[str, str], Measured] = {}
    for place, grid in zip(places, grids, strict=True):
        if place in by_place:
            both = pd.concat([by_place[place].rows, grid.rows])
            raise several(both, start=f"table: {rows}={place[0]}, {columns}={place[1]}: ")
        by_place[place] = grid
    across = list(dict.fromkeys(column for _, column in places))
    common = format_of(grids) if len({grid.quantity for grid in grids}) == 1 else None
    lines = []
    for row in dict.fromkeys(row for row, _ in places):
        found = [by_place.get((row, column)) for column in across]
        own = [grid for grid in found if grid is not None]
        alike = len({grid.quantity for grid in own}) == 1
        unit = common or (format_of(own) if alike else None)
        named = [Cell(heading_of(own[0], unit))] if unit and not common else [Cell("")]
        lines.append((Cell(row), *named, *_cells(found, unit, summary)))
    table = Layout("", (rows, "score", *across), tuple(lines), 2).without_empty()
    return Layout(_caption(grids, (rows, columns), common, summary), *_rest(table))


def _rest(table: Layout) -> tuple[tuple[str, ...], tuple[tuple[Cell, ...], ...], int]:
    return table.headings, table.lines, table.texts


def _check(rows: str, columns: str) -> None:
    for name, value in (("rows", rows), ("columns", columns)):
        if value not in _NAMES:
            raise ProbingError(
                f"table: {name} {value!r} is not a column of settings; {suggest(value, list(_NAMES))}"
            )
    if rows == columns:
        raise ProbingError(f"table: rows and columns are both {rows!r}; give two settings")


def _cells(grids: Sequence[Measured | None], unit: NumberFormat | None, summary: str) -> list[Cell]:
    numbers = [_number(grid, summary) for grid in grids]
    known = [grid for grid, number in zip(grids, numbers, strict=True) if grid and np.isfinite(number)]
    best = float("nan")
    if unit is not None and len(known) > 1:
        sign = known[0].sign
        best = sign * float(np.nanmax(sign * np.array(numbers)))
    return [
        Cell(MISSING)
        if grid is None or np.isnan(number)
        else Cell(unit.cell(number) if unit else format_of([grid]).spoken(number), number == best)
        for grid, number in zip(grids, numbers, strict=True)
    ]


def _number(grid: Measured | None, summary: str) -> float:
    if grid is None:
        return float("nan")
    if summary == "mean":
        return grid.mean
    return float("nan") if grid.best is None else float(grid.best[grid.column])


def _caption(
    grids: Sequence[Measured], names: tuple[str, str], common: NumberFormat | None, summary: str
) -> str:
    what = heading_of(grids[0], common) if common else "score"
    of = "the best cell of each grid" if summary == "best" else "the mean over the cells of each grid"
    same = names_of_all([grid.rows for grid in grids]).same
    settings = ", ".join(f"{name} {text}" for name, text in same.items() if name not in names)
    all_rows = pd.concat([grid.rows for grid in grids])
    about = sentence(f"{what}, {of}", "the best of each row in bold")
    return " ".join(filter(None, (about, sentence(settings, sizes_text(all_rows)))))


def _text(grid: Measured, name: str) -> str:
    value = grid.rows[name].iloc[0] if name in grid.rows else pd.NA
    if pd.isna(value):
        return NONE
    return f"{value:g}" if isinstance(value, float) else str(value)
