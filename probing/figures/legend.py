"""The legend of the marks on the cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.colors import to_hex
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from probing.figures.cells import Cell, ink_on
from probing.figures.findings import mark_name, ranked_name
from probing.figures.grids import Grid
from probing.figures.marks import falling_name, guessing_name, rising_name
from probing.figures.page import POINTS, Page
from probing.figures.scale import Shades
from probing.figures.style import INK, NO_SCORE, TICK_SIZE


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


def entries_height(entries: int, *, columns: int) -> float:
    """Height of a number of entries on the page, in inches."""
    return -(-entries // columns) * 1.5 * TICK_SIZE / POINTS


def grid_entries(
    grids: Sequence[Grid], shades: Sequence[Shades], cell: Cell, *, crosses: bool
) -> dict[str, Any]:
    """Return a legend entry for each kind of mark on the grids, with the colour of a cell that has it.

    Args:
        grids: Grids that are drawn.
        shades: Colours of each grid.
        cell: Size of their cells, on which the size of the marks depends.
        crosses: Whether signs are shown by crosses, the answer of `cells.crossed`.
    """
    drawn = list(zip(grids, shades, strict=True))
    entries: dict[str, Any] = {}
    best = [own.colour(grid.scores[grid.best]) for grid, own in drawn if grid.best is not None]
    if best:
        kinds = sorted({"layer" if grid.whole_layers else "head" for grid in grids})
        sample = square_sample(_hex(best[0]), edge=INK, width=cell.outline)
        entries[mark_name(grids, kinds) + ranked_name(grids)] = sample
    flags: dict[str, tuple[str, Callable[[Grid], NDArray[np.bool_]]]] = {
        guessing_name(grids): ("o", lambda grid: grid.guessing),
        falling_name(grids): ("v", lambda grid: grid.falling),
    }
    if crosses:
        flags[rising_name(grids)] = ("+", lambda grid: grid.rising)
    for name, (marker, flagged) in flags.items():
        colours = [own.colour(number) for grid, own in drawn for number in grid.scores[flagged(grid)]]
        if colours:
            mark = Line2D(
                [], [], linestyle="", marker=marker, markersize=cell.mark_size(marker),
                color=ink_on(colours[0]), markeredgewidth=0.8 if marker == "+" else 0,
            )  # fmt: skip
            entries[name] = (square_sample(_hex(colours[0])), mark)
    if any(grid.unscored.any() for grid in grids):
        entries["no score"] = square_sample(NO_SCORE)
    return entries


def square_sample(fill: str, edge: str | None = None, width: float = 1.3) -> Line2D:
    """The sample of a coloured cell in the legend, with an outline of some width in points."""
    return Line2D(
        [], [], linestyle="", marker="s", markersize=8.0, markerfacecolor=fill,
        markeredgecolor=edge or "none", markeredgewidth=width if edge else 0.0,
    )  # fmt: skip


def _hex(colour: tuple[float, ...]) -> str:
    red, green, blue, *_ = colour
    return to_hex((red, green, blue))
