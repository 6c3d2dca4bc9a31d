"""Checkpoint trajectories: scores over the training of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.figures.facets import Facet, Facets, facets_figure, header_lines, panel_name
from probing.figures.grids import WHOLE_LAYERS
from probing.figures.line_plot import (
    band_sample,
    best_sample,
    draw_band,
    draw_best,
    draw_level,
    draw_line,
    level_samples,
    line_sample,
    style_of,
)
from probing.figures.line_values import VALUE, LineValues
from probing.figures.naming import layer_name
from probing.figures.picture import Picture
from probing.figures.profile_table import chosen_by, spread_table, without_baselines
from probing.figures.scale import draw_score_bar
from probing.figures.style import drawing, score_colours
from probing.results.alike import quantity_of, refuse_unlike
from probing.results.grid_key import GridKey, key_of
from probing.results.schema import RESULT
from probing.validation.arguments import checked

_KEY = list(GridKey._fields)
_STEPWISE = 64.0


@dataclass(frozen=True)
class StepAxis:
    """The places of training steps along x.

    Attributes:
        logarithmic: Whether the axis is logarithmic, for steps that double rather than increase evenly.
    """

    logarithmic: bool

    def place(self, steps: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the places, float64 (n,), of steps (n,)."""
        values = np.asarray(steps, dtype=np.float64)
        return np.log2(values + 1) if self.logarithmic else values

    def edges(self, steps: Sequence[int]) -> NDArray[np.float64]:
        """Return the borders, float64 (n + 1,), halfway between ascending steps (n,)."""
        places = self.place(steps)
        if len(places) == 1:
            return np.array([places[0] - 0.5, places[0] + 0.5])
        middle = (places[1:] + places[:-1]) / 2
        return np.array([2 * places[0] - middle[0], *middle, 2 * places[-1] - middle[-1]])


@checked(frame=RESULT)
def draw_trajectories(frame: pd.DataFrame, path: str | Path | None = None, *, value: str = "test") -> Picture:
    """Draw scores against training steps, a panel for each task, above a heatmap of layers and steps.

    The line is the mean of all heads (or layers), and the bands are their middle half and range. The dotted
    line is the best head on dev at each step. Colours show the mean of the heads of each layer.

    Args:
        frame: Rows of the result frame, of granularity head, layer or attention, of models whose names
            differ only after "@", as in `run@checkpoint-200`. Rows without a step are left out.
        path: Path of the files, without .png, .svg, .pdf or .csv, which are added. Files of that name are
            overwritten. None writes nothing.
        value: The column to draw, "test" or "dev"; "value" for what an analysis found about each head, such
            as the change of its attention.

    Returns:
        The figure, with `table`, the data behind it, and `files`, the PNG, SVG, PDF and CSV. Rows of the
        table with a layer are cells, the others are points of the lines.

    Raises:
        ProbingError: If no row has a step, or a cell has two rows.

    Example:
        >>> import probing
        >>> frame = probing.load_results("outputs")  # doctest: +SKIP
        >>> probing.draw_trajectories(frame, "training").files.png  # doctest: +SKIP
        PosixPath('training.png')
    """
    rows = without_baselines(frame)
    rows = rows[rows["step"].notna()] if "step" in rows else rows.iloc[:0]
    if rows.empty:
        raise ProbingError("no results of checkpoints to draw: no row has a step; probe checkpoints first")
    rows = rows.assign(model=rows["model"].str.replace(r"@[^@]*$", "", regex=True))
    table = trajectory_table(rows, value)
    with drawing():
        return trajectories_figure(table, value).finish(table, path, "checkpoint trajectories")


def trajectory_table(rows: pd.DataFrame, value: str) -> pd.DataFrame:
    """The table behind the picture: `spread_table` for each step, then for each layer and step."""
    cells = spread_table(rows, ["step", "layer"], value)
    points = spread_table(rows, ["step"], value, pooled=True)
    points["layer"] = pd.array([pd.NA] * len(points), dtype="Int64")
    columns = dict.fromkeys([*_KEY, "step", "layer", *points])
    return pd.concat([points, cells], ignore_index=True)[list(columns)]


def trajectories_figure(table: pd.DataFrame, value: str = "test") -> Picture:
    """The picture of such a table; call it within `style.drawing`."""
    panels = [rows for _, rows in table.groupby(_KEY, sort=False, dropna=False, observed=True)]
    keys = [key_of(rows) for rows in panels]
    for key in keys[1:]:  # all panels share one colour scale of layers
        refuse_unlike(quantity_of(keys[0], value), quantity_of(key, value), f"{keys[0].task} and {key.task}")
    cells = table.loc[table["layer"].notna(), "score"].astype(float).dropna()
    low, high = (cells.min(), cells.max()) if len(cells) else (0.0, 1.0)
    norm = Normalize(low - max(0.0, 0.01 - high + low), high)
    values = LineValues.of(keys, value, table["score"].to_numpy(dtype=np.float64))
    steps = table["step"].astype(int)
    axis = StepAxis(logarithmic=steps.max() > _STEPWISE * max(steps[steps > 0].min(), 1))
    units = {"layer" if key.granularity in WHOLE_LAYERS else "head" for key in keys}
    mean = ", mean of heads" if "head" in units else ""

    def facet(rows: pd.DataFrame, key: GridKey) -> Facet:
        labels = [values.name(key), "layer"]
        name, words = panel_name(key, keys, rows, table)
        facts = (*_facts(rows, key, values), *words)
        return Facet(name, facts, lambda stack: _draw(stack, rows, axis, norm, values), labels)

    return facets_figure(
        Facets(
            header=header_lines(keys, f"{'values' if value == VALUE else 'scores'} over training", table),
            panels=[facet(rows, key) for rows, key in zip(panels, keys, strict=True)],
            entries=_entries(table, sorted(units), value),
            x_label="training step",
            heights=(1.2, 0.75),
            bar=lambda axes: draw_score_bar(axes, norm, values.name() + mean, labels=values.labels),
        )
    )


def _facts(rows: pd.DataFrame, key: GridKey, values: LineValues) -> tuple[str, ...]:
    points = rows[rows["layer"].isna() & rows["best"].notna()].sort_values("step")
    if points.empty:
        return ()
    last = points.iloc[-1]
    place = f"layer {layer_name(int(last['best_layer']))}"
    if pd.notna(last["best_head"]):
        place += f" head {last['best_head']}"
    return (f"last: {place}, {values.spoken(last['best'], key)}",)


def _draw(
    stack: Sequence[Axes], rows: pd.DataFrame, axis: StepAxis, norm: Normalize, values: LineValues
) -> None:
    lines, mesh = stack
    points, cells = rows[rows["layer"].isna()].sort_values("step"), rows[rows["layer"].notna()]
    steps = points["step"].astype(int).tolist()
    x, style = axis.place(steps), style_of(0)
    draw_band(lines, x, points["lowest"], points["highest"], style["color"], "outer")
    draw_band(lines, x, points["low"], points["high"], style["color"], "inner")
    draw_line(lines, x, points["score"], style, "mean")
    draw_best(lines, x, points["best"], style)
    draw_level(lines, float(points["majority"].iloc[0]), "majority")
    values.number(lines, str(rows["metric"].iloc[0]))
    grid = cells.pivot(index="layer", columns="step", values="score").astype(float).sort_index()
    edges = axis.edges(steps)
    mesh.pcolormesh(
        edges,
        np.arange(len(grid) + 1),
        np.ma.masked_invalid(grid.to_numpy()),
        cmap=score_colours(),
        norm=norm,
    )
    for spine in mesh.spines.values():
        spine.set_visible(False)
    every = max(1, -(-len(grid) // 6))
    mesh.set_yticks(
        [row + 0.5 for row in range(0, len(grid), every)],
        [layer_name(int(layer)) for layer in grid.index[::every]],
    )
    for axes in stack:
        axes.set_xlim(edges[0], edges[-1])
        _number_steps(axes, steps, axis)
    lines.tick_params(labelbottom=False)


def _number_steps(axes: Axes, steps: Sequence[int], axis: StepAxis) -> None:
    """Number the steps, without the numbers that would overlap; the last always has a number."""
    places, span = axis.place(steps), float(np.ptp(axis.edges(steps)))
    inch = span / (axes.bbox.width / axes.figure.dpi)
    room = (0.06 * max(len(_short(step)) for step in steps) + 0.1) * inch
    last = len(steps) - 1
    for stride in (stride for stride in range(1, last // 2 + 1) if last % stride == 0):
        if np.diff(places[::stride]).min() >= room:
            kept = list(range(0, last + 1, stride))
            break
    else:
        kept = [0, last] if places[last] - places[0] >= room else [last]
    axes.set_xticks([places[k] for k in kept], [_short(steps[k]) for k in kept])


def _short(step: int) -> str:
    return f"{step // 1000}k" if step >= 10_000 and step % 1000 == 0 else str(step)


def _entries(table: pd.DataFrame, units: Sequence[str], value: str) -> dict[str, object]:
    style, unit, all_units = style_of(0), " or ".join(units), " or ".join(f"{unit}s" for unit in units)
    entries: dict[str, object] = {f"mean of {all_units}": line_sample(style)}
    if table.loc[table["layer"].isna(), "low"].notna().any():
        entries[f"lowest to highest {unit}"] = band_sample(style["color"], "outer")
        entries[f"middle half of {all_units}"] = band_sample(style["color"], "inner")
    best = f"highest {unit}" if value == VALUE else f"best {unit} on {chosen_by(table)}"
    entries[best] = best_sample(style["color"])
    if table["majority"].notna().any():
        entries["majority"] = level_samples(["majority"])["majority"]
    return entries
