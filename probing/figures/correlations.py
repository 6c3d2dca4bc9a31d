"""Correlations between the grids of tasks, models or seeds, as a matrix ordered by a tree."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.figures.cells import Cell, ink_on
from probing.figures.facets import header_lines
from probing.figures.grids import WHOLE_LAYERS, split_grids
from probing.figures.legend import draw_entries, square_sample
from probing.figures.naming import minus
from probing.figures.page import POINTS, Line, Page, shorten, text_width, wrap
from probing.figures.pair_table import pair_table, square
from probing.figures.panel_order import common_prefix
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
    signed_colours,
)
from probing.results.grid_key import GridKey, key_of
from probing.results.schema import RESULT
from probing.validation.arguments import checked

_RHO = "\N{GREEK SMALL LETTER RHO}"
_CELL, _WIDEST, _LONGEST_NAME = 0.34, 5.4, 1.9
_AXIS_NAME, _SMALLEST = 0.16, 6.0
_WIDE_CELL, _MOST_WIDE = 0.72, 10  # cells with an interval below the correlation
_TREE, _GAP, _BAR_GAP, _BAR_WIDTH, _BAR_LABELS = 0.85, 0.06, 0.22, 0.16, 0.6


@checked(frame=RESULT)
def draw_correlations(
    frame: pd.DataFrame, path: str | Path | None = None, *, by: str = "task", value: str = "test"
) -> Picture:
    """Draw Spearman correlations of head scores between tasks (or models, seeds), ordered by their tree.

    The tree joins the most similar grids first, by average linkage on 1 - rho, as in figures 4 and 5 of
    Jo and Myaeng (ACL 2020). Up to ten grids, the 95 % interval is below each correlation.

    Args:
        frame: Rows of the result frame, of several grids that differ only in `by`.
        path: Path of the files, without .png, .svg, .pdf or .csv, which are added. Files of that name are
            overwritten. None writes nothing.
        by: The column whose values are compared.
        value: The column of scores.

    Returns:
        The figure, with `files` and `table`, a row for each pair in the drawn order: its names `first` and
        `second`, the number `n` of cells, Spearman's `rho`, and `low` and `high`, its 95 % interval as in
        `probing.agreement`. It treats heads as drawn independently and so is too narrow where the heads of a
        layer are alike.

    Raises:
        ProbingError: If there are fewer than two values to compare, or if the grids differ in other columns
            than `by`.

    Example:
        >>> import probing
        >>> frame = probing.load_results("outputs")  # doctest: +SKIP
        >>> probing.draw_correlations(frame, "tasks", by="task").files.png  # doctest: +SKIP
        PosixPath('tasks.png')
    """
    from probing.comparisons.clusters import linkage
    from probing.comparisons.compare import correlations

    grids = split_grids(frame)
    keys, kept = [key_of(rows) for rows in grids], pd.concat(grids, ignore_index=True)
    matrix = correlations(kept, by=by, value=value)
    if len(matrix) < 2:
        raise ProbingError(f"{by} has {len(matrix)} value to compare; select rows with several")
    tree = linkage(matrix)
    ordered = in_order(matrix, tree)
    cells = min(int(rows[value].notna().sum()) for rows in grids)
    table = pair_table(ordered, cells)
    ends = (square(list(ordered), table, "low"), square(list(ordered), table, "high"))
    with drawing():
        figure = correlations_figure(ordered, tree, keys, by, rows=kept, ends=ends)
        return figure.finish(table, path, f"correlations between {by}s")


def correlations_figure(
    matrix: pd.DataFrame,
    tree: NDArray[np.float64],
    keys: Sequence[GridKey],
    by: str,
    what: str = f"Spearman's {_RHO} of scores",
    rows: pd.DataFrame | None = None,
    ends: tuple[pd.DataFrame, pd.DataFrame] | None = None,
) -> Picture:
    """The picture of a matrix in the order of its tree's leaves; call it within `style.drawing`.

    Args:
        matrix: Correlations.
        tree: Tree whose leaves have that order.
        keys: Keys of the grids.
        by: Column whose values are compared.
        what: Description of the numbers.
        rows: Rows with the columns that count examples.
        ends: Lower and upper ends of the intervals, matrices of the same shape, NaN for no interval.
    """
    names = _names(matrix, by)
    count = len(names)
    if ends is not None:
        what += ", 95 % interval in brackets" if count <= _MOST_WIDE else ", 95 % intervals in the table"
    wide = ends is not None and count <= _MOST_WIDE
    height = min(_CELL, _WIDEST / count)
    across = _WIDE_CELL if wide else height
    size = float(np.clip(0.75 * height * POINTS, 6.0, TICK_SIZE))
    names = [shorten(name, _LONGEST_NAME, size) for name in names]
    named = max(text_width(name, size) for name in names) + 0.1
    side, tall = across * count, height * count
    left = named + _AXIS_NAME
    bar_left = left + side + _GAP + _TREE + _BAR_GAP
    # the names of columns that do not fit above each other are turned
    below = 0.2 if wide and max(text_width(name, size) for name in names) < 0.95 * across else named
    title, *words = header_lines(
        keys, f"rank correlation of {_ranked(keys)} between {by}s", rows, differing=False
    )
    width = max(bar_left + _BAR_WIDTH + _BAR_LABELS, text_width(title.text, title.size, bold=True))
    texts = [what, *(line.text for line in words)]
    lines = [title, *(Line(text, TEXT_SIZE, FAINT) for text in wrap(texts, width, TEXT_SIZE))]
    top = sum(line.height for line in lines) + 0.16
    missing = bool(matrix.isna().to_numpy().any())
    foot = top + tall + below + _AXIS_NAME + 0.1
    page = Page(width, foot + (0.25 if missing else 0.0))
    page.write(0.0, 0.0, lines)
    norm = Normalize(-1.0, 1.0)
    axes = page.axes(left, top, side, tall, "matrix")
    cell = Cell(across * POINTS, height * POINTS)
    _draw_matrix(axes, matrix, norm, cell, ends if wide else None)
    _name_rows(axes, names, size, by, turned=below == named)
    draw_tree(page.axes(left + side + _GAP, top, _TREE, tall, "tree"), tree, count, minus(f"1 - {_RHO}"))
    bar = page.axes(bar_left, top, _BAR_WIDTH, min(max(tall, 1.2), 3.2), "bar")
    draw_score_bar(bar, norm, f"Spearman's {_RHO}", labels=plain_labels, colours=signed_colours())
    if missing:
        entries = {"no correlation": square_sample(NO_SCORE)}
        draw_entries(page, left, foot, entries, columns=1)
    return page.figure


def in_order(matrix: pd.DataFrame, tree: NDArray[np.float64]) -> pd.DataFrame:
    """The matrix with its rows and columns in the order of the leaves of the tree."""
    from scipy.cluster.hierarchy import leaves_list

    names = matrix.index[leaves_list(tree)]
    return matrix.reindex(index=names, columns=names)


def _names(matrix: pd.DataFrame, by: str) -> list[str]:
    names = [str(name) for name in matrix.index]
    prefix = common_prefix(names) if by == "task" else ""
    return [name.removeprefix(prefix) for name in names]


def _ranked(keys: Sequence[GridKey]) -> str:
    return "layers" if all(key.granularity in WHOLE_LAYERS for key in keys) else "heads"


def _draw_matrix(
    axes: Axes,
    matrix: pd.DataFrame,
    norm: Normalize,
    cell: Cell,
    ends: tuple[pd.DataFrame, pd.DataFrame] | None,
) -> None:
    values = matrix.to_numpy(dtype=np.float64)
    gap = float(np.clip(0.04 * cell.side, 0.2, 1.0))
    colours = signed_colours()
    axes.pcolormesh(np.ma.masked_invalid(values), cmap=colours, norm=norm, edgecolors=PAPER, linewidth=gap)
    if np.isnan(values).any():
        unknown = np.ma.masked_where(~np.isnan(values), np.zeros(values.shape))
        axes.pcolormesh(unknown, cmap=ListedColormap([NO_SCORE]), edgecolors=PAPER, linewidth=gap)
    axes.invert_yaxis()
    text_size = cell.text_size(5)
    if text_size is None:
        return
    lows, highs = (end.to_numpy(dtype=np.float64) for end in ends or (matrix * np.nan,) * 2)
    for row, column in map(tuple, np.argwhere(np.isfinite(values)).tolist()):
        rho, ink = values[row, column], ink_on(colours(float(norm(values[row, column]))))
        low, high = lows[row, column], highs[row, column]
        known = row != column and bool(np.isfinite(low) and np.isfinite(high))
        up = 0.32 if known else 0.5
        _write(axes, column, row + up, _two(rho), min(text_size, TICK_SIZE), ink)
        if known:
            _write(axes, column, row + 0.72, f"[{_two(low)}, {_two(high)}]", _SMALLEST, ink)


def _write(axes: Axes, column: int, y: float, text: str, size: float, ink: str) -> None:
    axes.text(column + 0.5, y, text, fontsize=size, color=ink, ha="center", va="center_baseline")


def _two(rho: float) -> str:
    return minus(f"{round(rho, 2) + 0:.2f}")


def _name_rows(axes: Axes, names: Sequence[str], size: float, by: str, *, turned: bool) -> None:
    """Name the rows and columns, and both axes."""
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, pad=2.5)
    centres = [place + 0.5 for place in range(len(names))]
    axes.set_yticks(centres, names, fontsize=size)
    axes.set_xticks(centres, names, fontsize=size, rotation=90 if turned else 0)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_parse_math(False)
    axes.set_xlabel(by, fontsize=TICK_SIZE, labelpad=2)
    axes.set_ylabel(by, fontsize=TICK_SIZE, labelpad=2)


def draw_tree(axes: Axes, tree: NDArray[np.float64], count: int, label: str) -> None:
    """Draw a tree whose leaves are the rows of a matrix to its left, and name its distances."""
    from scipy.cluster.hierarchy import dendrogram

    drawn = dendrogram(tree, no_plot=True)
    # scipy sets leaves 10 apart, the first at 5
    branches = [
        list(zip(across, np.asarray(along) / 10, strict=True))
        for along, across in zip(drawn["icoord"], drawn["dcoord"], strict=True)
    ]
    axes.add_collection(LineCollection(branches, colors=INK, linewidths=0.9, capstyle="projecting"))
    highest = max(float(tree[:, 2].max()), 0.01)
    axes.set(xlim=(0, 1.05 * highest), ylim=(count, 0), yticks=[])
    axes.xaxis.set_major_locator(MaxNLocator(2, steps=[1, 2, 5, 10]))
    digits = 1 if highest > 0.2 else 2
    axes.xaxis.set_major_formatter(FuncFormatter(lambda distance, _: f"{distance:.{digits}f}"))
    for name, spine in axes.spines.items():
        spine.set(visible=name == "bottom", linewidth=0.6, color=INK)
    axes.tick_params(length=2.5, width=0.6, labelsize=SMALL_SIZE, pad=2)
    axes.set_xlabel(label, fontsize=TICK_SIZE, labelpad=2)
