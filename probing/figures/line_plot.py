"""Lines, bands and levels of scores, drawn the same way in all pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike

from probing.errors import ProbingError
from probing.figures.naming import minus
from probing.figures.style import INK, LINES, RULE
from probing.results.units import LOSS
from probing.tasks.target import COEFFICIENTS

LEVELS: Final[dict[str, tuple[str, Any, float]]] = {
    "majority": (RULE, "-", 0.9),
    "untrained": (INK, (0, (4, 1.5, 1, 1.5)), 0.9),
    "control": (INK, (0, (1, 1.6)), 1.0),
    "last_layer": (INK, (0, (6, 2)), 1.0),
    "best_layer": (INK, (0, (2, 1.2)), 1.0),
    "full": (INK, (0, (6, 2)), 1.0),
    "threshold": (RULE, (0, (1, 1)), 0.8),
}
"""Colour, dashes and width of the levels that scores are compared with."""
_SHADES: Final = {"inner": 0.26, "outer": 0.12}
_LEAST_SPAN: Final = 0.05


def style_of(number: int) -> dict[str, Any]:
    """Colour, dashes and marker of a numbered line.

    Raises:
        ProbingError: If there are more lines than a reader can distinguish.
    """
    if number >= len(LINES):
        raise ProbingError(
            f"one panel has more than {len(LINES)} lines; select fewer of them, as with model=..."
        )
    colour, dash, marker = LINES[number]
    return {"color": colour, "linestyle": dash, "marker": marker, "markersize": 3.0, "linewidth": 1.3}


def draw_line(axes: Axes, x: ArrayLike, y: ArrayLike, style: dict[str, Any], name: str) -> None:
    """Draw a line with its markers, broken where a score is missing."""
    axes.plot(x, y, label=name, markeredgewidth=0, zorder=4, clip_on=False, **style)


def draw_band(axes: Axes, x: ArrayLike, low: ArrayLike, high: ArrayLike, colour: str, shade: str) -> None:
    """Fill the area between two lines, "inner" darker than "outer"; nothing where neither is known."""
    if np.isfinite(np.asarray(low, dtype=float)).any():
        axes.fill_between(x, low, high, color=colour, alpha=_SHADES[shade], linewidth=0, zorder=2)


def draw_best(axes: Axes, x: ArrayLike, y: ArrayLike, style: dict[str, Any]) -> None:
    """Draw the best of several: a thin dotted line, with the markers of the main line but hollow."""
    own = {**_BEST, "color": style["color"], "marker": style["marker"]}
    axes.plot(x, y, label="best", zorder=3, clip_on=False, **own)


def draw_level(axes: Axes, level: float, kind: str) -> None:
    """Draw a line across the panel, if its level is known."""
    if np.isfinite(level):
        colour, dash, width = LEVELS[kind]
        axes.axhline(level, color=colour, linestyle=dash, linewidth=width, zorder=1, label=kind)


def draw_beside(axes: Axes, x: ArrayLike, y: ArrayLike, kind: str) -> None:
    """Draw a reference that varies along x."""
    colour, dash, width = LEVELS[kind]
    axes.plot(x, y, color=colour, linestyle=dash, linewidth=width, zorder=3, label=kind)


def score_axis(axes: Axes, metric: str) -> None:
    """Number the scores upward, shares in percent, over a range of at least five percent."""
    low, high = axes.get_ylim()
    slack = max(0.0, _LEAST_SPAN - (high - low)) / 2
    axes.set_ylim(low - slack, high + slack)
    number_scores(axes.yaxis, metric)


def number_scores(axis: Axis, metric: str) -> None:
    """Number an axis of scores, shares in percent."""
    axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10], min_n_ticks=3))
    ticks = axis.get_majorticklocs()
    step = float(ticks[1] - ticks[0]) if len(ticks) > 1 else 1.0
    coefficient = metric in (*COEFFICIENTS, LOSS)
    digits = (2 if step > 0.0099 else 3) if coefficient else int(step < 0.0099)
    factor, unit = (1, "") if coefficient else (100, " %")

    def label(score: float, _: object) -> str:
        return minus(f"{factor * score:.{digits}f}{unit}")

    axis.set_major_formatter(FuncFormatter(label))


def line_sample(style: dict[str, Any]) -> Line2D:
    """The sample of a line in the legend."""
    return Line2D([], [], markeredgewidth=0, **style)


def best_sample(colour: str) -> Line2D:
    """The sample of the line of the best in the legend."""
    return Line2D([], [], color=colour, **_BEST)


def band_sample(colour: str, shade: str) -> Patch:
    """The sample of a band in the legend."""
    return Patch(facecolor=colour, alpha=_SHADES[shade], linewidth=0)


def level_samples(kinds: Sequence[str]) -> dict[str, Line2D]:
    """The samples of levels in the legend, by their kind."""
    return {
        kind: Line2D([], [], color=LEVELS[kind][0], linestyle=LEVELS[kind][1], linewidth=LEVELS[kind][2])
        for kind in kinds
    }


_BEST: Final[dict[str, Any]] = {
    "linestyle": (0, (1, 1.2)), "linewidth": 1.0, "marker": "o", "markersize": 2.8,
    "markerfacecolor": "white", "markeredgewidth": 0.8,
}  # fmt: skip
