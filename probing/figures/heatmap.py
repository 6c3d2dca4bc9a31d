"""A picture of a single grid."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from probing.figures.arrange import arrange, only_grid
from probing.figures.cells import Cell, crossed, draw_cells, number_axes
from probing.figures.findings import facts
from probing.figures.grid_table import grid_table
from probing.figures.grids import NO_KIND, Grid, Order
from probing.figures.legend import draw_entries, entries_height, grid_entries
from probing.figures.naming import across_name, describe, scale_sentence, variant_name
from probing.figures.page import POINTS, Line, Page, wrap
from probing.figures.picture import Picture
from probing.figures.scale import draw_bar, shades_of
from probing.figures.style import FAINT, TEXT_SIZE, TICK_SIZE, TITLE_SIZE, drawing
from probing.results.grid_key import GridKey
from probing.results.schema import CELL, completed, without_metric
from probing.validation.arguments import checked

_CELL_WIDTH, _CELL_HEIGHT, _PROFILE_WIDTH = 0.46, 0.36, 1.6
_WIDEST, _TALLEST = 6.6, 7.2
_LEFT, _BAR_GAP, _BAR_WIDTH, _BAR_LABELS, _LEAST_BAR = 0.55, 0.22, 0.16, 0.85, 1.3
_LEAST_WIDTH, _BELOW = 5.2, 0.46
_ABOVE = ("analysis", "task", "metric", *NO_KIND)


@checked(rows=CELL)
def draw_grid(
    rows: pd.DataFrame, path: str | Path | None = None, *, order: Order = "head", value: str = "test"
) -> Picture:
    """Draw one grid as a heatmap: layers upward from the input, heads across.

    Colours run from the majority (or the lowest score, if that is lower) to the best head. The best head
    (highest test score) is outlined and named above. A dot marks cells whose 95 % interval contains the
    majority, a triangle cells whose interval is below it. The findings of an analysis (`value="value"`) have
    colours from 0, and differences a scale symmetric about 0. There the head with the largest effect is
    outlined, and a dot marks differences whose interval contains 0.

    Args:
        rows: Rows of the result frame, of one (model, task, granularity, pooling, probe, seed), or a frame
            of heads, such as that of `head_importance`.
        path: Path of the files, without .png, .svg, .pdf or .csv, which are added. Files of that name are
            overwritten. None writes nothing.
        order: "head" numbers the heads; "score" sorts each layer from its best head to its worst.
        value: The column to draw: "test", "dev", a column that `load_results` adds, such as "selectivity",
            "above_chance", (test - majority) / (1 - majority), or "value", the finding of an analysis: an
            importance, a difference, a gate, an entropy.

    Returns:
        The figure, with `table`, the data behind it, and `files`, the PNG, SVG, PDF and CSV.

    Raises:
        ProbingError: If there are no rows, if they belong to several grids, if a head has two rows, or if a
            row covers several heads.

    Example:
        >>> import probing
        >>> frame = probing.load_results("outputs")  # doctest: +SKIP
        >>> tense = frame[frame["task"] == "grammar/tense"]  # doctest: +SKIP
        >>> probing.draw_grid(tense, "tense", order="score").files.png  # doctest: +SKIP
        PosixPath('tense.png')
    """
    rows = without_metric(only_grid(completed(rows, value, "draw_grid: rows")), value)
    grid = arrange(rows, order, value)
    with drawing():
        return grid_figure(grid).finish(grid_table(rows, value), path, f"{grid.key.task}, {grid.key.model}")


def grid_figure(grid: Grid) -> Picture:
    """The picture of a grid; call it within `style.drawing`."""
    rows, columns = grid.scores.shape
    widest_cell = _PROFILE_WIDTH if grid.whole_layers else _CELL_WIDTH
    cell_width, cell_height = min(widest_cell, _WIDEST / columns), min(_CELL_HEIGHT, _TALLEST / rows)
    width, height = columns * cell_width, rows * cell_height
    page_width = max(_LEFT + width + _BAR_GAP + _BAR_WIDTH + _BAR_LABELS, _LEAST_WIDTH)
    header = _header(grid, page_width)
    top = sum(line.height for line in header) + 0.12
    bar_height = max(height, _LEAST_BAR)
    bottom = top + max(height + _BELOW, bar_height + 0.2)
    (shades,), cell = shades_of([grid]), Cell(cell_width * POINTS, cell_height * POINTS)
    crosses = crossed(grid, shades, cell)
    legend_columns = 3 if page_width > 5.5 else 1
    entries = grid_entries([grid], [shades], cell, crosses=crosses)
    page = Page(page_width, bottom + entries_height(len(entries), columns=legend_columns))
    page.write(0.0, 0.0, header)
    axes = page.axes(_LEFT, top, width, height, "grid")
    draw_cells(axes, grid, shades, cell)
    number_axes(axes, grid, cell, TICK_SIZE)
    axes.set_ylabel("layer", fontsize=TEXT_SIZE)
    axes.set_xlabel(across_name(grid), fontsize=TEXT_SIZE)
    bar = page.axes(_LEFT + width + _BAR_GAP, top, _BAR_WIDTH, bar_height, "bar")
    draw_bar(bar, shades, [grid])
    draw_entries(page, _LEFT, bottom, entries, columns=legend_columns)
    return page.figure


def _analysis(grid: Grid) -> list[str]:
    """The name and variant of the analysis; empty for a probe."""
    if not grid.found:
        return []
    return [": ".join(filter(None, [grid.key.analysis, variant_name(grid.key)]))]


def _header(grid: Grid, width: float) -> list[Line]:
    what = [*_analysis(grid), *describe(grid.key, [name for name in GridKey._fields if name not in _ABOVE])]
    what += filter(None, [grid.sizes, scale_sentence([grid])])
    found = facts(grid)
    return [
        Line(grid.key.task, TITLE_SIZE, bold=True),
        *(Line(text, TEXT_SIZE, FAINT) for text in wrap(what, width, TEXT_SIZE)),
        *(Line(text, TEXT_SIZE) for text in wrap(found, width, TEXT_SIZE)),
    ]
