"""A page of small panels of one size: each has its axes and a heading, and all share one legend."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from probing.figures.legend import draw_entries, entries_height
from probing.figures.naming import describe, differing_words, usual_metric
from probing.figures.page import WIDEST_TITLE, Line, Page, shorten, text_width, wrap
from probing.figures.panel_order import common_prefix
from probing.figures.picture import Picture
from probing.figures.style import FAINT, INK, SMALL_SIZE, TEXT_SIZE, TICK_SIZE, TITLE_SIZE
from probing.results.grid_key import GridKey
from probing.results.sizes import sizes_text
from probing.results.units import metric_name

_LEFT, _GAP, _STACK_GAP, _HEADER_GAP, _HEADING_GAP = 0.62, 0.74, 0.1, 0.1, 0.06
_BETWEEN, _BELOW = 0.52, 0.52
_MOST_COLUMNS = 4
_SAMPLE = 2.6
_BAR_GAP, _BAR_WIDTH, _BAR_LABELS, _LONGEST_BAR = 0.3, 0.16, 0.75, 3.2


@dataclass(frozen=True)
class Facet:
    """A panel before it is placed.

    Attributes:
        name: The line above it.
        facts: Shorter lines below the name.
        draw: Function that draws into the axes; there is one for each of `Facets.heights`.
        y_labels: Names of the vertical axes.
        x_label: Name of the horizontal axis; by default that of the page.
    """

    name: str
    facts: tuple[str, ...]
    draw: Callable[[Sequence[Axes]], None]
    y_labels: Sequence[str]
    x_label: str = ""


@dataclass(frozen=True)
class Facets:
    """A page of panels before it is placed.

    Attributes:
        header: Lines above all panels.
        panels: Panels in reading order.
        entries: Entries of the legend: a sample of each mark by its name.
        x_label: Name of the horizontal axis of every panel.
        heights: Heights of the axes of a panel from its top, in inches before panels are enlarged.
        bar: Function that draws a colour bar for all panels; None if there is none.
        width: Width of a panel, in inches before panels are enlarged.
    """

    header: Sequence[Line]
    panels: Sequence[Facet]
    entries: Mapping[str, Any]
    x_label: str
    heights: Sequence[float] = (1.3,)
    bar: Callable[[Axes], None] | None = None
    width: float = 1.75


def header_lines(
    keys: Sequence[GridKey], what: str, rows: pd.DataFrame | None = None, *, differing: bool = True
) -> list[Line]:
    """The header of a page of several grids: its subject, and what the grids have in common.

    Args:
        keys: Keys of the grids.
        what: Subject of the page.
        rows: Rows with the columns that count examples; None leaves the counts out.
        differing: Whether the title says in which settings the grids differ.
    """
    models = list(dict.fromkeys(key.model for key in keys))
    title = f"{models[0] if len(models) == 1 else f'{len(models)} models'}: {what}"
    title = ", ".join([title, *(differing_words(keys) if differing else ())])
    fields = [name for name in GridKey._fields if name not in ("analysis", "model", "metric", "task")]
    shared = [name for name in fields if len({getattr(key, name) for key in keys}) == 1]
    tasks = list(dict.fromkeys(key.task for key in keys))
    prefix = tasks[0] if len(tasks) == 1 else common_prefix(tasks).rstrip("/")
    sizes = "" if rows is None else sizes_text(rows)
    words = [*filter(None, [prefix]), *describe(keys[0], shared), *filter(None, [sizes])]
    return [Line(title, TITLE_SIZE, bold=True), *(Line(word, TEXT_SIZE, FAINT) for word in words)]


def panel_name(
    key: GridKey, keys: Sequence[GridKey], rows: pd.DataFrame, of: pd.DataFrame
) -> tuple[str, list[str]]:
    """The name that distinguishes a panel on its page, and the words below the name.

    Args:
        key: Key of the panel.
        keys: Keys of all panels.
        rows: Rows of the panel; the number of examples is shown if panels differ in it.
        of: Rows of all panels.
    """
    varying = [name for name in GridKey._fields if len({getattr(other, name) for other in keys}) > 1]
    words = describe(key, [name for name in varying if name not in ("task", "metric", "analysis")])
    if key.metric != usual_metric(keys):
        words.append(metric_name(key.metric))
    sizes = sizes_text(rows)
    words += [sizes] if sizes != sizes_text(of) else []
    if "task" in varying:
        return key.task.removeprefix(common_prefix([other.task for other in keys])), words
    return " · ".join(words), []


def facets_figure(facets: Facets) -> Picture:
    """The picture of a page of panels; call it within `style.drawing`."""
    columns = facet_columns(len(facets.panels))
    scale = {1: 2.4, 2: 1.6, 3: 1.2}.get(columns, 1.0)
    width, heights = scale * facets.width, [scale * height for height in facets.heights]
    row_width = _LEFT + columns * (width + _GAP) - _GAP
    bar_width = _BAR_GAP + _BAR_WIDTH + _BAR_LABELS if facets.bar else 0.0
    header = _wrapped(facets.header, row_width + bar_width)
    headings = [_heading(panel, width) for panel in facets.panels]
    tall = sum(heights) + _STACK_GAP * (len(heights) - 1)
    tops, foot = _tops(headings, columns, sum(line.height for line in header) + _HEADER_GAP, tall)
    names = _entry_columns(facets.entries, row_width + bar_width)
    page = Page(row_width + bar_width, foot + entries_height(len(facets.entries), columns=names))
    page.write(0.0, 0.0, header)
    for number, (panel, lines) in enumerate(zip(facets.panels, headings, strict=True)):
        row, column = divmod(number, columns)
        left = _LEFT + column * (width + _GAP)
        page.write(left, tops[row] - _HEADING_GAP - sum(line.height for line in lines), lines)
        stack = _stack(page, (left, tops[row], width), heights, number)
        panel.draw(stack)
        for axes, label, height in zip(stack, panel.y_labels, heights, strict=True):
            axes.set_ylabel(shorten(label, height + 0.4, TICK_SIZE), fontsize=TICK_SIZE)
        x_label = shorten(panel.x_label or facets.x_label, width + 0.4, TICK_SIZE)
        stack[-1].set_xlabel(x_label, fontsize=TICK_SIZE, labelpad=2)
        for written in (stack[-1].xaxis.label, *(axes.yaxis.label for axes in stack)):
            written.set_parse_math(False)
    if facets.bar:
        facets.bar(page.axes(row_width + _BAR_GAP, tops[0], _BAR_WIDTH, min(_LONGEST_BAR, tall), "bar"))
    draw_entries(page, _LEFT, foot, facets.entries, columns=names, length=_SAMPLE)
    return page.figure


def facet_columns(panels: int) -> int:
    """Number of panels in a row: at most four, with rows as equal as possible."""
    return math.ceil(panels / math.ceil(panels / _MOST_COLUMNS))


def _tops(
    headings: Sequence[Sequence[Line]], columns: int, top: float, tall: float
) -> tuple[list[float], float]:
    """The top of each row of panels, and the bottom of the last row with its label."""
    tops = []
    for start in range(0, len(headings), columns):
        of_row = headings[start : start + columns]
        tops.append(top + max(sum(line.height for line in lines) for lines in of_row) + _HEADING_GAP)
        top = tops[-1] + tall + _BETWEEN
    return tops, top - _BETWEEN + _BELOW


def _wrapped(lines: Sequence[Line], width: float) -> list[Line]:
    first, *rest = lines
    title = shorten(first.text, max(width, WIDEST_TITLE), first.size, bold=True)
    texts = wrap([line.text for line in rest], width, TEXT_SIZE)
    return [Line(title, first.size, bold=True), *(Line(text, TEXT_SIZE, FAINT) for text in texts)]


def _heading(panel: Facet, width: float) -> list[Line]:
    name = shorten(panel.name, width, TEXT_SIZE, bold=True)
    facts = (shorten(text, width, SMALL_SIZE) for text in wrap(panel.facts, width, SMALL_SIZE))
    lines = [Line(name, TEXT_SIZE, bold=True)] if name else []
    return [*lines, *(Line(text, SMALL_SIZE) for text in facts)]


def _stack(page: Page, box: tuple[float, float, float], heights: Sequence[float], number: int) -> list[Axes]:
    left, top, width = box
    stack = []
    for part, height in enumerate(heights):
        axes = page.axes(left, top, width, height, f"panel-{number}-{part}")
        axes.tick_params(length=2.5, width=0.6, labelsize=SMALL_SIZE, pad=2)
        for name, side in axes.spines.items():
            side.set(visible=name in ("left", "bottom"), linewidth=0.6, color=INK)
        if part < len(heights) - 1:
            axes.tick_params(labelbottom=False)
        stack.append(axes)
        top += height + _STACK_GAP
    return stack


def _entry_columns(entries: Mapping[str, Any], width: float) -> int:
    """Number of legend entries that fit next to each other."""
    widest = max((text_width(name, TICK_SIZE) for name in entries), default=0.0)
    sample = (_SAMPLE + 0.5 + 1.8) * TICK_SIZE / 72
    return max(1, min(len(entries), int((width - _LEFT) / (widest + sample))))
