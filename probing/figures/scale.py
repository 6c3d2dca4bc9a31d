"""The colour scale: from the majority to the best head, and its bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from matplotlib.ticker import MaxNLocator

from probing.errors import ProbingError
from probing.figures.findings import finding, measure_name, unit_of, within_one
from probing.figures.grids import Grid
from probing.figures.naming import majority_sentence, minus, score_name
from probing.figures.style import INK, PAPER, TEXT_SIZE, TICK_SIZE, score_colours, signed_colours
from probing.results.units import NumberFormat, score_unit

TickLabels = Callable[[Sequence[float]], list[str]]
_NARROWEST = 0.01
_SHADES = 128
_LOWEST_ABOVE = -0.2
_LABEL_ROOM = 0.19


@dataclass(frozen=True)
class Shades:
    """The colours of numbers, and the format in which the numbers are written.

    Attributes:
        norm: Map from numbers to shades.
        colours: Colours of the shades.
        unit: Format of the numbers.
        relative: Whether every panel has its own scale, so that the bar shows shares of it.
    """

    norm: Normalize
    colours: Colormap
    unit: NumberFormat
    relative: bool = False

    def colour(self, number: float) -> tuple[float, ...]:
        """The colour of a number: red, green, blue and opacity from 0 to 1."""
        return tuple(self.colours(float(self.norm(number))))


def shades_of(grids: Sequence[Grid]) -> list[Shades]:
    """The colours of every grid: a scale for each quantity, which its grids share.

    If analyses found several quantities, each grid has its own scale, and the bar shows shares of it.

    Raises:
        ProbingError: If some are differences and others are not, since these have no bar in common.
    """
    kinds = by_quantity(grids)
    if len(kinds) == 1 or not any(grid.found for grid in grids):
        own = {scale: _shades(alike) for scale, alike in kinds.items()}
        return [own[grid.quantity.scale] for grid in grids]
    each = [replace(_shades([grid]), relative=True) for grid in grids]
    if len({shades.unit.signed for shades in each}) > 1:
        analyses = ", ".join(dict.fromkeys(grid.key.analysis for grid in grids))
        raise ProbingError(
            f"a sheet cannot show differences and other numbers ({analyses}); select one analysis"
        )
    return each


def by_quantity(grids: Sequence[Grid]) -> dict[str, list[Grid]]:
    """The grids of each quantity, in the order in which quantities first appear."""
    kinds: dict[str, list[Grid]] = {}
    for grid in grids:
        kinds.setdefault(grid.quantity.scale, []).append(grid)
    return kinds


def _shades(grids: Sequence[Grid]) -> Shades:
    unit = unit_of(grids)
    if not grids[0].found:
        return Shades(make_norm(grids), score_colours(), unit)
    values = np.concatenate([grid.scores.ravel() for grid in grids])
    values = values[np.isfinite(values)]
    if unit.signed:
        widest = float(np.abs(values).max(initial=0.0)) or 1.0
        widest = max(widest, _NARROWEST) if unit.name != "nats" else widest
        return Shades(Normalize(-widest, widest), signed_colours(), unit)
    highest = 1.0 if within_one(grids[0]) else float(values.max(initial=0.0)) or 1.0
    return Shades(Normalize(0.0, highest), score_colours(), unit)


def make_norm(grids: Sequence[Grid]) -> Normalize:
    """One scale for all grids: from the lowest score or majority to the highest.

    It spans at least one percent, so that noise is not shown at full contrast. Scores above chance have the
    darkest colour from -20 % downward.
    """
    values = np.concatenate([np.append(grid.scores.ravel(), grid.level) for grid in grids])
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    if grids[0].above_chance:
        # one grid far below a high majority would leave no colours for the others
        low = max(low, _LOWEST_ABOVE)
    slack = max(0.0, _NARROWEST - (high - low)) / 2
    return Normalize(low - slack, high + slack)


def draw_bar(axes: Axes, shades: Shades, grids: Sequence[Grid]) -> None:
    """Fill `axes` with the colour bar; the majority is a line across it if it is the same for all grids."""
    if grids[0].found:
        _draw_found_bar(axes, shades, grids)
        return
    norm = shades.norm
    grid = grids[0] if len(grids) == 1 else None
    shares = any(score_unit(each.key.metric).name == "%" for each in grids)
    labels: TickLabels = share_labels if shares else plain_labels
    sentence = "" if grid is None else majority_sentence(grid)
    if grids[0].above_chance:
        sentence = "majority 0 %" if any(majority_sentence(each) for each in grids) else ""
        if any((each.scores < (norm.vmin or 0.0)).any() for each in grids):
            labels = _from_below(labels)
    majority = grids[0].level if sentence else float("nan")
    draw_score_bar(axes, norm, score_name(grids), labels=labels, majority=majority, sentence=sentence)


def _draw_found_bar(axes: Axes, shades: Shades, grids: Sequence[Grid]) -> None:
    name, unit = measure_name(grids), shades.unit
    if shades.relative:
        low = -1.0 if unit.signed else 0.0
        what = f"{name}, of the largest in its panel"
        draw_score_bar(axes, Normalize(low, 1.0), what, labels=share_labels, colours=shades.colours)
        return
    steps = finding(grids[0]).steps
    if steps:
        _draw_steps(axes, shades, steps)
        return
    full = f"{name} ({unit.label})" if unit.label else name
    draw_score_bar(axes, shades.norm, full, labels=unit_labels(unit), colours=shades.colours)


def _draw_steps(axes: Axes, shades: Shades, names: Sequence[str]) -> None:
    """Draw a bar of two colours for numbers that are either 0 or 1."""
    axes.pcolormesh([[0.0], [1.0]], cmap=shades.colours, norm=shades.norm, edgecolors=PAPER, linewidth=1.0)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.yaxis.tick_right()
    axes.set_yticks([0.5, 1.5], names, fontsize=TICK_SIZE)
    axes.set_xticks([])
    axes.tick_params(length=0, pad=2.5)


def unit_labels(unit: NumberFormat) -> TickLabels:
    """Return a function that writes ticks as numbers of a unit, with enough digits to distinguish them."""

    def labels(ticks: Sequence[float]) -> list[str]:
        step = unit.scaled(ticks[1] - ticks[0]) if len(ticks) > 1 else 1.0
        digits = max(0, -int(np.floor(np.log10(step) + 1e-9)))
        return [replace(unit, digits=digits).cell(tick) for tick in ticks]

    return labels


def draw_score_bar(
    axes: Axes,
    norm: Normalize,
    name: str,
    *,
    labels: TickLabels,
    majority: float = float("nan"),
    sentence: str = "",
    colours: Colormap | None = None,
) -> None:
    """Fill `axes` with a colour bar.

    Args:
        axes: Axes to fill.
        norm: Map from scores to shades.
        name: Quantity that the colours show.
        labels: Labels of the ticks: `share_labels`, `plain_labels`, or `unit_labels` of a unit.
        majority: Position of a line across the bar; NaN for none.
        sentence: Label of that line.
        colours: Colours of the bar; by default those of scores.
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
    named = labels(ticks)
    if sentence:
        ticks, named = [*ticks, majority], [*named, sentence.replace(" ", "\n", 1)]
        _draw_line(axes, majority)
    axes.set(xlim=(0, 1), ylim=(low, high), xticks=[])
    axes.yaxis.tick_right()
    axes.yaxis.set_label_position("right")
    axes.set_yticks(ticks, named, fontsize=TICK_SIZE)
    axes.set_ylabel(name, fontsize=TEXT_SIZE)
    axes.tick_params(length=3, width=0.6)


def _draw_line(axes: Axes, level: float) -> None:
    for ink, width in ((PAPER, 3.6), (INK, 1.8)):
        axes.plot([-0.15, 1.15], [level, level], color=ink, linewidth=width, clip_on=False)


def _ticks(low: float, high: float, *, avoid: float, room: float) -> list[float]:
    ticks = MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(low, high)
    return [tick for tick in map(float, ticks) if low <= tick <= high and not abs(tick - avoid) < room]


def _from_below(labels: TickLabels) -> TickLabels:
    """Return labels of a bar whose lowest colour includes all lower numbers."""

    def named(ticks: Sequence[float]) -> list[str]:
        return [
            f"\N{LESS-THAN OR EQUAL TO} {label}" if tick <= _LOWEST_ABOVE else label
            for tick, label in zip(ticks, labels(ticks), strict=True)
        ]

    return named


def share_labels(ticks: Sequence[float]) -> list[str]:
    """Ticks in percent."""
    return [minus(f"{100 * tick:.{0 if _coarse(ticks) else 1}f} %") for tick in ticks]


def plain_labels(ticks: Sequence[float]) -> list[str]:
    """Ticks as plain numbers."""
    return [minus(f"{tick:.{2 if _coarse(ticks) else 3}f}") for tick in ticks]


def _coarse(ticks: Sequence[float]) -> bool:
    return len(ticks) < 2 or ticks[1] - ticks[0] > 0.0099
