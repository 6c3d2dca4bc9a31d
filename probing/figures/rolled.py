"""A picture of attention rollout over the tokens of a text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from numpy.typing import ArrayLike, NDArray

from probing.errors import ProbingError
from probing.figures.cells import Cell, ink_on
from probing.figures.page import POINTS, Line, Page, shorten, text_width
from probing.figures.picture import Picture
from probing.figures.scale import draw_score_bar, share_labels
from probing.figures.style import FAINT, PAPER, TEXT_SIZE, TICK_SIZE, TITLE_SIZE, drawing, score_colours
from probing.validation.arguments import checked

_CELL, _WIDEST, _LONGEST_NAME = 0.3, 7.0, 1.2
_AXIS_NAME, _BAR_GAP, _BAR_WIDTH, _BAR_LABELS = 0.22, 0.22, 0.16, 0.85
_LEAST_BAR, _TALLEST_BAR = 1.2, 3.2


@checked()
def draw_rollout(
    tokens: Sequence[str], rolled: ArrayLike, path: str | Path | None = None, *, query: int | None = None
) -> Picture:
    """Draw the share of each input token in the positions of a text (Abnar & Zuidema 2020).

    Args:
        tokens: The n tokens of the text.
        rolled: (layers, n, n), one text of `rollout`.
        path: Path of the files, without .png, .svg, .pdf or .csv, which are added. Files of that name are
            overwritten. None writes nothing.
        query: Position whose row is drawn for every layer, upward from the input, from 0. None draws all
            positions of the last layer.

    Returns:
        The figure, with `table`, the share of each token in every position of every layer, and `files`.

    Raises:
        ProbingError: If the shapes differ, or the text has no such position.

    Example:
        >>> import numpy as np
        >>> import probing
        >>> causal = np.array([[1.0, 0.0], [0.5, 0.5]])
        >>> rolled = probing.rollout([causal[None, None]] * 2)
        >>> probing.draw_rollout(["a", "dog"], rolled[0], query=1).table["share"].round(2).tolist()
        [1.0, 0.0, 0.25, 0.75, 1.0, 0.0, 0.44, 0.56]
    """
    shares = _whole(tokens, np.asarray(rolled, dtype=np.float64), query)
    with drawing():
        if query is None:
            title, rows = f"rollout, layer {len(shares) - 1}", list(tokens)
            picture = _figure(shares[-1], rows, tokens, title, "position", upward=False)
        else:
            title, rows = f"rollout of {tokens[query]}", [str(layer) for layer in range(len(shares))]
            picture = _figure(shares[:, query], rows, tokens, title, "layer", upward=True)
        return picture.finish(_table(shares, tokens), path, title)


def _whole(tokens: Sequence[str], shares: NDArray[np.float64], query: int | None) -> NDArray[np.float64]:
    count = len(tokens)
    if shares.ndim != 3 or not len(shares) or shares.shape[1:] != (count, count) or not count:
        raise ProbingError(
            f"draw_rollout: rolled has shape {shares.shape}; for {count} tokens it must be (layers, {count}, "
            f"{count}), one text of rollout"
        )
    if query is not None and not 0 <= query < count:
        raise ProbingError(f"draw_rollout: query={query}: the text has positions 0 to {count - 1}")
    return shares


def _figure(
    shares: NDArray[np.float64],
    rows: Sequence[str],
    tokens: Sequence[str],
    title: str,
    across: str,
    *,
    upward: bool,
) -> Picture:
    """The picture of a matrix of shares, (rows, tokens); call it within `style.drawing`."""
    side = min(_CELL, _WIDEST / len(tokens))
    size = float(np.clip(0.75 * side * POINTS, 4.0, TICK_SIZE))
    rows, columns = ([shorten(name, _LONGEST_NAME, size) for name in names] for names in (rows, tokens))
    left, below = (max(text_width(name, size) for name in names) + 0.1 for names in (rows, columns))
    left += _AXIS_NAME
    width, height = side * len(columns), side * len(rows)
    bar_left, bar_height = left + width + _BAR_GAP, float(np.clip(height, _LEAST_BAR, _TALLEST_BAR))
    lines = [
        Line(title, TITLE_SIZE, bold=True),
        Line("share of each input token, mean over heads", TEXT_SIZE, FAINT),
    ]
    top = sum(line.height for line in lines) + 0.16
    foot = top + max(height + below + _AXIS_NAME, bar_height) + 0.1
    page = Page(max(bar_left + _BAR_WIDTH + _BAR_LABELS, text_width(title, TITLE_SIZE, bold=True)), foot)
    page.write(0.0, 0.0, lines)
    norm = Normalize(0.0, max(float(shares.max()), 1e-9))
    axes = page.axes(left, top, width, height, "rollout")
    _draw_shares(axes, shares, norm, Cell(side * POINTS, side * POINTS), upward=upward)
    _name_axes(axes, rows, columns, size, across)
    bar = page.axes(bar_left, top, _BAR_WIDTH, bar_height, "bar")
    draw_score_bar(bar, norm, "share", labels=share_labels)
    return page.figure


def _draw_shares(
    axes: Axes, shares: NDArray[np.float64], norm: Normalize, cell: Cell, *, upward: bool
) -> None:
    colours = score_colours()
    gap = float(np.clip(0.04 * cell.side, 0.2, 1.0))
    axes.pcolormesh(shares, cmap=colours, norm=norm, edgecolors=PAPER, linewidth=gap)
    if not upward:
        axes.invert_yaxis()
    size = cell.text_size(2)
    for row, column in np.argwhere(shares >= 0.005).tolist() if size else ():
        share = shares[row, column]
        axes.text(
            column + 0.5, row + 0.5, f"{100 * share:.0f}",
            fontsize=size, color=ink_on(colours(float(norm(share)))), ha="center", va="center_baseline",
        )  # fmt: skip


def _name_axes(axes: Axes, rows: Sequence[str], columns: Sequence[str], size: float, across: str) -> None:
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, pad=2.5)
    axes.set_yticks(np.arange(len(rows)) + 0.5, rows, fontsize=size)
    axes.set_xticks(np.arange(len(columns)) + 0.5, columns, fontsize=size, rotation=90)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_parse_math(False)
    axes.set_xlabel("input token", fontsize=TICK_SIZE, labelpad=2)
    axes.set_ylabel(across, fontsize=TICK_SIZE, labelpad=2)


def _table(shares: NDArray[np.float64], tokens: Sequence[str]) -> pd.DataFrame:
    """The share of every input token in every position and layer, a row each."""
    layers, queries, keys = (place.ravel() for place in np.indices(shares.shape))
    names = np.asarray(tokens, dtype=object)
    return pd.DataFrame(
        {
            "layer": layers, "query": queries, "query_token": names[queries],
            "key": keys, "key_token": names[keys], "share": shares.ravel(),
        }
    )  # fmt: skip
