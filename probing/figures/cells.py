"""The cells of one grid and the marks on them, drawn into given axes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.patches import Rectangle

from probing.figures.grids import Grid
from probing.figures.naming import layer_name, minus
from probing.figures.scale import Shades
from probing.figures.style import INK, NO_SCORE, PAPER
from probing.results.units import NumberFormat

_LARGEST, _SMALLEST = 8.0, 6.0
_DIGIT = 0.6


@dataclass(frozen=True)
class Cell:
    """The size of a cell on paper.

    Attributes:
        width: Width in points.
        height: Height in points.
    """

    width: float
    height: float

    @property
    def side(self) -> float:
        """The shorter side, in points."""
        return min(self.width, self.height)

    @property
    def outline(self) -> float:
        """Width of the black line around the best cell, in points."""
        return float(np.clip(0.09 * self.side, 1.0, 2.0))

    def mark_size(self, marker: str) -> float:
        """Diameter of a mark in the cell, in points: a dot "o", a triangle "v" or a cross "+"."""
        if marker == "+":
            return float(np.clip(0.4 * self.side, 2.0, 4.2))
        return float(np.clip(0.25 * self.side, 1.0, 2.8)) * (1.3 if marker == "v" else 1.0)

    def text_size(self, longest: int) -> float | None:
        """Font size at which `longest` characters fit into the cell; None if it is too small to read."""
        size = min(_LARGEST, 0.68 * self.height, 0.9 * self.width / (longest * _DIGIT))
        return size if size >= _SMALLEST else None


def draw_cells(axes: Axes, grid: Grid, shades: Shades, cell: Cell) -> QuadMesh:
    """Draw the heatmap, its marks and, if they fit, its values. The caller labels the axes.

    Returns:
        The mesh of coloured cells.
    """
    gap = float(np.clip(0.05 * cell.side, 0.2, 1.0))
    mesh = axes.pcolormesh(
        np.ma.masked_invalid(grid.scores),
        cmap=shades.colours,
        norm=shades.norm,
        edgecolors=PAPER,
        linewidth=gap,
    )
    if grid.unscored.any():
        unscored = np.ma.masked_where(~grid.unscored, np.zeros(grid.scores.shape))
        axes.pcolormesh(unscored, cmap=ListedColormap([NO_SCORE]), edgecolors=PAPER, linewidth=gap)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.tick_params(length=0, pad=2.5)
    printed = _print_values(axes, grid, shades, cell)
    for flags, marker, label in ((grid.guessing, "o", "guessing"), (grid.falling, "v", "falling")):
        where = [place for place in _scored(grid) if flags[place]]
        _mark(axes, where, _inks(grid, shades, where), cell, marker, label, corner=printed)
    if crossed(grid, shades, cell):
        _cross_rises(axes, grid, shades, cell)
    _outline_best(axes, grid, cell)
    return mesh


def number_axes(axes: Axes, grid: Grid, cell: Cell, size: float) -> None:
    """Number layers upward and heads across, without the numbers that would overlap."""
    rows = range(0, len(grid.layers), label_step(1.3 * size / cell.height))
    axes.set_yticks(
        [row + 0.5 for row in rows], [layer_name(grid.layers[row]) for row in rows], fontsize=size
    )
    columns = range(0, grid.heads.shape[1], label_step(1.6 * size / cell.width))
    if grid.whole_layers or grid.order == "score":
        columns = range(0)
    axes.set_xticks([column + 0.5 for column in columns], [str(c) for c in columns], fontsize=size)


def label_step(cells_per_label: float) -> int:
    """Number of cells from one label to the next, for labels that are `cells_per_label` cells wide."""
    return next((step for step in (1, 2, 4, 8, 16) if step >= cells_per_label), 32)


def ink_on(colour: tuple[float, ...]) -> str:
    """Black or white, whichever has more contrast with the colour."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return PAPER if luminance < 0.179 else INK


def _scored(grid: Grid) -> Iterator[tuple[int, int]]:
    yield from map(tuple, np.argwhere(np.isfinite(grid.scores)).tolist())


def _inks(grid: Grid, shades: Shades, where: list[tuple[int, int]]) -> list[str]:
    return [ink_on(shades.colour(grid.scores[place])) for place in where]


def crossed(grid: Grid, shades: Shades, cell: Cell) -> bool:
    """Return whether crosses show the signs of numbers that do not fit into the cells."""
    return bool(grid.rising.any()) and cell.text_size(_longest(_texts(grid, shades.unit))) is None


def _texts(grid: Grid, unit: NumberFormat) -> list[str]:
    """The number of each cell that has one, with its interval where a row is a single cell."""
    places = list(_scored(grid))
    texts = [minus(unit.cell(grid.scores[place])) for place in places]
    if not grid.whole_layers:
        return texts
    bounds = [_bounds(grid.low[place], grid.high[place], unit) for place in places]
    return [text + bound for text, bound in zip(texts, bounds, strict=True)]


def _longest(texts: list[str]) -> int:
    return max(map(len, texts), default=1)


def _print_values(axes: Axes, grid: Grid, shades: Shades, cell: Cell) -> bool:
    places, texts = list(_scored(grid)), _texts(grid, shades.unit)
    size = cell.text_size(_longest(texts))
    if size is None:
        return False
    for (row, column), text, ink in zip(places, texts, _inks(grid, shades, places), strict=True):
        axes.text(
            column + 0.5, row + 0.5, text,
            color=ink, fontsize=size, ha="center", va="center_baseline",
        )  # fmt: skip
    return True


def _bounds(low: float, high: float, unit: NumberFormat) -> str:
    return minus(f" [{unit.cell(low)}, {unit.cell(high)}]") if np.isfinite(low) and np.isfinite(high) else ""


def _mark(
    axes: Axes,
    places: list[tuple[int, int]],
    inks: list[str],
    cell: Cell,
    marker: str,
    label: str,
    *,
    corner: bool,
) -> None:
    """Draw a small mark in some cells: in the middle, or in a corner if the cell has a number."""
    if not places:
        return
    diameter = cell.mark_size(marker)
    inset = 0.5 * diameter + 1.2 * cell.outline + 1.0  # clear of the outline of the best cell
    across, up = (inset / cell.width, 1 - inset / cell.height) if corner else (0.5, 0.5)
    axes.scatter(
        [column + across for _, column in places],
        [row + up for row, _ in places],
        s=diameter**2,
        c=[to_rgb(ink) for ink in inks],
        marker=marker,
        linewidths=0,
        zorder=5,
        label=label,
    )


def _cross_rises(axes: Axes, grid: Grid, shades: Shades, cell: Cell) -> None:
    places = [place for place in _scored(grid) if grid.rising[place]]
    axes.scatter(
        [column + 0.5 for _, column in places],
        [row + 0.5 for row, _ in places],
        s=cell.mark_size("+") ** 2,
        c=[to_rgb(ink) for ink in _inks(grid, shades, places)],
        marker="+",
        linewidths=0.8,
        zorder=5,
        label="rising",
    )


def _outline_best(axes: Axes, grid: Grid, cell: Cell) -> None:
    if grid.best is None:
        return
    row, column = grid.best
    width = cell.outline
    # black within white is visible on dark and on bright cells
    for ink, line, label in ((PAPER, 2.4 * width, "best-halo"), (INK, width, "best")):
        outline = Rectangle((column, row), 1, 1, fill=False, edgecolor=ink, linewidth=line, label=label)
        outline.set(joinstyle="miter", clip_on=False, zorder=4)
        axes.add_patch(outline)
