"""A contact sheet: all grids of a sweep side by side, with a colour scale for each metric."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from probing.figures.arrange import arrange
from probing.figures.cells import Cell, crossed, draw_cells, number_axes
from probing.figures.grid_table import grid_table
from probing.figures.grids import NO_KIND, Grid, Order, split_grids
from probing.figures.legend import draw_entries, entries_height, grid_entries
from probing.figures.naming import (
    across_name,
    describe,
    highest_name,
    same_sizes,
    scale_sentence,
    sheet_title,
)
from probing.figures.page import POINTS, WIDEST_TITLE, Line, Page, shorten, wrap
from probing.figures.panel_order import PanelLayout, lay_out
from probing.figures.panels import BELOW, LEFT, PANEL_WIDTH, Panel, place, sheet_width
from probing.figures.picture import Picture
from probing.figures.scale import Shades, by_quantity, draw_bar, shades_of
from probing.figures.style import FAINT, SMALL_SIZE, TEXT_SIZE, TITLE_SIZE, drawing
from probing.results.chance import usual_value
from probing.results.schema import RESULT
from probing.validation.arguments import checked

_HEADER_GAP, _FOOT_GAP = 0.1, 0.14
_BAR_GAP, _BAR_WIDTH, _BAR_LABELS = 0.3, 0.16, 0.75
_SHORTEST_BAR, _LONGEST_BAR = 1.2, 3.2


@checked(frame=RESULT)
def draw_sheet(
    frame: pd.DataFrame, path: str | Path | None = None, *, order: Order = "head", value: str = "auto"
) -> Picture:
    """Draw a contact sheet: a panel for each grid, a band for each model, a scale for each metric.

    Tasks are in the order of the frame, at most five in a row. The marks are those of `draw_grid`. Colours
    run from the lowest score or majority of all panels to their highest score. Each metric has its own scale
    and colour bar. Scores of tasks with different majorities are drawn above chance, since one scale of plain
    scores would show that a task has few classes, and not that it is encoded.
    If analyses found different measures (`value="value"`), such as several importances, each panel has its
    own scale.

    Args:
        frame: Rows of the result frame, of any number of grids.
        path: Path of the files, without .png, .svg, .pdf or .csv, which are added. Files of that name are
            overwritten. None writes nothing.
        order: "head" numbers the heads; "score" sorts each layer from its best head to its worst.
        value: The column to draw, as for `draw_grid`. "auto" is "above_chance" where the majorities of tasks
            differ by more than a point, and otherwise "test".

    Returns:
        The figure, with `table`, the data behind it, and `files`, the PNG, SVG, PDF and CSV.

    Raises:
        ProbingError: If there are no rows, if a head has two rows in one grid, if a row covers several heads,
            or if some grids are differences and others are not.

    Example:
        >>> import probing
        >>> frame = probing.load_results("outputs")  # doctest: +SKIP
        >>> probing.draw_sheet(frame[frame["granularity"] == "head"], "sheet").files.png  # doctest: +SKIP
        PosixPath('sheet.png')
    """
    parts = split_grids(frame)
    value = usual_value(parts) if value == "auto" else value
    grids = [arrange(rows, order, value) for rows in parts]
    with drawing():
        table = grid_table(pd.concat(parts, ignore_index=True), value)
        return sheet_figure(grids).finish(table, path, sheet_title(grids))


def sheet_figure(grids: Sequence[Grid]) -> Picture:
    """The picture of several grids; call it within `style.drawing`."""
    layout = lay_out(grids)
    width = sheet_width(layout)
    header = _header(grids, layout, max(width, 4.0))
    panels, names, foot = place(layout, sum(line.height for line in header) + _HEADER_GAP)
    bar_top = panels[0].top
    bar_length = float(np.clip(foot - BELOW - bar_top, _SHORTEST_BAR, _LONGEST_BAR))
    foot = max(foot, bar_top + bar_length + _FOOT_GAP)
    shades = shades_of(grids)
    own = {id(grid): each for grid, each in zip(grids, shades, strict=True)}
    crosses = any(crossed(panel.grid, own[id(panel.grid)], _cell(panel)) for panel in panels)
    legend_columns = min(3, layout.columns)
    largest = max(map(_cell, panels), key=lambda cell: cell.side)
    entries = grid_entries(grids, shades, largest, crosses=crosses)
    bars = _bars(grids, shades)
    page = Page(
        width + len(bars) * (_BAR_GAP + _BAR_WIDTH + _BAR_LABELS),
        foot + entries_height(len(entries), columns=legend_columns),
    )
    page.write(0.0, 0.0, header)
    for name in names:
        page.write(0.0, name.top, [name.line])
    for number, panel in enumerate(panels):
        _draw_panel(page, panel, own[id(panel.grid)], f"grid-{number}")
    for number, (own_shades, alike) in enumerate(bars):
        left = width + _BAR_GAP + number * (_BAR_GAP + _BAR_WIDTH + _BAR_LABELS)
        draw_bar(page.axes(left, bar_top, _BAR_WIDTH, bar_length, "bar"), own_shades, alike)
    draw_entries(page, LEFT, foot, entries, columns=legend_columns)
    return page.figure


def _bars(grids: Sequence[Grid], shades: Sequence[Shades]) -> list[tuple[Shades, Sequence[Grid]]]:
    """The colour bar of each scale, with its grids; relative scales share one."""
    if shades[0].relative:
        return [(shades[0], grids)]
    of = {grid.quantity.scale: each for grid, each in zip(grids, shades, strict=True)}
    return [(of[scale], alike) for scale, alike in by_quantity(grids).items()]


def _cell(panel: Panel) -> Cell:
    rows, columns = panel.grid.scores.shape
    return Cell(PANEL_WIDTH / columns * POINTS, panel.height / rows * POINTS)


def _draw_panel(page: Page, panel: Panel, shades: Shades, label: str) -> None:
    grid = panel.grid
    page.write(panel.left, panel.heading_top, panel.heading)
    axes = page.axes(panel.left, panel.top, PANEL_WIDTH, panel.height, label)
    cell = _cell(panel)
    draw_cells(axes, grid, shades, cell)
    number_axes(axes, grid, cell, SMALL_SIZE)
    axes.set_ylabel("layer", fontsize=SMALL_SIZE, labelpad=2)
    axes.set_xlabel(across_name(grid), fontsize=SMALL_SIZE, labelpad=2)


def _header(grids: Sequence[Grid], layout: PanelLayout, width: float) -> list[Line]:
    shared = [name for name in layout.shared if name not in ("analysis", "model", "metric")]
    if "variant" not in shared:  # each panel names its own kind of rows
        shared = [name for name in shared if name not in NO_KIND]
    named = layout.one_task and grids[0].key.task in sheet_title(grids)
    prefix = "" if named else layout.prefix.rstrip("/")
    words = [*filter(None, [prefix]), *describe(grids[0].key, shared)]
    words += filter(None, [same_sizes(grids), scale_sentence(grids), *_chosen(grids)])
    name = shorten(sheet_title(grids), max(width, WIDEST_TITLE), TITLE_SIZE, bold=True)
    title = Line(name, TITLE_SIZE, bold=True)
    return [title, *(Line(text, TEXT_SIZE, FAINT) for text in wrap(words, width, TEXT_SIZE))]


def _chosen(grids: Sequence[Grid]) -> list[str]:
    """The meaning of the best cell of each panel and of its p."""
    if grids[0].found:
        return []
    tested = any(np.isfinite(grid.p).any() for grid in grids)
    corrected = ", p corrected for that choice" if tested else ""
    return [f"best: {highest_name(grids)}{corrected}"]
