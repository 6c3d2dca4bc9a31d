"""The effect of n heads: the best together, whole layers, random heads and permuted labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from probing.errors import ProbingError
from probing.figures.column import check_value
from probing.figures.facets import Facet, Facets, facets_figure, header_lines, panel_name
from probing.figures.grids import PANEL, panels_of
from probing.figures.line_plot import (
    band_sample,
    draw_band,
    draw_level,
    draw_line,
    level_samples,
    line_sample,
    score_axis,
    style_of,
)
from probing.figures.naming import layer_name, spoken, value_name
from probing.figures.picture import Picture
from probing.figures.style import drawing
from probing.results.grid_key import GridKey
from probing.results.schema import RESULT
from probing.results.several import preferred, several
from probing.results.sizes import SIZES
from probing.results.units import metric_name
from probing.validation.arguments import checked

CURVES = {"top": "best heads on dev", "random": "random heads", "permuted": "best heads, permuted labels"}
LAYERS = {"last_layer": "last layer", "best_layer": "best layer on dev"}
_DRAWN = ("random", "permuted")


@checked(frame=RESULT)
def draw_top_heads(frame: pd.DataFrame, path: str | Path | None = None, *, value: str = "test") -> Picture:
    """Draw scores against the number of heads read together, a panel for each task.

    The curve of the heads that are best on dev has its interval. Random heads and permuted labels have the
    mean and range of their draws. The last layer, the best layer on dev and the majority are levels.

    Args:
        frame: Rows of the result frame of granularity top_heads; other rows are left out.
        path: Path of the files, without .png, .svg, .pdf or .csv, which are added. Files of that name are
            overwritten. None writes nothing.
        value: The column to draw, "test" or "dev".

    Returns:
        The figure, with `table`, the data behind it, and `files`, the PNG, SVG, PDF and CSV.

    Raises:
        ProbingError: If there are no such rows, or several runs have the same names.

    Example:
        >>> import probing
        >>> frame = probing.load_results("outputs")  # doctest: +SKIP
        >>> probing.draw_top_heads(frame, "top_heads").files.png  # doctest: +SKIP
        PosixPath('top_heads.png')
    """
    table = top_heads_table(frame, value)
    with drawing():
        return top_heads_figure(table, value).finish(table, path, "the effect of n heads")


def top_heads_table(frame: pd.DataFrame, value: str = "test") -> pd.DataFrame:
    """The table behind the picture: a row for each curve and n, and one for each level.

    Returns:
        Columns of the grid's key (variant is the curve), `n_heads`, `layer`, `score` (the mean of draws),
        `low`, `high` (an interval of the best heads, the range of several draws), `draws`, `dev` (without
        draws), `majority`, and the columns that count examples.

    Raises:
        ProbingError: If there are no such rows, or several runs have the same names.
    """
    check_value(frame, value)
    rows = preferred(frame[frame["granularity"] == "top_heads"])
    if rows.empty:
        raise ProbingError("no results of granularity top_heads to draw; run probing granularity=top_heads")
    known = rows["variant"].isin([*CURVES, *LAYERS])
    columns = [*PANEL, "variant", "n_heads", "layer"]
    made: list[dict[Any, object]] = []
    for _, cell in rows[known].groupby(columns, sort=False, dropna=False, observed=True):
        if len(cell["key"].unique()) > 1 or cell["draw"].duplicated().any():
            task, variant = cell[["task", "variant"]].iloc[0]
            raise several(cell, "run", f"{task}: {variant} is from ")
        made.append({**cell.iloc[0][[*columns, "dev", "majority", *SIZES]].to_dict(), **_spread(cell, value)})
    table = pd.DataFrame(made)[[*columns, "score", "low", "high", "draws", "dev", "majority", *SIZES]]
    table["dev"] = table["dev"].where(~table["variant"].isin(_DRAWN))
    for name in ("dev", "majority"):
        table[name] = table[name].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    return table.astype({"n_heads": "Int64", "layer": "Int64"})


def top_heads_figure(table: pd.DataFrame, value: str = "test") -> Picture:
    """The picture of such a table; call it within `style.drawing`."""
    panels = panels_of(table)
    keys = [key for key, _ in panels]
    return facets_figure(
        Facets(
            header=header_lines(keys, "the effect of n heads", table),
            panels=[_facet(rows, table, key, keys, value) for key, rows in panels],
            entries=_entries(table),
            x_label="heads read together",
        )
    )


def _spread(cell: pd.DataFrame, value: str) -> dict[str, float]:
    """The mean and range of several draws; for a single row, its score and interval."""
    scores = cell[value].to_numpy(dtype=np.float64, na_value=np.nan)
    if cell["variant"].iloc[0] in _DRAWN:
        known = scores[np.isfinite(scores)]
        mean = known.mean() if len(known) else np.nan
        low, high = (known.min(), known.max()) if len(known) > 1 else (np.nan, np.nan)
        return {"score": float(mean), "low": float(low), "high": float(high), "draws": len(known)}
    ends = [cell[name].iloc[0] if value == "test" else pd.NA for name in ("test_low", "test_high")]
    low, high = (np.nan if pd.isna(end) else float(end) for end in ends)
    return {"score": float(scores[0]), "low": low, "high": high, "draws": 1}


def _facet(rows: pd.DataFrame, of: pd.DataFrame, key: GridKey, keys: Sequence[GridKey], value: str) -> Facet:
    name, words = panel_name(key, keys, rows, of)
    facts = []
    top = rows[(rows["variant"] == "top") & rows["dev"].notna()]
    if not top.empty:
        most = top.iloc[int(top["dev"].to_numpy(dtype=np.float64).argmax())]
        facts.append(f"{_heads(int(most['n_heads']))}: {spoken(most['score'], key.metric)}")
    for _, layer in rows[rows["variant"] == "best_layer"].iterrows():
        facts.append(f"layer {layer_name(int(layer['layer']))}: {spoken(layer['score'], key.metric)}")
    if facts:
        facts.append("selected on dev")
    label = f"{value_name(value)} {metric_name(key.metric)}"
    return Facet(name, (*facts, *words), lambda stack: _draw(stack[0], rows, key.metric), [label])


def _heads(count: int) -> str:
    return "1 head" if count == 1 else f"{count} heads"


def _draw(axes: Axes, rows: pd.DataFrame, metric: str) -> None:
    for number, variant in enumerate(CURVES):
        curve = rows[rows["variant"] == variant].sort_values("n_heads")
        if curve.empty:
            continue
        style = style_of(number)
        n = curve["n_heads"].to_numpy(dtype=np.float64)
        shade = "inner" if variant == "top" else "outer"
        draw_band(axes, n, curve["low"], curve["high"], style["color"], shade)
        draw_line(axes, n, curve["score"], style, variant)
    for variant in LAYERS:
        for score in rows.loc[rows["variant"] == variant, "score"].astype(float):
            draw_level(axes, score, variant)
    draw_level(axes, float(rows["majority"].iloc[0]), "majority")
    _number_heads(axes, sorted(rows["n_heads"].dropna().astype(int).unique()))
    score_axis(axes, metric)


def _number_heads(axes: Axes, counts: Sequence[int]) -> None:
    """Number a logarithmic axis of n, without the numbers that are too close to the next one."""
    if not counts:
        return
    axes.set_xscale("log", base=2)
    axes.xaxis.set_minor_locator(NullLocator())
    span = max(np.log2(counts[-1] / counts[0]), 1.0)
    axes.set_xlim(counts[0] / 2 ** (0.04 * span), counts[-1] * 2 ** (0.04 * span))
    # the last n is all heads and always has a number
    kept = [counts[-1]]
    for count in reversed(counts[:-1]):
        if np.log2(kept[-1] / count) / span > 0.1:
            kept.append(count)
    axes.set_xticks(kept, [str(count) for count in kept])


def _entries(table: pd.DataFrame) -> dict[str, object]:
    there = set(table["variant"])
    entries: dict[str, object] = {}
    for number, (variant, name) in enumerate(CURVES.items()):
        if variant in there:
            style = style_of(number)
            spread = table.loc[table["variant"] == variant, "low"].notna().any()
            shade = "inner" if variant == "top" else "outer"
            how = "95 % interval" if variant == "top" else "mean and range of draws"
            entries[f"{name}, {how}" if spread else name] = (
                (band_sample(style["color"], shade), line_sample(style)) if spread else line_sample(style)
            )
    samples = level_samples([*LAYERS, "majority"])
    entries |= {name: samples[variant] for variant, name in LAYERS.items() if variant in there}
    if table["majority"].notna().any():
        entries["majority"] = samples["majority"]
    return entries
