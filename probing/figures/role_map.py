"""The roles of heads as a map: a stripe and a letter for each role of a head."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from probing.figures.arrange import arrange, only_grid
from probing.figures.cells import Cell, ink_on, number_axes
from probing.figures.grids import NO_KIND, Grid
from probing.figures.legend import draw_entries, entries_height, square_sample
from probing.figures.naming import describe
from probing.figures.page import POINTS, Line, Page, wrap
from probing.figures.picture import Picture
from probing.figures.style import FAINT, LINES, NO_SCORE, TEXT_SIZE, TICK_SIZE, TITLE_SIZE, drawing
from probing.results.behaviours import LETTERS
from probing.results.grid_key import GridKey
from probing.results.text.role_text import letters_of, one_row_a_head, roles_summary

_CELL_WIDTH, _CELL_HEIGHT, _WIDEST, _TALLEST = 0.46, 0.36, 6.6, 7.2
_LEFT, _BELOW, _LEAST_WIDTH, _COLUMNS = 0.55, 0.46, 5.2, 4
_EXTRA = ("#f0e442", "#7a5195")
_COLOURS = dict(zip(LETTERS, (*(colour for colour, _, _ in LINES), *_EXTRA), strict=True))
_GAP = 0.04
_ABOVE = ("analysis", "task", "metric", *NO_KIND)


def draw_role_map(rows: pd.DataFrame, path: str | Path | None = None) -> Picture:
    """Draw which roles every head has: layers upward from the input, heads across.

    A cell has a stripe for each role of its head, and their letters where they fit. Heads without a role are
    grey.

    Args:
        rows: Rows of one run of the analysis `roles`.
        path: Path of the files, without .png, .svg, .pdf or .csv, which are added. Files of that name are
            overwritten. None writes nothing.

    Returns:
        The figure, with `table`, the roles of each head, and `files`, the PNG, SVG, PDF and CSV.

    Raises:
        ProbingError: If the rows are of several runs.
    """
    heads = one_row_a_head(only_grid(_first_score(rows)))
    grid = arrange(heads, "head", "value")
    with drawing():
        names = ["task", "model", "layer", "head", "roles"]
        return _figure(grid, heads).finish(heads[names], path, f"roles, {grid.key.model}")


def _first_score(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of one score; those of others name the same roles."""
    return rows[rows["variant"].eq(rows["variant"].iloc[0]).fillna(value=False)]


def _figure(grid: Grid, heads: pd.DataFrame) -> Picture:
    rows, columns = grid.heads.shape
    cell_width, cell_height = min(_CELL_WIDTH, _WIDEST / columns), min(_CELL_HEIGHT, _TALLEST / rows)
    width, height = columns * cell_width, rows * cell_height
    page_width = max(_LEFT + width, _LEAST_WIDTH)
    header = _header(grid, heads, page_width)
    top = sum(line.height for line in header) + 0.12
    there = {role for roles in heads["roles"] for role in roles.split()}
    entries = {
        f"{letter} {role.replace('_', ' ')}": square_sample(_COLOURS[role])
        for role, letter in LETTERS.items()
        if role in there
    }
    entries["no role"] = square_sample(NO_SCORE)
    bottom = top + height + _BELOW
    page = Page(page_width, bottom + entries_height(len(entries), columns=_COLUMNS))
    page.write(0.0, 0.0, header)
    axes = page.axes(_LEFT, top, width, height, "grid")
    cell = Cell(cell_width * POINTS, cell_height * POINTS)
    roles = {(row["layer"], row["head"]): str(row["roles"]) for _, row in heads.iterrows()}
    for (row, column), head in np.ndenumerate(grid.heads):
        if grid.present[row, column]:
            _draw(axes, (row, column), roles[grid.layers[row], int(head)], cell)
    axes.set(xlim=(0, columns), ylim=(0, rows))
    for side in axes.spines.values():
        side.set_visible(False)
    axes.tick_params(length=0, pad=2.5)
    number_axes(axes, grid, cell, TICK_SIZE)
    axes.set_ylabel("layer", fontsize=TEXT_SIZE)
    axes.set_xlabel("head", fontsize=TEXT_SIZE)
    draw_entries(page, _LEFT, bottom, entries, columns=_COLUMNS)
    return page.figure


def _draw(axes: Axes, place: tuple[int, int], roles: str, cell: Cell) -> None:
    """Draw the stripes and letters of one head."""
    row, column = place
    own = roles.split()
    colours = [_COLOURS[role] for role in own] or [NO_SCORE]
    width = (1 - 2 * _GAP) / len(colours)
    size = cell.text_size(max(2, len(own) + 1))
    for number, colour in enumerate(colours):
        left = column + _GAP + number * width
        box = Rectangle((left, row + _GAP), width, 1 - 2 * _GAP, facecolor=colour, linewidth=0)
        axes.add_patch(box)
        if own and size is not None:
            axes.text(
                left + width / 2, row + 0.5, letters_of(own[number]),
                color=ink_on(to_rgb(colour)), fontsize=size, ha="center", va="center_baseline",
            )  # fmt: skip


def _header(grid: Grid, heads: pd.DataFrame, width: float) -> list[Line]:
    what = ["roles", *describe(grid.key, [name for name in GridKey._fields if name not in _ABOVE])]
    what += filter(None, [grid.sizes])
    found = [part.strip() for part in roles_summary(heads).split(", ")]
    return [
        Line(grid.key.task, TITLE_SIZE, bold=True),
        *(Line(text, TEXT_SIZE, FAINT) for text in wrap(what, width, TEXT_SIZE)),
        *(Line(text.replace("_", " "), TEXT_SIZE) for text in wrap(found, width, TEXT_SIZE)),
    ]
