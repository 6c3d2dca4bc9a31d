"""The colour scale: from the majority to the best head, and its bar."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from matplotlib.ticker import MaxNLocator

from probing.figures.grid import Grid
from probing.figures.style import INK, PAPER, TEXT_SIZE, TICK_SIZE, score_colours
from probing.figures.words import majority_sentence, minus, score_name
from probing.tasks.target import COEFFICIENTS

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


def draw_bar(axes: Axes, norm: Normalize, grids: Sequence[Grid]) -> None:
    """Fill `axes` with the colour bar; of a single grid the majority is a line across it."""
    grid = grids[0] if len(grids) == 1 else None
    shares = any(grid.key.metric not in COEFFICIENTS for grid in grids)
    majority = grid.majority if grid is not None and majority_sentence(grid) else float("nan")
    sentence = "" if grid is None else majority_sentence(grid)
    draw_score_bar(axes, norm, score_name(grids), shares=shares, majority=majority, sentence=sentence)


def draw_score_bar(
    axes: Axes,
    norm: Normalize,
    name: str,
    *,
    shares: bool,
    majority: float = float("nan"),
    sentence: str = "",
    colours: Colormap | None = None,
) -> None:
    """Fill `axes` with a colour bar.

    Args:
        axes: Where.
        norm: From scores to shades.
        name: What the colours stand for.
        shares: Whether to number in percent.
        majority: Where to draw a line across; NaN for none.
        sentence: What stands beside that line.
        colours: If not those of scores.
    """
    low, high = float(norm.vmin or 0.0), float(norm.vmax or 0.0)
    edges = np.linspace(low, high, _SHADES + 1)
    shades = (edges[:-1] + edges[1:])[:, np.newaxis] / 2
    colours = colours or score_colours()
    axes.pcolormesh([0, 1], edges, shades, cmap=colours, norm=norm, edgecolors="face", linewidth=0.3)
    for side in axes.spines.values():
        side.set_visible(False)
    per_inch = (high - low) / (axes.bbox.height / axes.figure.dpi)
    ticks = _ticks(low, high, avoid=majority, room=_LABEL_ROOM * per_inch)
    labels = _tick_labels(ticks, shares=shares)
    if sentence:
        ticks, labels = [*ticks, majority], [*labels, sentence.replace(" ", "\n", 1)]
        _draw_line(axes, majority)
    axes.set(xlim=(0, 1), ylim=(low, high), xticks=[])
    axes.yaxis.tick_right()
    axes.yaxis.set_label_position("right")
    axes.set_yticks(ticks, labels, fontsize=TICK_SIZE)
    axes.set_ylabel(name, fontsize=TEXT_SIZE)
    axes.tick_params(length=3, width=0.6)


def _draw_line(axes: Axes, level: float) -> None:
    for ink, width in ((PAPER, 3.6), (INK, 1.8)):
        axes.plot([-0.15, 1.15], [level, level], color=ink, linewidth=width, clip_on=False)


def _ticks(low: float, high: float, *, avoid: float, room: float) -> list[float]:
    ticks = MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(low, high)
    return [tick for tick in map(float, ticks) if low <= tick <= high and not abs(tick - avoid) < room]


def _tick_labels(ticks: Sequence[float], *, shares: bool) -> list[str]:
    coarse = len(ticks) < 2 or ticks[1] - ticks[0] > 0.0099
    if shares:
        return [minus(f"{100 * tick:.{0 if coarse else 1}f} %") for tick in ticks]
    return [minus(f"{tick:.{2 if coarse else 3}f}") for tick in ticks]
