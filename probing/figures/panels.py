"""The panels of a contact sheet: their headings, and their places in inches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from probing.figures.findings import facts, finding
from probing.figures.grids import Grid
from probing.figures.naming import describe
from probing.figures.page import Line, shorten, text_width, wrap
from probing.figures.panel_order import Band, PanelLayout
from probing.figures.style import SMALL_SIZE, TEXT_SIZE

PANEL_WIDTH, LEFT, BELOW = 1.7, 0.42, 0.5
_GAP, _HEADING_GAP, _NAME_GAP = 0.46, 0.05, 0.1
_SHORTEST, _TALLEST = 0.85, 2.4


@dataclass(frozen=True)
class Panel:
    """A grid with its place on the sheet, in inches.

    Attributes:
        grid: The grid to draw.
        heading: Lines above the panel.
        left: Left edge.
        top: Upper edge, below the heading.
        height: Height without the heading.
    """

    grid: Grid
    heading: tuple[Line, ...]
    left: float
    top: float
    height: float

    @property
    def heading_top(self) -> float:
        """The upper edge of the heading."""
        return self.top - heading_height(self.heading)


@dataclass(frozen=True)
class Name:
    """The name of a model above its band."""

    line: Line
    top: float


def sheet_width(layout: PanelLayout) -> float:
    """Width of a row of panels, including the numbers on the left."""
    return LEFT + layout.columns * (PANEL_WIDTH + _GAP) - _GAP


def place(layout: PanelLayout, top: float) -> tuple[list[Panel], list[Name], float]:
    """Place all bands below `top`.

    Returns:
        The panels, the names of the models if there are several, and the end of the last band.
    """
    panels: list[Panel] = []
    names: list[Name] = []
    for band in layout.bands:
        if len(layout.bands) > 1:
            names.append(Name(Line(band.model, TEXT_SIZE + 1, bold=True), top))
            top += names[-1].line.height + _NAME_GAP
        placed, top = _place_band(band, layout, top)
        panels += placed
    return panels, names, top


def heading_height(lines: tuple[Line, ...]) -> float:
    """Height of the lines above a panel, with a gap."""
    return sum(line.height for line in lines) + _HEADING_GAP


def _place_band(band: Band, layout: PanelLayout, top: float) -> tuple[list[Panel], float]:
    layers, heads = band.shape
    height = float(np.clip(layers * PANEL_WIDTH / heads, _SHORTEST, _TALLEST))
    panels = []
    for current in band.rows:
        found = [
            (column, grid, _heading(grid, layout)) for row, column, grid in band.panels if row == current
        ]
        top += max(heading_height(heading) for _, _, heading in found)
        for column, grid, heading in found:
            left = LEFT + column * (PANEL_WIDTH + _GAP)
            panels.append(Panel(grid, heading, left, top, height))
        top += height + BELOW
    return panels, top


def _heading(grid: Grid, layout: PanelLayout) -> tuple[Line, ...]:
    sizes = "" if layout.same_sizes else grid.sizes
    name, words = _name(grid, layout)
    told = [*facts(grid, with_interval=False), *words, *filter(None, [sizes])]
    texts = (shorten(text, PANEL_WIDTH, SMALL_SIZE) for text in wrap(told, PANEL_WIDTH, SMALL_SIZE))
    title = shorten(name, PANEL_WIDTH, TEXT_SIZE, bold=True)
    return Line(title, TEXT_SIZE, bold=True), *(Line(text, SMALL_SIZE) for text in texts)


def _name(grid: Grid, layout: PanelLayout) -> tuple[str, list[str]]:
    """The title of a panel and the other words that distinguish it; a shared task is in the header."""
    # the unit of a finding says what its metric is
    plain = grid.found and not finding(grid).difference
    words = describe(grid.key, [name for name in layout.varying if not (plain and name == "metric")])
    if layout.one_task and words:
        fitting = [n for n in range(1, len(words) + 1) if _fits(" \N{MIDDLE DOT} ".join(words[:n]))]
        count = 1 if grid.found else max(fitting, default=1)
        return " \N{MIDDLE DOT} ".join(words[:count]), words[count:]
    return grid.key.task.removeprefix(layout.prefix), words


def _fits(title: str) -> bool:
    return text_width(title, TEXT_SIZE, bold=True) <= PANEL_WIDTH
