"""One grid of the result frame: its names, and its matrix as it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.results.alike import Quantity, quantity_of
from probing.results.chance import Against, against
from probing.results.checks import single_heads
from probing.results.several import preferred

Order = Literal["head", "score"]
ABSENT = -1
EMBEDDINGS = -1
WHOLE_LAYERS = ("layer", "attention")


class GridKey(NamedTuple):
    """What tells one grid of the result frame from another."""

    analysis: str
    plugin: str
    model: str
    task: str
    granularity: str
    pooling: str
    probe: str
    objective: str
    seed: int
    limit: int | str
    baseline: str
    penalty: float | str
    variant: str
    fill: str
    normalisation: str
    stack: str
    metric: str


NO_KIND = {"penalty": "", "variant": "", "fill": "", "normalisation": ""}
"""A key without the columns that distinguish kinds of rows within one analysis."""


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
        ranked_on: The split whose examples rank the cells, "dev"; empty if cells have no rank.
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
    ranked_on: str

    @property
    def quantity(self) -> Quantity:
        """The quantity of the numbers; grids of equal quantities share a scale."""
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
        """The side of the majority on which intervals lie; for differences, the side of 0."""
        return against(self.low, self.high, 0.0 if self.found else self.majority)

    @property
    def guessing(self) -> NDArray[np.bool_]:
        """Cells whose interval holds the majority; for differences, cells whose interval holds 0."""
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
    """The quantity of the numbers in a column of a grid."""
    return quantity_of(key, value)


def split_grids(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of each grid, in the order in which the grids first appear in the frame.

    Raises:
        ProbingError: If the frame has no rows.
    """
    if frame.empty:
        raise ProbingError("no results to draw; run an analysis first or loosen the selection of rows")
    frame = single_heads(preferred(frame))
    groups = frame.groupby(list(GridKey._fields), sort=False, dropna=False, observed=True)
    return [rows for _, rows in groups]
