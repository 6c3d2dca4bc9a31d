"""Heads by how they attend: a map on which similar heads are near each other, and the matrix of distances."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from numpy.typing import NDArray

from probing.comparisons.clusters import tree_of
from probing.errors import ProbingError
from probing.figures.cells import label_step
from probing.figures.correlations import draw_tree, in_order
from probing.figures.facets import header_lines
from probing.figures.legend import draw_entries, entries_height
from probing.figures.line_plot import style_of
from probing.figures.page import POINTS, Line, Page, text_width, wrap
from probing.figures.picture import Picture
from probing.figures.scale import draw_score_bar, plain_labels
from probing.figures.style import (
    FAINT,
    INK,
    NO_SCORE,
    PAPER,
    SMALL_SIZE,
    TEXT_SIZE,
    TICK_SIZE,
    drawing,
    score_colours,
)
from probing.results.behaviours import TAGS
from probing.results.finding import main_rows
from probing.results.grid_key import key_of
from probing.results.head_pairs import matrix_of_pairs
from probing.results.schema import CELL
from probing.results.select import of_variant

_LEFT, _SIDE, _BELOW = 0.5, 3.7, 0.5
_GAP, _TREE, _BAR_GAP, _BAR, _BAR_LABELS = 0.7, 0.6, 0.2, 0.16, 0.6
_WIDTH = _LEFT + 2 * _SIDE + _GAP + _TREE + _BAR_GAP + _BAR + _BAR_LABELS
_NO_TAG = "no tag"
_COLUMNS = 7
_MEASURES = ("mean", "nearest", "x", "y", "cluster")


def draw_head_map(rows: pd.DataFrame, path: str | Path | None = None) -> Picture:
    """Draw the map of one run of `head_distance`, its tags as colours, next to its matrix ordered by a tree.

    Args:
        rows: All rows of one run of `analysis=head_distance`.
        path: Path of the files, without .png, .svg, .pdf or .csv, which are added. None writes nothing.

    Returns:
        The figure, with `files` and `table`, a row for each head in the order of the tree: its tag, mean
        distance, distance to the nearest head, place on the map, cluster, and its distance to every head.

    Raises:
        ProbingError: If the rows are not those of one run of `head_distance`.
    """
    stress = of_variant(rows, "stress")
    if len(stress) != 1:
        raise ProbingError("draw_head_map: draws one run of analysis=head_distance; select its rows")
    matrix = matrix_of_pairs(rows)
    tree = tree_of(matrix.to_numpy())
    ordered = in_order(matrix, tree)
    table = _head_table(rows, ordered)
    with drawing():
        lines = _header(main_rows(rows), float(stress["value"].iloc[0]))
        figure = _figure(lines, table, ordered, tree)
        return figure.finish(table, path, "distances between heads")


def _head_table(rows: pd.DataFrame, ordered: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each head, in the order of the matrix."""
    cells = list(CELL)
    columns = {
        name: of_variant(rows, name).set_index(cells)["value"].astype(float).reindex(ordered.index)
        for name in _MEASURES
    }
    tags = main_rows(rows).set_index(cells)["roles"].reindex(ordered.index)
    apart = ordered.set_axis(
        [f"to {'.'.join(map(str, place))}" for place in ordered.columns.to_list()], axis=1
    )
    table = pd.concat([tags.rename("tag"), pd.DataFrame(columns), apart], axis=1)
    return table.astype({"cluster": int}).reset_index()


def _header(main: pd.DataFrame, stress: float) -> list[Line]:
    title, *words = header_lines([key_of(main)], "distances between heads by their attention", main)
    about = ["Jensen-Shannon divergence per query", f"stress of the map {stress:.2f}"]
    texts = wrap([*about, *(line.text for line in words)], _WIDTH, TEXT_SIZE)
    return [title, *(Line(text, TEXT_SIZE, FAINT) for text in texts)]


def _figure(
    lines: Sequence[Line], table: pd.DataFrame, ordered: pd.DataFrame, tree: NDArray[np.float64]
) -> Picture:
    top = sum(line.height for line in lines) + 0.16
    foot = top + _SIDE + _BELOW
    width = max(_WIDTH, text_width(lines[0].text, lines[0].size, bold=True))
    page = Page(width, foot + entries_height(len(TAGS) + 1, columns=_COLUMNS))
    page.write(0.0, 0.0, lines)
    entries = _draw_points(page.axes(_LEFT, top, _SIDE, _SIDE, "map"), table)
    draw_entries(page, _LEFT, foot, entries, columns=_COLUMNS)
    left = _LEFT + _SIDE + _GAP
    norm = Normalize(0.0, max(float(ordered.to_numpy().max()), 1e-6))
    _draw_matrix(page.axes(left, top, _SIDE, _SIDE, "matrix"), ordered, norm)
    left += _SIDE
    draw_tree(page.axes(left + 0.06, top, _TREE, _SIDE, "tree"), tree, len(ordered), "nats")
    left += _TREE + _BAR_GAP
    draw_score_bar(page.axes(left, top, _BAR, _SIDE, "bar"), norm, "distance (nats)", labels=plain_labels)
    return page.figure


def _draw_points(axes: Axes, table: pd.DataFrame) -> dict[str, Any]:
    """Draw the map, and return a legend entry for each tag; tagged heads are named."""
    entries: dict[str, Any] = {}
    for number, tag in enumerate((None, *TAGS)):
        own = table[table["tag"].isna() if tag is None else table["tag"].eq(tag).fillna(value=False)]
        if own.empty:
            continue
        style = style_of(max(number - 1, 0))
        colour, marker = (NO_SCORE, "o") if tag is None else (style["color"], style["marker"])
        (entries[(tag or _NO_TAG).replace("_", " ")],) = axes.plot(
            own["x"], own["y"], linestyle="", marker=marker, markersize=5.0, color=colour,
            markeredgecolor=PAPER, markeredgewidth=0.4,
        )  # fmt: skip
    reach = 1.1 * float(table[["x", "y"]].abs().to_numpy().max()) or 1.0
    _name_points(axes, table[table["tag"].notna()], 2 * reach)
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach))
    axes.tick_params(length=2.5, width=0.6, labelsize=SMALL_SIZE, pad=2)
    for name, spine in axes.spines.items():
        spine.set(visible=name in ("left", "bottom"), linewidth=0.6, color=INK)
    axes.set_xlabel("x (nats)", fontsize=TICK_SIZE, labelpad=2)
    axes.set_ylabel("y (nats)", fontsize=TICK_SIZE, labelpad=2)
    return entries


def _name_points(axes: Axes, table: pd.DataFrame, span: float) -> None:
    """Name heads, without the names that would overlap."""
    wide, high = 0.075 * span, 0.03 * span
    named: list[tuple[float, float]] = []
    for layer, head, x, y in table[[*CELL, "x", "y"]].itertuples(index=False):
        if any(abs(x - left) < wide and abs(y - low) < high for left, low in named):
            continue
        named.append((x, y))
        axes.annotate(
            f"{layer}.{head}", (x, y), (2.5, 2.5), textcoords="offset points", fontsize=6.0, color=INK
        )


def _draw_matrix(axes: Axes, ordered: pd.DataFrame, norm: Normalize) -> None:
    axes.pcolormesh(ordered.to_numpy(), cmap=score_colours(), norm=norm, edgecolors="face", linewidth=0.1)
    axes.invert_yaxis()
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, pad=2.0)
    names = [f"{layer}.{head}" for layer, head in ordered.index]
    size = 6.0
    shown = range(0, len(names), label_step(1.25 * size / (_SIDE * POINTS / len(names))))
    axes.set_yticks([place + 0.5 for place in shown], [names[place] for place in shown], fontsize=size)
    axes.set_xticks([])
    axes.set_xlabel("heads (layer.head), in the order of the tree", fontsize=TICK_SIZE, labelpad=4)
