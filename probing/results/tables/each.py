"""The table of several grids, a row for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from probing.results.schema import NONE
from probing.results.sizes import sizes_text
from probing.results.tables.layout import MISSING, Cell, Layout, sentence
from probing.results.tables.measured import Measured, format_of, heading_of
from probing.results.tables.named import Names, names_of_all, same_text
from probing.results.tables.one import line_of
from probing.results.text.score_text import best_of_text
from probing.results.units import NumberFormat, metric_name, score_unit
from probing.tasks.target import COEFFICIENTS

_P, _UNTRAINED, _CONTROL = "p", "untrained", "control"


@dataclass(frozen=True)
class Entry:
    """A row of the table: a grid, or a run whose finding is a sentence.

    Attributes:
        rows: Result rows of the grid or run.
        grid: Its numbers; None if the finding is a sentence.
    """

    rows: pd.DataFrame
    grid: Measured | None


def each_table(entries: Sequence[Entry]) -> Layout:
    """Lay out a row for each grid: its settings, best head, score, interval, p, mean and baselines.

    Args:
        entries: The grids and runs, in the order of the rows.
    """
    names = names_of_all([entry.rows for entry in entries])
    grids = [entry.grid for entry in entries if entry.grid is not None]
    unit = format_of(grids) if grids and len({grid.quantity for grid in grids}) == 1 else None
    column = "best" if unit is None else heading_of(grids[0], unit)
    metrics = {metric_name(grid.metric) for grid in grids}
    settings = [*names.differing, *(["metric"] if len(metrics) > 1 else [])]
    best = _bold(grids, names, unit)
    lines = [
        (
            *(Cell(names.differing[name][place] or NONE) for name in names.differing),
            *([Cell(MISSING if entry.grid is None else metric_name(entry.grid.metric))] * (len(metrics) > 1)),
            *_numbers(entry.grid, unit, bold=entry.grid is not None and entry.grid is best),
            Cell(line_of(entry.rows) if entry.grid is None else ""),
        )
        for place, entry in enumerate(entries)
    ]
    headings = (
        *settings, "layer", "head", "heads", column, "95 % interval", _P, "mean", "majority", "full model",
        _UNTRAINED, _CONTROL, "result",
    )  # fmt: skip
    table = Layout("", headings, tuple(lines), len(settings)).without_empty()
    rows = pd.concat([entry.rows for entry in entries])
    return Layout(_caption(table, names, grids, rows, unit), table.headings, table.lines, table.texts)


def _numbers(grid: Measured | None, unit: NumberFormat | None, *, bold: bool) -> list[Cell]:
    """The cells from layer to control labels."""
    if grid is None:
        return [Cell(MISSING)] * 11
    own, best = unit or format_of([grid]), grid.best
    scores = score_unit(grid.metric)
    spoken = unit is None
    mean = MISSING if np.isnan(grid.mean) else _in(own, grid.mean, spoken=spoken)
    if best is None:
        return [*[Cell(MISSING)] * 6, Cell(mean), *[Cell(MISSING)] * 4]
    probe = grid.column != "value"
    together = pd.isna(best["layer"])
    layer = "emb" if not together and best["layer"] == -1 else _whole(best["layer"])
    about = {
        "majority": grid.column in ("test", "dev") and grid.metric not in COEFFICIENTS,
        "full": not probe,
        _UNTRAINED: grid.column == "test",
        _CONTROL: grid.column == "test",
    }
    levels = [_of(best, name, scores, spoken=spoken) if wanted else MISSING for name, wanted in about.items()]
    return [
        Cell(layer),
        Cell(_whole(best["head"])),
        Cell(_whole(best["n_heads"]) if together else MISSING),
        Cell(_in(own, float(best[grid.column]), spoken=spoken), bold),
        Cell(_interval(grid, own, spoken=spoken)),
        Cell(
            _of(best, "p_adjusted", NumberFormat(digits=3), spoken=False)
            if grid.column == "test"
            else MISSING
        ),
        Cell(mean),
        *map(Cell, levels),
    ]


def _bold(grids: Sequence[Measured], names: Names, unit: NumberFormat | None) -> Measured | None:
    """The grid with the best score, if all are of one task and their scores can be compared."""
    if unit is None or "task" in names.differing or len(grids) < 2:
        return None
    known = [grid for grid in grids if grid.best is not None]
    return max(known, key=lambda grid: grid.sign * float(_best(grid)), default=None)


def _best(grid: Measured) -> float:
    return float("nan") if grid.best is None else float(grid.best[grid.column])


def _caption(
    table: Layout, names: Names, grids: Sequence[Measured], rows: pd.DataFrame, unit: NumberFormat | None
) -> str:
    there = set(table.headings)
    notes = [
        _looked(grids) if _P in there else "",
        "the mean is over all cells of a grid" if "mean" in there else "",
        "untrained is the same cell of the randomly initialised model" if _UNTRAINED in there else "",
        "control is the same cell on control labels" if _CONTROL in there else "",
    ]
    bold = any(cell.bold for line in table.lines for cell in line)
    about = sentence(
        "the best cell of each grid" if grids else "", "the best of all in bold" if bold else "", *notes
    )
    return " ".join(filter(None, (about, sentence(same_text(names), sizes_text(rows)))))


def _looked(grids: Sequence[Measured]) -> str:
    """The correction of p; empty if no choice was made."""
    numbers = [int(grid.rows["p_adjusted"].notna().sum()) for grid in grids if "p_adjusted" in grid.rows]
    counts = sorted(count for count in numbers if count)
    if not counts or counts[-1] == 1:
        return ""
    several = counts[0] != counts[-1]
    return f"p is {best_of_text(f'{counts[0]} to {counts[-1]}' if several else str(counts[0]))}"


def _in(unit: NumberFormat, number: float, *, spoken: bool) -> str:
    return unit.spoken(number) if spoken else unit.cell(number)


def _of(row: pd.Series, name: str, unit: NumberFormat, *, spoken: bool) -> str:
    value = row.get(name)
    return MISSING if value is None or pd.isna(value) else _in(unit, float(value), spoken=spoken)


def _interval(grid: Measured, unit: NumberFormat, *, spoken: bool) -> str:
    if grid.ends is None or grid.best is None or any(pd.isna(grid.best[name]) for name in grid.ends):
        return MISSING
    write = unit.told if spoken else unit.cell
    return f"[{', '.join(write(float(grid.best[name])) for name in grid.ends)}]"


def _whole(value: object) -> str:
    return MISSING if pd.isna(value) else str(value)  # type: ignore[call-overload]
