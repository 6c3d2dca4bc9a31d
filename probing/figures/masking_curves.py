"""Masking curves: the score of a model as more and more heads are masked, for several rankings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from probing.errors import ProbingError
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
from probing.figures.naming import spoken
from probing.figures.picture import Picture
from probing.figures.style import drawing
from probing.results.grid_key import GridKey
from probing.results.schema import RESULT
from probing.results.several import preferred, several
from probing.results.sizes import SIZES
from probing.results.text.curves import RANKINGS
from probing.results.threshold import last_kept, threshold
from probing.results.units import LOSS, metric_name
from probing.validation.arguments import checked

CURVES = {
    "iterative": "iterative: least important first, ranked again after each step",
    "importance": "importance: least important first",
    "ablation": "ablation: smallest effect first",
    "probe": "probe: worst first",
    "random": "random order",
}


@checked(frame=RESULT)
def draw_masking(frame: pd.DataFrame, path: str | Path | None = None) -> Picture:
    """Draw test scores against the share of heads that are masked, a line for each ranking.

    The random order is shown as the mean and range of its draws. The score of the full model is a dashed
    line, and 90 % of it a fine line (figure 2 of Michel et al. 2019). Each model, task and seed has a panel.

    Args:
        frame: Rows of the result frame of analysis masking; other rows are left out.
        path: Path of the files, without .png, .svg, .pdf or .csv, which are added. Files of that name are
            overwritten. None writes nothing.

    Returns:
        The figure, with `table`, the data behind it, and `files`, the PNG, SVG, PDF and CSV.

    Raises:
        ProbingError: If there are no such rows, or several runs have the same names.

    Example:
        >>> import probing
        >>> frame = probing.load_results("outputs")  # doctest: +SKIP
        >>> probing.draw_masking(frame, "masking").files.png  # doctest: +SKIP
        PosixPath('masking.png')
    """
    table = masking_table(frame)
    with drawing():
        return masking_figure(table).finish(table, path, "scores of a model with masked heads")


def masking_table(frame: pd.DataFrame) -> pd.DataFrame:
    """The table behind the picture: a row for each ranking and number of heads.

    Returns:
        Columns of the grid's key (variant is the ranking), `n_heads` (remaining), `masked` (share of all),
        `score` (mean of draws), `low`, `high` (their range), `draws`, `dev` (where there are no draws),
        `full`, `majority`, and the columns that count examples.

    Raises:
        ProbingError: If there are no such rows, or several runs have the same names.
    """
    rows = preferred(frame[frame["analysis"] == "masking"])
    if rows.empty:
        raise ProbingError("no results of masking to draw; run probing analysis=masking")
    total = rows.groupby(PANEL, dropna=False, observed=True)["n_heads"].transform("max")
    rows = rows.assign(masked=1 - rows["n_heads"].astype(float) / total.astype(float))
    columns = [*PANEL, "variant", "n_heads", "masked"]
    made = []
    for names, cell in rows.groupby(columns, sort=False, dropna=False, observed=True):
        if cell["draw"].duplicated().any():
            raise several(cell, "run", f"{cell['task'].iloc[0]}: {cell['variant'].iloc[0]} is from ")
        scores = cell["test"].to_numpy(dtype=np.float64, na_value=np.nan)
        drawn = len(cell) > 1
        made.append(
            {
                **dict(zip(columns, names, strict=True)),
                "score": float(scores.mean()),
                "low": float(scores.min()) if drawn else np.nan,
                "high": float(scores.max()) if drawn else np.nan,
                "draws": len(cell),
                "dev": np.nan if drawn else _float(cell["dev"].iloc[0]),
                **{name: _float(cell[name].iloc[0]) for name in ("full", "majority")},
                **{name: cell[name].iloc[0] for name in SIZES},
            }
        )
    return pd.DataFrame(made)


def masking_figure(table: pd.DataFrame) -> Picture:
    """The picture of such a table; call it within `style.drawing`."""
    panels = panels_of(table)
    keys = [key for key, _ in panels]
    names = _names(table)
    return facets_figure(
        Facets(
            header=header_lines(keys, "scores with masked heads", table),
            panels=[_facet(rows, table, key, keys, names) for key, rows in panels],
            entries=_entries(table, names),
            x_label="heads masked",
        )
    )


def _names(table: pd.DataFrame) -> dict[str, str]:
    """The name of every ranking in the table, known rankings first."""
    there = list(table["variant"].unique())
    known = [name for name in RANKINGS if name in there]
    return {name: CURVES.get(name, name.replace("_", " ")) for name in dict.fromkeys([*known, *there])}


def _float(number: object) -> float:
    return float("nan") if pd.isna(number) else float(number)  # type: ignore[arg-type, call-overload]


def _facet(
    rows: pd.DataFrame, of: pd.DataFrame, key: GridKey, keys: Sequence[GridKey], names: dict[str, str]
) -> Facet:
    name, words = panel_name(key, keys, rows, of)
    told = _fewest(rows[rows["variant"] == next(iter(names))], key.metric)
    draw = _drawer(rows, key.metric, names)
    return Facet(name, (*told, *words), draw, [f"test {metric_name(key.metric)}"])


def _fewest(curve: pd.DataFrame, metric: str) -> list[str]:
    """Number of heads that one ranking can mask while the dev score stays within the threshold."""
    curve = curve.sort_values("masked")
    dev = curve["dev"].to_numpy(dtype=np.float64)
    if curve.empty or not np.isfinite(dev).all() or curve["masked"].iloc[0] > 0:
        return []
    last = curve.iloc[last_kept(dev, dev[0], metric)]
    gone = int(curve["n_heads"].iloc[0] - last["n_heads"])
    name, total = curve["variant"].iloc[0], curve["n_heads"].iloc[0]
    return [
        f"{name}: {gone} of {total} heads can be masked",
        f"selected on dev; test {spoken(last['score'], metric)}",
    ]


def _drawer(rows: pd.DataFrame, metric: str, names: dict[str, str]) -> Callable[[Sequence[Axes]], None]:
    def draw(stack: Sequence[Axes]) -> None:
        axes = stack[0]
        for number, variant in enumerate(names):
            curve = rows[rows["variant"] == variant].sort_values("masked")
            if curve.empty:
                continue
            style, x = style_of(number), 100 * curve["masked"].to_numpy(dtype=np.float64)
            draw_band(axes, x, curve["low"], curve["high"], style["color"], "outer")
            draw_line(axes, x, curve["score"], style, variant)
        full = float(rows["full"].iloc[0])
        draw_level(axes, full, "full")
        draw_level(axes, float(rows["majority"].iloc[0]), "majority")
        draw_level(axes, threshold(full, metric), "threshold")
        axes.set(xlim=(-2, 102))
        axes.set_xticks([0, 25, 50, 75, 100], ["0", "25", "50", "75", "100 %"])
        score_axis(axes, metric)

    return draw


def _entries(table: pd.DataFrame, names: dict[str, str]) -> dict[str, object]:
    entries: dict[str, object] = {}
    for number, (variant, name) in enumerate(names.items()):
        style = style_of(number)
        drawn = table.loc[table["variant"] == variant, "low"].notna().any()
        sample = line_sample(style)
        entries[f"{name}, mean and range" if drawn else name] = (
            (band_sample(style["color"], "outer"), sample) if drawn else sample
        )
    return {**entries, **level_entries(table)}


def level_entries(table: pd.DataFrame) -> dict[str, object]:
    """Legend entries of the full score, the threshold and the majority, if they are known."""
    samples = level_samples(["full", "threshold", "majority"])
    entries: dict[str, object] = {}
    if table["full"].notna().any():
        loss = (table["metric"] == LOSS).all()
        share = "its loss / 0.9" if loss else "90 % of its score"
        entries = {"full model": samples["full"], share: samples["threshold"]}
    return {**entries, "majority": samples["majority"]} if table["majority"].notna().any() else entries
