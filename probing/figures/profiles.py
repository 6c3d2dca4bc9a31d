"""Layer profiles: scores from the input to the output of a model."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from probing.figures.cells import label_step
from probing.figures.column import check_value
from probing.figures.facets import Facet, Facets, facets_figure, header_lines
from probing.figures.grids import WHOLE_LAYERS
from probing.figures.line_plot import (
    band_sample,
    best_sample,
    draw_band,
    draw_beside,
    draw_best,
    draw_level,
    draw_line,
    level_samples,
    line_sample,
    score_axis,
    style_of,
)
from probing.figures.naming import above_formula, describe, layer_name, usual_metric, value_name
from probing.figures.page import Line
from probing.figures.panel_order import common_prefix
from probing.figures.picture import Picture
from probing.figures.profile_table import chosen_by, spread_table, without_baselines
from probing.figures.style import FAINT, LINES, TEXT_SIZE, drawing
from probing.results.alike import quantity_of
from probing.results.chance import ABOVE_CHANCE, rescaled, usual_value
from probing.results.grid_key import GridKey, key_of
from probing.results.schema import RESULT
from probing.results.sizes import sizes_text
from probing.results.units import metric_name
from probing.validation.arguments import checked

_BESIDE = {"untrained": "untrained model", "control": "control labels"}
_GREY = "#595959"


@checked(frame=RESULT)
def draw_profiles(frame: pd.DataFrame, path: str | Path | None = None, *, value: str = "auto") -> Picture:
    """Draw scores against layers: a panel for each task, and a line for each model, probe or other setting.

    Whole layers are a line with its interval. Heads are shown by the mean of the heads of a layer, a band of
    their middle half, and the best head of the layer on dev. A few tasks of whole layers share one panel.

    Args:
        frame: Rows of the result frame, of granularity head, layer or attention.
        path: Path of the files, without .png, .svg, .pdf or .csv, which are added. Files of that name are
            overwritten. None writes nothing.
        value: The column to draw: "test", "dev", or "above_chance", (test - majority) / (1 - majority).
            "auto" is "above_chance" where tasks with different majorities share a panel, and otherwise
            "test".

    Returns:
        The figure, with `table`, the data behind it, and `files`, the PNG, SVG, PDF and CSV.

    Raises:
        ProbingError: If there are no such rows, if a cell has two, or if a panel would have too many lines.

    Example:
        >>> import probing
        >>> frame = probing.load_results("outputs")  # doctest: +SKIP
        >>> probing.draw_profiles(frame, "profiles").files.png  # doctest: +SKIP
        PosixPath('profiles.png')
    """
    table, value = _table(without_baselines(frame), value)
    with drawing():
        return profiles_figure(table, value).finish(table, path, "layer profiles")


def _table(rows: pd.DataFrame, value: str) -> tuple[pd.DataFrame, str]:
    """The table behind the picture, and the drawn value; column `scale` names scores above chance."""
    if value == "auto":
        table = spread_table(rows, ["layer"], "test")
        grids = [own for _, own in _split(table, list(GridKey._fields))]
        _, together = _line_fields([key_of(own) for own in grids])
        value = usual_value([own.assign(test=own["score"]) for own in grids]) if together else "test"
    if value == ABOVE_CHANCE:
        return spread_table(rescaled(rows), ["layer"], "test").assign(scale=ABOVE_CHANCE), value
    check_value(rows, value)  # what an analysis found is no score, and has no chance to compare with
    return spread_table(rows, ["layer"], value), value


def profiles_figure(table: pd.DataFrame, value: str = "test") -> Picture:
    """The picture of a table of `spread_table` along layers; call it within `style.drawing`."""
    keys = [key_of(rows) for _, rows in _split(table, list(GridKey._fields))]
    lines, together = _line_fields(keys)
    names = dict.fromkeys(_line_name(key, lines, keys) for key in keys)
    styles = {name: style_of(number) for number, name in enumerate(names)}
    panels = [table] if together else _panels(table, value)
    usual = usual_metric(keys)

    def facet(rows: pd.DataFrame) -> Facet:
        curves = [of_line for _, of_line in _split(rows, list(GridKey._fields))]
        named = {_line_name(key_of(curve), lines, keys): curve for curve in curves}
        task = str(rows["task"].iloc[0])
        own = [metric_name(name) for name in rows["metric"].unique() if name != usual]
        prefix = common_prefix([key.task for key in keys])
        name = "" if together or len(panels) == 1 else task.removeprefix(prefix)
        label = f"{value_name(value)} {own[0] if own else metric_name(usual)}"
        label += " above chance" if value == ABOVE_CHANCE else ""
        sizes = sizes_text(rows)
        own += [sizes] if sizes != sizes_text(table) else []
        return Facet(name, tuple(own), lambda stack: _draw(stack[0], named, styles), [label])

    header = header_lines(keys, "layer profiles", table)
    if value == ABOVE_CHANCE:
        header.append(Line(above_formula(), TEXT_SIZE, FAINT))
    return facets_figure(
        Facets(
            header=header,
            panels=[facet(rows) for rows in panels],
            entries=_entries(
                table, styles, {_line_name(key, lines, keys) for key in keys if key.granularity == "head"}
            ),
            x_label="layer",
        )
    )


def _split(table: pd.DataFrame, by: list[str]) -> list[tuple[object, pd.DataFrame]]:
    return list(table.groupby(by, sort=False, dropna=False, observed=True))


def _panels(table: pd.DataFrame, value: str) -> list[pd.DataFrame]:
    """The rows of each task; those of another metric have their own axis."""
    panels: dict[tuple[str, str], list[pd.DataFrame]] = {}
    for _, rows in _split(table, list(GridKey._fields)):
        key = key_of(rows)
        panels.setdefault((key.task, quantity_of(key, value).scale), []).append(rows)
    return [pd.concat(parts) for parts in panels.values()]


def _line_fields(keys: Sequence[GridKey]) -> tuple[list[str], bool]:
    """The fields that distinguish the lines of a panel, and whether all tasks share one panel."""
    fields = [name for name in GridKey._fields if name not in ("task", "analysis")]
    tasks = dict.fromkeys(key.task for key in keys)
    varying = [
        name
        for name in fields
        if any(len({getattr(key, name) for key in keys if key.task == task}) > 1 for task in tasks)
    ]
    alike = len({key.metric for key in keys}) == 1
    whole = all(key.granularity in WHOLE_LAYERS for key in keys)
    if not varying and whole and alike and 1 < len(tasks) <= len(LINES):
        return ["task"], True
    return varying, False


def _line_name(key: GridKey, lines: Sequence[str], keys: Sequence[GridKey]) -> str:
    if list(lines) == ["task"]:
        return key.task.removeprefix(common_prefix([other.task for other in keys]))
    words = describe(key, lines)
    if words:
        return " · ".join(words)
    return "whole layer" if key.granularity == "layer" else "all heads of the layer together"


def _draw(axes: Axes, curves: dict[str, pd.DataFrame], styles: dict[str, dict[str, object]]) -> None:
    for name, unsorted in curves.items():
        curve, style = unsorted.sort_values("layer"), dict(styles[name])
        colour, x = str(style["color"]), curve["layer"].to_numpy(dtype=np.float64)
        if "best" in curve and len(curves) == 1:
            draw_band(axes, x, curve["lowest"], curve["highest"], colour, "outer")
        draw_band(axes, x, curve["low"], curve["high"], colour, "inner")
        draw_line(axes, x, curve["score"], style, name)
        if "best" in curve and curve["best"].notna().any():
            draw_best(axes, x, curve["best"], style)
        for kind in _BESIDE:
            if curve[kind].notna().any():
                draw_beside(axes, x, curve[kind], kind)
    for level in dict.fromkeys(level for curve in curves.values() for level in curve["majority"]):
        draw_level(axes, level, "majority")
    layers = sorted({int(layer) for curve in curves.values() for layer in curve["layer"]})
    number_layers(axes, layers)
    score_axis(axes, str(next(iter(curves.values()))["metric"].iloc[0]))


def number_layers(axes: Axes, layers: Sequence[int]) -> None:
    """Number layers along x, without the numbers that would overlap."""
    inches = axes.bbox.width / axes.figure.dpi
    span = max(layers[-1] - layers[0], 1)
    step = label_step(0.17 / (inches / span))
    shown = [layer for layer in layers if layer % step == 0 or layer < 0]
    axes.set_xlim(layers[0] - 0.03 * span, layers[-1] + 0.03 * span)
    axes.set_xticks(shown, [layer_name(layer) for layer in shown])


def _entries(
    table: pd.DataFrame, styles: dict[str, dict[str, object]], of_heads: Collection[str]
) -> dict[str, object]:
    heads = table["granularity"] == "head"
    whole = table.loc[~heads, "low"].notna().any()
    first = str(next(iter(styles.values()))["color"])
    alone = len(styles) == 1
    entries: dict[str, object] = {}
    for name, style in styles.items():
        mean = f"{name}, mean" if name in of_heads else name
        entries["mean of heads" if alone and heads.all() else mean] = line_sample(style)
    shade = first if alone else _GREY
    spread = table.loc[heads, "low"].notna().any()
    if spread and alone:
        entries["lowest to highest head"] = band_sample(shade, "outer")
    interval = "95 % interval of whole layers" if spread else "95 % interval"
    bands = [said for said, there in (("middle half of heads", spread), (interval, whole)) if there]
    if bands:
        entries["; ".join(bands)] = band_sample(shade, "inner")
    if heads.any():
        best = f"best head on {chosen_by(table)}"
        entries[f"{best}, hollow marks" if not alone else best] = best_sample(shade)
    samples = level_samples([*_BESIDE, "majority"])
    mean = ", mean" if heads.any() else ""
    entries |= {f"{said}{mean}": samples[k] for k, said in _BESIDE.items() if table[k].notna().any()}
    if table["majority"].notna().any():
        entries["majority"] = samples["majority"]
    return entries
