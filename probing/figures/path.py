"""The path of learned gates: remaining heads and score over the cost of an open gate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from probing.errors import ProbingError
from probing.figures.facets import Facet, Facets, facets_figure, header_lines, panel_name
from probing.figures.grids import PANEL, panels_of
from probing.figures.line_plot import draw_level, draw_line, score_axis, style_of
from probing.figures.masking_curves import level_entries
from probing.figures.naming import LAMBDA, spoken
from probing.figures.picture import Picture
from probing.figures.style import drawing
from probing.results.grid_key import GridKey
from probing.results.schema import RESULT
from probing.results.several import preferred, several
from probing.results.sizes import SIZES
from probing.results.threshold import last_kept, threshold
from probing.results.units import metric_name
from probing.validation.arguments import checked

_COLUMNS = [*PANEL, "lambda", "n_heads", "dev", "test", "full_dev", "full", "majority", *SIZES]


@checked(frame=RESULT)
def draw_path(frame: pd.DataFrame, path: str | Path | None = None) -> Picture:
    """Draw the test score and the number of open gates against lambda, a panel for each run.

    The gates are those of Voita et al. (2019). Lambda is on a logarithmic axis, with 0 to the left of all
    other values.

    Args:
        frame: Rows of the result frame of analysis gates, variant path; other rows are left out.
        path: Path of the files, without .png, .svg, .pdf or .csv, which are added. Files of that name are
            overwritten. None writes nothing.

    Returns:
        The figure, with `table`, the data behind it, and `files`, the PNG, SVG, PDF and CSV.

    Raises:
        ProbingError: If there are no such rows, or several runs have the same names.

    Example:
        >>> import probing
        >>> frame = probing.load_results("outputs")  # doctest: +SKIP
        >>> probing.draw_path(frame, "path").files.png  # doctest: +SKIP
        PosixPath('path.png')
    """
    table = path_table(frame)
    with drawing():
        return path_figure(table).finish(table, path, "gates of heads over lambda")


def path_table(frame: pd.DataFrame) -> pd.DataFrame:
    """The table behind the picture: a row for each run and lambda, from the smallest.

    Returns:
        Columns of the grid's key without variant, then `lambda`, `n_heads` (open gates), `dev`,
        `test`, `full_dev` and `full` (dev and test score of the full model), `majority`, and the
        columns that count examples.

    Raises:
        ProbingError: If there are no such rows, or several runs have the same names.
    """
    rows = preferred(frame[(frame["analysis"] == "gates") & (frame["variant"] == "path")])
    if rows.empty:
        raise ProbingError("no results of gates to draw; run probing analysis=gates")
    twice = rows.duplicated([*PANEL, "penalty"], keep=False)
    if twice.any():
        raise several(
            rows[twice].drop(columns="penalty"), "run", f"{rows[twice]['task'].iloc[0]}: a lambda is from "
        )
    whole = frame[(frame["analysis"] == "gates") & (frame["variant"] == "full")]
    full_dev = rows["key"].map(whole.drop_duplicates("key").set_index("key")["dev"].astype(float))
    table = rows.rename(columns={"penalty": "lambda"}).assign(full_dev=full_dev)[_COLUMNS]
    return table.sort_values("lambda", kind="stable").reset_index(drop=True)


def path_figure(table: pd.DataFrame) -> Picture:
    """The picture of such a table; call it within `style.drawing`."""
    panels = panels_of(table)
    keys = [key for key, _ in panels]
    return facets_figure(
        Facets(
            header=header_lines(keys, "gates of heads", table),
            panels=[_facet(rows, table, key, keys) for key, rows in panels],
            entries=level_entries(table),
            x_label=f"{LAMBDA}, cost of an open gate",
            heights=(1.1, 0.75),
        )
    )


def _facet(rows: pd.DataFrame, of: pd.DataFrame, key: GridKey, keys: Sequence[GridKey]) -> Facet:
    name, words = panel_name(key, keys, rows, of)
    labels = [f"test {metric_name(key.metric)}", "heads remaining"]
    facts = (*_selected(rows, key.metric), *words)
    return Facet(name, facts, lambda stack: _draw(stack, rows, key.metric), labels)


def _selected(rows: pd.DataFrame, metric: str) -> list[str]:
    """The last lambda that keeps the dev score of the full model; empty if that score is unknown."""
    dev, full = (rows[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in ("dev", "full_dev"))
    if np.isnan(full[0]):
        return []
    last = rows.iloc[max(last_kept(dev, full[0], metric), 0)]
    heads = f"{LAMBDA} {last['lambda']:g}: {last['n_heads']} heads, {spoken(last['test'], metric)}"
    return [heads, "selected on dev"]


def _draw(stack: Sequence[Axes], rows: pd.DataFrame, metric: str) -> None:
    scores, counts = stack
    penalties = rows["lambda"].to_numpy(dtype=np.float64)
    x = _places(penalties)
    draw_line(scores, x, rows["test"].to_numpy(dtype=np.float64, na_value=np.nan), style_of(0), "test")
    full = rows["full"].to_numpy(dtype=np.float64, na_value=np.nan)[0]
    draw_level(scores, full, "full")
    draw_level(scores, rows["majority"].to_numpy(dtype=np.float64, na_value=np.nan)[0], "majority")
    draw_level(scores, threshold(full, metric), "threshold")
    score_axis(scores, metric)
    draw_line(counts, x, rows["n_heads"].to_numpy(dtype=np.float64), style_of(1), "heads")
    counts.set_ylim(0, None)
    counts.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    kept = _apart(x, [f"{penalty:g}" for penalty in penalties], scores)
    for axes in stack:
        axes.set_xlim(x[0] - 0.04 * max(np.ptp(x), 1), x[-1] + 0.04 * max(np.ptp(x), 1))
        axes.set_xticks([x[k] for k in kept], [f"{penalties[k]:g}" for k in kept])
    scores.tick_params(labelbottom=False)


def _places(penalties: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float]:
    """Logarithms; 0 is a power of ten to the left of the smallest."""
    known = np.log10(penalties[penalties > 0])
    first = (float(known.min()) if len(known) else 0.0) - 1
    return [float(np.log10(penalty)) if penalty > 0 else first for penalty in penalties]


def _apart(places: Sequence[float], names: Sequence[str], axes: Axes) -> list[int]:
    """The places whose names fit without overlapping; always includes the last."""
    inch = max(float(np.ptp(places)), 1e-9) / (axes.bbox.width / axes.figure.dpi)
    kept = [len(places) - 1]
    for place in range(len(places) - 2, -1, -1):
        room = 0.03 * (len(names[place]) + len(names[kept[-1]])) + 0.06
        if places[kept[-1]] - places[place] >= room * inch:
            kept.append(place)
    return kept[::-1]
