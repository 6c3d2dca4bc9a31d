"""From rows of the result frame to the matrix that is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.figures.column import check_found, check_value
from probing.results.alike import Quantity, quantity_of
from probing.results.chance import Against, against, chance_level
from probing.results.several import differing, preferred, several
from probing.results.sizes import sizes_text

Order = Literal["head", "score"]
ABSENT = -1
EMBEDDINGS = -1
WHOLE_LAYERS = ("layer", "attention")
# columns whose numbers are scores of the task, which guessing the majority may be set beside
_SCORES = ("dev", "test", "untrained", "control")
_P = "p_adjusted"
_DRAWN = {"masking": ("a masking curve", "draw_masking"), "gates": ("a path over lambda", "draw_path")}
# the ends of the interval and the rank that stand beside a column
_BESIDE = {"test": ("test_low", "test_high", None), "value": ("value_low", "value_high", "rank")}


class GridKey(NamedTuple):
    """What tells one grid of the result frame from another."""

    analysis: str
    model: str
    task: str
    granularity: str
    pooling: str
    probe: str
    objective: str
    seed: int
    limit: int | str
    baseline: str
    variant: str
    stack: str
    metric: str


@dataclass(frozen=True)
class Grid:
    """Scores of the heads of a model as they are drawn: one row per layer, upward from the input.

    Attributes:
        key: Which grid of the frame this is.
        value: The column that `scores` were read from.
        order: Whether columns are head indices or ranks within the layer.
        majority: Score of always guessing the majority class; a fraction, NaN if unknown, or if `value`
            is no score of the task but a difference or a p-value.
        layers: Layer number of each row, ascending.
        heads: int64 (rows, columns), the head in each cell; ABSENT where the layer has no such head.
        scores: float64 (rows, columns), fractions; NaN where there is no head or no score.
        low: float64 (rows, columns), lower end of the confidence interval; NaN where there is none.
        high: float64 (rows, columns), upper end of the confidence interval; NaN where there is none.
        rank: float64 (rows, columns), from 1: how much the model needs each; NaN where that is not known,
            or `value` is a score.
        full: Score of the whole model that differences are to; NaN where there is none.
        p: float64 (rows, columns), p corrected for choosing the best of all; NaN where there is none.
        sizes: Examples behind the numbers, "n 1000 train, 500 dev, 500 test"; may be empty.
    """

    key: GridKey
    value: str
    order: Order
    majority: float
    layers: tuple[int, ...]
    heads: NDArray[np.int64]
    scores: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    rank: NDArray[np.float64]
    full: float
    p: NDArray[np.float64]
    sizes: str

    @property
    def quantity(self) -> Quantity:
        """What the numbers are; grids of equal quantities share a scale."""
        return key_quantity(self.key, self.value)

    @property
    def found(self) -> bool:
        """Whether this is what an analysis found about a head, and no score of a probe."""
        return self.value == "value"

    @property
    def whole_layers(self) -> bool:
        """Whether each row is one probe on the whole layer."""
        return self.key.granularity in WHOLE_LAYERS

    @property
    def present(self) -> NDArray[np.bool_]:
        """Cells that stand for a head (or layer) of the model."""
        return np.not_equal(self.heads, ABSENT)

    @property
    def unscored(self) -> NDArray[np.bool_]:
        """Cells of heads that have no score."""
        return self.present & ~np.isfinite(self.scores)

    @property
    def against(self) -> Against:
        """On which side of the majority the intervals lie; those of differences, on which side of 0."""
        return against(self.low, self.high, 0.0 if self.found else self.majority)

    @property
    def guessing(self) -> NDArray[np.bool_]:
        """Cells whose interval holds the majority; of differences, those whose interval holds 0."""
        return self.against.holds

    @property
    def falling(self) -> NDArray[np.bool_]:
        """Cells of scores whose interval lies below the majority."""
        return np.zeros_like(self.present) if self.found else self.against.below

    @property
    def rising(self) -> NDArray[np.bool_]:
        """Cells of differences that are shown to be above 0, which colours do not tell in grey."""
        return self.against.above if self.found else np.zeros_like(self.present)

    @property
    def best(self) -> tuple[int, int] | None:
        """Row and column of the highest score; of equals, the lowest layer and then the lowest head.

        Of what an analysis found, the cell that the model needs most; None if its rows are not ranked.
        """
        if self.found:
            return _first(-self.rank)
        return _first(self.scores)


def _first(numbers: NDArray[np.float64]) -> tuple[int, int] | None:
    if not np.isfinite(numbers).any():
        return None
    row, column = np.unravel_index(np.nanargmax(numbers), numbers.shape)
    return int(row), int(column)


def key_of(rows: pd.DataFrame) -> GridKey:
    """Which grid the first of some rows is of; what is missing is empty."""
    first: Any = rows.iloc[0]
    fields: list[Any] = ["" if pd.isna(first[name]) else first[name] for name in GridKey._fields]
    return GridKey(*fields)


def key_quantity(key: GridKey, value: str) -> Quantity:
    """What the numbers in a column of a grid are."""
    return quantity_of(key.analysis, key.metric, key.variant, key.objective, value)


def split_grids(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of each grid, in the order in which the grids first appear in the frame.

    Raises:
        ProbingError: If the frame has no rows.
    """
    if frame.empty:
        raise ProbingError("no results to draw; run an analysis first or loosen the selection of rows")
    groups = preferred(frame).groupby(list(GridKey._fields), sort=False, dropna=False, observed=True)
    return [rows for _, rows in groups]


def only_grid(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows themselves, if all are of one grid.

    Raises:
        ProbingError: If there are no rows, or rows of several grids.
    """
    grids = split_grids(rows)
    if rows[["analysis", "granularity"]].drop_duplicates().shape[0] == 1:
        _refuse_several_heads(rows)
    if len(grids) > 1:
        raise several(preferred(rows))
    return grids[0]


def arrange(rows: pd.DataFrame, order: Order = "head", value: str = "test") -> Grid:
    """Lay the rows of one grid out as a matrix.

    Args:
        rows: Rows of one grid of the result frame, in any order.
        order: "head" gives each head its own column; "score" sorts each layer, the head first that is best
            or needed most.
        value: The column to read scores from, a fraction; or "value", what an analysis found.

    Raises:
        ProbingError: If `order` or `value` is unknown, a head has two rows, or the rows are not one for
            each head or layer.
    """
    _refuse_several_heads(rows)
    if order not in ("head", "score"):
        raise ProbingError(f"order {order!r} is unknown; use head or score")
    if value == "value":
        check_found(rows)
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
    tested = _P if value == "test" else None
    columns = [_matrix(rows, name, shape, cells) for name in (value, tested, *beside)]
    if order == "score":
        heads, columns = _sort_layers(heads, columns)
    scores, p, low, high, rank = columns
    majority = chance_level(rows) if value in _SCORES else float("nan")
    numbers = tuple(layers.tolist())
    full = float(_matrix(rows, "full" if value == "value" else None, shape, cells)[cells][0])
    said = sizes_text(rows)
    return Grid(key, value, order, majority, numbers, heads, scores, low, high, rank, full, p, said)


def _refuse_several_heads(rows: pd.DataFrame) -> None:
    kind = str(rows["granularity"].iloc[0])
    if kind in ("top_heads", "all_heads") or rows["layer"].isna().any():
        what, how = _DRAWN.get(str(rows["analysis"].iloc[0]), ("the effect of n heads", "draw_top_heads"))
        raise ProbingError(
            f"rows of granularity {kind} are of several heads at once and no grid; {what} is drawn by {how}"
        )


def _refuse_duplicates(
    rows: pd.DataFrame, key: GridKey, layer: NDArray[np.int64], head: NDArray[np.int64]
) -> None:
    cells, counts = np.unique(np.stack([layer, head], axis=1), axis=0, return_counts=True)
    if counts.max() > 1:
        twice = cells[counts.argmax()]
        place = f"layer {twice[0]}" + ("" if key.granularity in WHOLE_LAYERS else f" head {twice[1]}")
        start = f"{key.model}, {key.task}: {place} has {counts.max()} rows"
        if differing(rows):
            raise several(rows, "run", f"{start}, of ")
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
