"""The legend of the marks on the cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.colors import to_hex
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D

from probing.figures.findings import mark_name, ranked_name
from probing.figures.grids import Grid
from probing.figures.naming import falling_name, guessing_name
from probing.figures.page import POINTS, Page
from probing.figures.style import INK, NO_SCORE, PAPER, TICK_SIZE, score_colours, signed_colours


def draw_legend(
    page: Page, left: float, top: float, grids: Sequence[Grid], *, columns: int, crosses: bool
) -> None:
    """Explain the marks in the grids, below `top`; `crosses` is the answer of `cells.crossed`."""
    draw_entries(page, left, top, _entries(grids, crosses=crosses), columns=columns)


def draw_entries(
    page: Page, left: float, top: float, entries: Mapping[str, Any], *, columns: int, length: float = 1.2
) -> None:
    """Explain marks below `top`: a name for each, and a sample that is `length` letters long."""
    if not entries:
        return
    width, height = page.figure.get_size_inches()
    page.figure.legend(
        list(entries.values()), list(entries), loc="upper left", ncols=columns, fontsize=TICK_SIZE,
        bbox_to_anchor=(left / width, 1 - top / height), borderaxespad=0, borderpad=0, frameon=False,
        handlelength=length, handletextpad=0.5, columnspacing=1.8, labelspacing=0.45,
        handler_map={tuple: HandlerTuple(ndivide=1)},
    )  # fmt: skip


def legend_height(grids: Sequence[Grid], *, columns: int, crosses: bool) -> float:
    """Height of `draw_legend` on the page, in inches."""
    return entries_height(len(_entries(grids, crosses=crosses)), columns=columns)


def entries_height(entries: int, *, columns: int) -> float:
    """Height of a number of entries on the page, in inches."""
    return -(-entries // columns) * 1.5 * TICK_SIZE / POINTS


def _entries(grids: Sequence[Grid], *, crosses: bool) -> dict[str, Any]:
    entries: dict[str, Any] = {}
    if any(grid.best is not None for grid in grids):
        kinds = sorted({"layer" if grid.whole_layers else "head" for grid in grids})
        entries[mark_name(grids, kinds) + ranked_name(grids)] = square_sample(PAPER, edge=INK)
    if any(grid.guessing.any() for grid in grids):
        ink, fill = (INK, signed_colours()(0.5)) if grids[0].found else (PAPER, score_colours()(0.0))
        dot = Line2D([], [], linestyle="", marker="o", markersize=2.6, color=ink, markeredgewidth=0)
        entries[guessing_name(grids)] = (square_sample(to_hex(fill)), dot)
    if any(grid.falling.any() for grid in grids):
        low = Line2D([], [], linestyle="", marker="v", markersize=3.6, color=PAPER, markeredgewidth=0)
        entries[falling_name(grids)] = (square_sample(to_hex(score_colours()(0.0))), low)
    if crosses:
        cross = Line2D([], [], linestyle="", marker="+", markersize=4.2, color=INK, markeredgewidth=0.8)
        entries["above 0, including its 95 % interval"] = cross
    if any(grid.unscored.any() for grid in grids):
        entries["no score"] = square_sample(NO_SCORE)
    return entries


def square_sample(fill: str, edge: str | None = None) -> Line2D:
    """The sample of a coloured cell in the legend."""
    return Line2D(
        [], [], linestyle="", marker="s", markersize=7.0 if edge else 8.0, markerfacecolor=fill,
        markeredgecolor=edge or "none", markeredgewidth=1.3 if edge else 0.0,
    )  # fmt: skip
