"""The table of a frame of layers x heads, as `grid` returns it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from probing.errors import ProbingError
from probing.results.effects import effect
from probing.results.grid_key import GridKey
from probing.results.load import SETTINGS, digest_of
from probing.results.schema import as_frame
from probing.results.tables.layout import Cell, Layout
from probing.results.tables.measured import COLUMNS, measured
from probing.results.tables.one import grid_table
from probing.results.units import NumberFormat, fitted_unit


def bare_table(frame: pd.DataFrame, value: str, where: Mapping[str, object]) -> Layout:
    """Lay out a grid, in the unit that follows from the settings that `grid` noted, or without a unit.

    Args:
        frame: Layers as index, heads as columns, numbers in the cells.
        value: Column of the numbers, which is chosen in `grid` already and so must be empty.
        where: Values that select rows, which are chosen in `grid` already and so must be empty.

    Raises:
        ProbingError: If it is not a frame of numbers, or has none, or if a selection is given.
    """
    given = [*(["value"] if value else []), *where]
    if given:
        raise ProbingError(f"table: {given[0]}= selects result rows, but frame is one grid; leave it out")
    try:
        numbers = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ProbingError(
            "table: the cells of frame are not numbers; give the output of probing.grid"
        ) from error
    if not np.isfinite(numbers).any():
        raise ProbingError("table: frame has no numbers; give result rows, or the output of probing.grid")
    noted = frame.attrs.get(SETTINGS, {})
    own = noted.get("value") not in COLUMNS or noted.get("numbers") != digest_of(frame)
    return _as_is(frame, numbers) if own else _as_noted(frame)


def _as_noted(frame: pd.DataFrame) -> Layout:
    """The grid as rows of a run again, so that it is written like these."""
    noted = dict(frame.attrs[SETTINGS])
    column, ranked = str(noted["value"]), bool(noted["ranked"])
    known = {name: value for name, value in noted.items() if name in GridKey._fields}
    whole = noted.get("granularity") == "layer"
    cells = [
        {**known, "layer": layer, "head": None if whole else head, column: number}
        for layer, numbers in frame.iterrows()
        for head, number in numbers.items()
        if pd.notna(number)
    ]
    rows = as_frame(cells).assign(**{column: [cell[column] for cell in cells]})
    if ranked:
        rows["rank"] = effect(rows).rank(ascending=False, method="min").astype("Int64")
    return grid_table(rows, [measured(rows, column)])


def _as_is(frame: pd.DataFrame, numbers: np.ndarray) -> Layout:
    unit, best = fitted_unit(numbers, ""), float(np.nanmax(numbers))
    lines = [
        (Cell("emb" if str(layer) == "-1" else str(layer)), *(_cell(number, unit, best) for number in row))
        for layer, row in zip(frame.index[::-1], numbers[::-1].tolist(), strict=True)
    ]
    caption = f"Numbers in {unit.label}; the largest in bold." if unit.label else "The largest in bold."
    return Layout(caption, ("layer", *map(str, frame.columns)), tuple(lines))


def _cell(number: float, unit: NumberFormat, best: float) -> Cell:
    return Cell("") if np.isnan(number) else Cell(unit.cell(number), number == best)
