"""Rows of the result frame as the matrix that is drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.figures.column import check_found, check_value
from probing.figures.grids import ABSENT, WHOLE_LAYERS, Grid, Order, split_grids
from probing.results.chance import ABOVE_CHANCE, chance_level, with_above_chance
from probing.results.effects import ranked_on
from probing.results.finding import finding_of_rows
from probing.results.grid_key import GridKey, key_of
from probing.results.several import differing, preferred, several
from probing.results.sizes import sizes_text

# scores on the task, which can be compared with guessing the majority
_SCORES = ("dev", "test", "untrained", "control", ABOVE_CHANCE)
_P = "p_adjusted"
_HEAD_COUNTS = ("the effect of n heads", "draw_top_heads")
# the interval and the rank that belong to a column
_BESIDE = {"test": ("test_low", "test_high", None), "value": ("value_low", "value_high", "rank")}
_BESIDE[ABOVE_CHANCE] = (f"{ABOVE_CHANCE}_low", f"{ABOVE_CHANCE}_high", None)


def only_grid(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows unchanged if all of them belong to one grid.

    Raises:
        ProbingError: If there are no rows, or if they belong to several grids.
    """
    grids = split_grids(rows)
    if rows[["analysis", "granularity"]].drop_duplicates().shape[0] == 1:
        _refuse_several_heads(rows)
    if len(grids) > 1:
        raise several(preferred(rows))
    return grids[0]


def arrange(rows: pd.DataFrame, order: Order = "head", value: str = "test") -> Grid:
    """Arrange the rows of one grid as a matrix.

    Args:
        rows: Rows of one grid of the result frame, in any order.
        order: "head" gives each head its own column; "score" sorts each layer and puts the best or most
            important head first.
        value: The column of scores, as fractions; "above_chance" for test scores on that scale; or "value"
            for the finding of an analysis.

    Raises:
        ProbingError: If `order` or `value` is unknown, if a head has two rows, or if a row covers several
            heads.
    """
    _refuse_several_heads(rows)
    if order not in ("head", "score"):
        raise ProbingError(f"order {order!r} is unknown; use head or score")
    if value == "value":
        check_found(rows)
    elif value == ABOVE_CHANCE:
        check_value(rows, "test")
        rows = with_above_chance(rows)
    else:
        check_value(rows, value)
    key = key_of(rows)
    layer = rows["layer"].to_numpy(dtype=np.int64)
    head = rows["head"].to_numpy(dtype=np.int64, na_value=0)
    _refuse_duplicates(rows, key, layer, head)
    layers = np.unique(layer)
    shape = (len(layers), int(head.max()) + 1)
    cells = (np.searchsorted(layers, layer), head)
    heads = np.full(shape, ABSENT)
    heads[cells] = head
    beside = _BESIDE.get(value, (None, None, None))
    tested = _P if value in ("test", ABOVE_CHANCE) else None
    chance = "chance" if value == "value" else None
    columns = [_matrix(rows, name, shape, cells) for name in (value, tested, chance, *beside)]
    if order == "score":
        heads, columns = _sort_layers(heads, columns)
    scores, p, by_chance, low, high, rank = columns
    majority = chance_level(rows) if value in _SCORES else float("nan")
    numbers = tuple(layers.tolist())
    full = float(_matrix(rows, "full" if value == "value" else None, shape, cells)[cells][0])
    said = sizes_text(rows), ranked_on(rows)
    return Grid(
        key, value, order, majority, numbers, heads, scores, low, high, rank, full, p, *said, by_chance
    )


def _refuse_several_heads(rows: pd.DataFrame) -> None:
    kind = str(rows["granularity"].iloc[0])
    of_heads = kind in ("top_heads", "all_heads")
    if of_heads or rows["layer"].isna().any():
        what, how = _HEAD_COUNTS if of_heads else finding_of_rows(rows).absent
        drawn = f"; {what} is drawn by {how}" if how else "; select rows of single heads or layers"
        raise ProbingError(f"rows of granularity {kind} cover several heads and form no grid{drawn}")


def _refuse_duplicates(
    rows: pd.DataFrame, key: GridKey, layer: NDArray[np.int64], head: NDArray[np.int64]
) -> None:
    cells, counts = np.unique(np.stack([layer, head], axis=1), axis=0, return_counts=True)
    if counts.max() > 1:
        twice = cells[counts.argmax()]
        place = f"layer {twice[0]}" + ("" if key.granularity in WHOLE_LAYERS else f" head {twice[1]}")
        start = f"{key.model}, {key.task}: {place} has {counts.max()} rows"
        if differing(rows):
            raise several(rows, "run", f"{start}, from ")
        raise ProbingError(f"{start}; keep one of them")


def _matrix(
    rows: pd.DataFrame,
    name: str | None,
    shape: tuple[int, int],
    cells: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> NDArray[np.float64]:
    matrix = np.full(shape, np.nan)
    if name is not None and name in rows:
        values = rows[name].to_numpy(dtype=np.float64, na_value=np.nan)
        matrix[cells] = np.where(np.isfinite(values), values, np.nan)
    return matrix


def _sort_layers(
    heads: NDArray[np.int64], columns: list[NDArray[np.float64]]
) -> tuple[NDArray[np.int64], list[NDArray[np.float64]]]:
    absent = heads == ABSENT
    scores, rank = columns[0], columns[-1]
    worse = rank if np.isfinite(rank).any() else -scores
    falling = np.where(np.isnan(scores), np.inf, worse)
    ranks = np.lexsort((heads, falling, absent))[:, : int((~absent).sum(axis=1).max())]
    return (
        np.take_along_axis(heads, ranks, axis=1),
        [np.take_along_axis(column, ranks, axis=1) for column in columns],
    )
