"""A grid of the result frame: its names, and its matrix as it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.results.alike import Quantity, quantity_of
from probing.results.chance import ABOVE_CHANCE, Against, against, against_chance
from probing.results.checks import single_heads
from probing.results.grid_key import GridKey, key_of
from probing.results.schema import KINDS
from probing.results.several import preferred

Order = Literal["head", "score"]
ABSENT = -1
EMBEDDINGS = -1
WHOLE_LAYERS = ("layer", "attention")


NO_KIND = dict.fromkeys(KINDS, "")
"""A key without the columns that distinguish kinds of rows within one analysis."""
PANEL = [name for name in GridKey._fields if name not in NO_KIND]
"""Columns of the key that distinguish the panels of a picture with lines for kinds of rows."""


@dataclass(frozen=True)
class Grid:
    """Scores of the heads of a model as they are drawn: a row for each layer, upward from the input.

    Attributes:
        key: Fields that identify the grid.
        value: The column that `scores` were read from.
        order: "head" if columns are head indices, "score" if they are ranks within the layer.
        majority: Score of always guessing the majority class, as a fraction. NaN if it is unknown, or if
            `value` is not a score on the task but a difference or a p-value.
        layers: Layer number of each row, ascending.
        heads: int64 (rows, columns), the head in each cell; ABSENT where the layer has no such head.
        scores: float64 (rows, columns), fractions; NaN where there is no head or no score.
        low: float64 (rows, columns), lower end of the confidence interval; NaN where there is none.
        high: float64 (rows, columns), upper end of the confidence interval; NaN where there is none.
        rank: float64 (rows, columns), rank by effect on the model from 1, the largest; NaN if it is unknown
            or `value` is a score.
        full: Score of the full model, the reference of differences; NaN where there is none.
        p: float64 (rows, columns), p, corrected for choosing the best of all; NaN where there is none.
        sizes: Examples behind the numbers, "n 1000 train, 500 dev, 500 test"; may be empty.
        ranked_on: Split whose examples rank the cells, "dev"; empty if cells have no rank.
        chance: float64 (rows, columns), the finding for a head that knows nothing; NaN where it is unknown.
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
    chance: NDArray[np.float64]

    @property
    def quantity(self) -> Quantity:
        """The quantity of the numbers; grids of equal quantities share a scale."""
        return quantity_of(self.key, self.value)

    @property
    def found(self) -> bool:
        """Return whether the numbers are findings of an analysis rather than scores of a probe."""
        return self.value == "value"

    @property
    def above_chance(self) -> bool:
        """Return whether the numbers are test scores above chance."""
        return self.value == ABOVE_CHANCE

    @property
    def level(self) -> float:
        """The majority on the scale of the numbers: 0 for scores above chance; NaN if it is unknown."""
        return 0.0 * self.majority if self.above_chance else self.majority

    def plain(self, score: float) -> float:
        """The score behind a number of the grid; the number itself unless it is above chance."""
        return self.majority + score * (1 - self.majority) if self.above_chance else score

    @property
    def whole_layers(self) -> bool:
        """Return whether each row is a single probe on the whole layer."""
        return self.key.granularity in WHOLE_LAYERS

    @property
    def present(self) -> NDArray[np.bool_]:
        """Cells that represent a head (or layer) of the model."""
        return np.not_equal(self.heads, ABSENT)

    @property
    def unscored(self) -> NDArray[np.bool_]:
        """Cells of heads that have no score."""
        return self.present & ~np.isfinite(self.scores)

    @property
    def against(self) -> Against:
        """The position of intervals relative to the majority; for findings, relative to chance or 0."""
        if self.found:
            return against_chance(self.low, self.high, self.chance)
        return against(self.low, self.high, self.level)

    @property
    def guessing(self) -> NDArray[np.bool_]:
        """Cells whose interval contains the majority, or for findings chance or 0."""
        return self.against.holds

    @property
    def falling(self) -> NDArray[np.bool_]:
        """Cells of scores whose interval is below the majority."""
        return np.zeros_like(self.present) if self.found else self.against.below

    @property
    def rising(self) -> NDArray[np.bool_]:
        """Cells of findings whose interval is above chance or 0; a greyscale print does not show the sign."""
        return self.against.above if self.found else np.zeros_like(self.present)

    @property
    def best(self) -> tuple[int, int] | None:
        """Row and column of the highest score; among equals, the lowest layer and then the lowest head.

        For the findings of an analysis, the cell with the largest effect; None if its rows are not ranked.
        """
        if self.found:
            return _first(-self.rank)
        return _first(self.scores)


def _first(numbers: NDArray[np.float64]) -> tuple[int, int] | None:
    if not np.isfinite(numbers).any():
        return None
    row, column = np.unravel_index(np.nanargmax(numbers), numbers.shape)
    return int(row), int(column)


def split_grids(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """Split a frame into the rows of each grid, in the order of their first appearance.

    Raises:
        ProbingError: If the frame has no rows.
    """
    if frame.empty:
        raise ProbingError("no results to draw; run an analysis first or loosen the selection of rows")
    frame = single_heads(preferred(frame))
    groups = frame.groupby(list(GridKey._fields), sort=False, dropna=False, observed=True)
    return [rows for _, rows in groups]


def panels_of(table: pd.DataFrame) -> list[tuple[GridKey, pd.DataFrame]]:
    """Return the rows of each panel of a picture of lines, with the key that names it."""
    groups = table.groupby(PANEL, sort=False, dropna=False, observed=True)
    return [(key_of(rows.assign(**NO_KIND)), rows) for _, rows in groups]
