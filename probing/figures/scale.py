"""The colour scale: from the majority to the best head, and its bar."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator

from probing.figures.grid import Grid
from probing.figures.style import INK, PAPER, TEXT_SIZE, TICK_SIZE, score_colours
from probing.figures.words import majority_sentence

_NARROWEST = 0.01
_SHADES = 128
_LABEL_ROOM = 0.19


def make_norm(grids: Sequence[Grid]) -> Normalize:
    """One scale for all grids: from the lowest score or majority to the highest.

    It spans at least one percent, so that noise is not blown up to full contrast.
    """
    values = np.concatenate([np.append(grid.scores.ravel(), grid.majority) for grid in grids])
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    slack = max(0.0, _NARROWEST - (high - low)) / 2
    return Normalize(low - slack, high + slack)


def draw_bar(axes: Axes, norm: Normalize, label: str, grid: Grid | None = None) -> None:
    """Fill `axes` with the colour bar, with the majority of `grid` as a line across it."""
    low, high = float(norm.vmin or 0.0), float(norm.vmax or 0.0)
    edges = np.linspace(low, high, _SHADES + 1)
    shades = (edges[:-1] + edges[1:])[:, np.newaxis] / 2
    axes.pcolormesh([0, 1], edges, shades, cmap=score_colours(), norm=norm, edgecolors="face", linewidth=0.3)
    for side in axes.spines.values():
        side.set_visible(False)
    majority = grid.majority if grid is not None else float("nan")
    per_inch = (high - low) / (axes.bbox.height / axes.figure.dpi)
    ticks, labels = _ticks(low, high, avoid=majority, room=_LABEL_ROOM * per_inch)
    if grid is not None and np.isfinite(majority):
        ticks, labels = [*ticks, majority], [*labels, majority_sentence(grid).replace(" ", "\n", 1)]
        _draw_line(axes, majority)
    axes.set(xlim=(0, 1), ylim=(low, high), xticks=[])
    axes.yaxis.tick_right()
    axes.yaxis.set_label_position("right")
    axes.set_yticks(ticks, labels, fontsize=TICK_SIZE)
    axes.set_ylabel(label, fontsize=TEXT_SIZE)
    axes.tick_params(length=3, width=0.6)


def _draw_line(axes: Axes, level: float) -> None:
    for ink, width in ((PAPER, 3.6), (INK, 1.8)):
        axes.plot([-0.15, 1.15], [level, level], color=ink, linewidth=width, clip_on=False)


def _ticks(low: float, high: float, *, avoid: float, room: float) -> tuple[list[float], list[str]]:
    ticks = MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(low, high)
    decimals = 0 if ticks[1] - ticks[0] > 0.0099 else 1
    shown = [tick for tick in map(float, ticks) if low <= tick <= high and not abs(tick - avoid) < room]
    return shown, [f"{100 * tick:.{decimals}f} %" for tick in shown]
