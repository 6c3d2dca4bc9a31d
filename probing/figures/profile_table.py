"""Scores by layer: whole layers directly, heads as the mean and spread of the heads of a layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from probing.errors import ProbingError
from probing.figures.column import check_found, check_value
from probing.figures.grids import WHOLE_LAYERS
from probing.results.checks import single_heads
from probing.results.grid_key import GridKey
from probing.results.schema import places
from probing.results.several import preferred, several
from probing.results.sizes import SIZES

_KEY = list(GridKey._fields)
_KINDS = ("head", *WHOLE_LAYERS)
_BESIDE = ("untrained", "control")


def spread_table(
    frame: pd.DataFrame, along: Sequence[str], value: str, *, pooled: bool = False
) -> pd.DataFrame:
    """Summarise scores at each place along a line, in the order of the frame.

    Args:
        frame: Rows of the result frame; only granularities head, layer and attention are used.
        along: Columns that distinguish places, in addition to those of the grid: `layer` or `step`.
        value: The column to read scores from.
        pooled: Whether whole layers are summarised as heads are, instead of each being a place.

    Returns:
        Columns of the grid's key and `along`, then: `score`, of the layer or the mean of heads; `low` and
        `high`, its interval or the quartiles of heads; `lowest` and `highest` of several heads; `best`,
        the score of the head that is best on dev (or of the highest, if dev scores are unknown), with
        `best_layer`, `best_head` and `best_by`, the column that selected it; `heads`, the number of heads
        with a score; `untrained` and `control`, the mean of those columns; `majority`; and the columns
        that count examples.

    Raises:
        ProbingError: If `value` is not a column of scores, if there are no such rows, or if a cell has two.
    """
    frame = single_heads(frame, "a line over layers")
    if value == "value":
        check_found(frame)
    else:
        check_value(frame, value)
    rows = preferred(frame[frame["granularity"].isin(_KINDS) & frame["layer"].notna()])
    if rows.empty:
        raise ProbingError(
            f"no results of granularity {', '.join(_KINDS)} to draw; loosen the selection of rows"
        )
    cells = [*_KEY, *along, "layer", "head"]
    columns = [name for name in dict.fromkeys(cells) if name in rows]
    twice = rows.duplicated(columns)
    if twice.any():
        first = rows[twice].iloc[0]
        place = f"{first['model']}, {first['task']}: layer {first['layer']} has two rows"
        alike = rows[(places(rows, columns) == places(rows[twice].iloc[:1], columns)[0])]
        raise several(alike, "run", f"{place}, from ")
    made = []
    for names, cell in rows.groupby([*_KEY, *along], sort=False, dropna=False, observed=True):
        made.append({**dict(zip([*_KEY, *along], names, strict=True)), **_spread(cell, value, pooled)})
    table = pd.DataFrame(made)
    whole = [name for name in ("best_layer", "best_head") if name in table]
    return table.astype(dict.fromkeys(whole, "Int64"))


def without_baselines(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows without those of baselines that are already in the columns of other rows."""
    there = [name for name in _BESIDE if name in frame and frame[name].notna().any()]
    return frame[~frame["baseline"].isin(there)]


def _spread(cell: pd.DataFrame, value: str, pooled: bool) -> dict[str, object]:
    scores = _floats(cell, value)
    known = scores[np.isfinite(scores)]
    beside = {name: _mean(_floats(cell, name)) for name in (*_BESIDE, "majority")}
    sizes = {name: cell[name].iloc[0] for name in SIZES}
    made: dict[str, object] = {"score": _mean(scores), "heads": len(known), **beside, **sizes}
    if cell["granularity"].iloc[0] in WHOLE_LAYERS and not pooled:
        low, high = (
            _floats(cell, name)[0] if value == "test" else np.nan for name in ("test_low", "test_high")
        )
        return {**made, "low": low, "high": high}
    if not len(known):
        unknown = ("low", "high", "lowest", "highest", "best", "best_layer", "best_head")
        return {**made, **dict.fromkeys(unknown, np.nan)}
    low, high = np.quantile(known, [0.25, 0.75])
    lowest, highest = known.min(), known.max()
    if len(known) == 1:  # a band of one head would look like a spread
        low = high = lowest = highest = np.nan
    dev = _floats(cell, "dev")
    by_dev = bool(np.isfinite(dev[np.isfinite(scores)]).all())
    chooser = dev if by_dev else scores
    place = int(np.nanargmax(np.where(np.isfinite(scores), chooser, np.nan)))
    best = cell.iloc[place]
    return {
        **made, "low": low, "high": high, "lowest": lowest, "highest": highest,
        "best": scores[place], "best_layer": best["layer"], "best_head": best["head"],
        "best_by": "dev" if by_dev else value,
    }  # fmt: skip


def _floats(rows: pd.DataFrame, name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    if name not in rows:
        return np.full(len(rows), np.nan)
    return rows[name].to_numpy(dtype=np.float64, na_value=np.nan)


def _mean(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def chosen_by(table: pd.DataFrame) -> str:
    """The split that selected the best of several heads in a table of `spread_table`: "dev" or "test"."""
    if "best_by" not in table:
        return "dev"
    return " or ".join(map(str, table["best_by"].dropna().unique())) or "dev"
