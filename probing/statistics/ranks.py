"""Similarity of rankings of the same cells: over all cells, within groups, and at the top."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

# share of all cells that count as the top
TOP = 0.1
_CONSTANT = 1e-9


def spearman(table: pd.DataFrame) -> pd.DataFrame:
    """Return Spearman's rank correlation of every two columns.

    Returns:
        A square, symmetric frame of float64; NaN for a column that is the same everywhere.
    """
    return table.rank().corr()


def spearman_within(table: pd.DataFrame, groups: ArrayLike) -> pd.DataFrame:
    """Return Spearman's rank correlation of every two columns within groups, from ranks centred by group.

    Differences between groups have no effect, since the mean of each column is 0 in each group.

    Args:
        table: Table with cells as rows.
        groups: Group of each cell, (n,).

    Returns:
        A frame as from `spearman`; NaN for a column that is the same everywhere in each group.
    """
    centred = centred_ranks(table, groups)
    found = centred.loc[:, centred.abs().max() > _CONSTANT].corr()
    return found.reindex(index=table.columns, columns=table.columns)


def centred_ranks(table: pd.DataFrame, groups: ArrayLike) -> pd.DataFrame:
    """Return the ranks of each column over all cells, minus their mean in the group of each cell."""
    ranks = table.rank()
    return ranks - ranks.groupby(np.asarray(groups)).transform("mean")


def top_size(n: int) -> int:
    """Return the number of cells in the top tenth of n cells; at least 1."""
    return max(1, round(TOP * n))


def top_overlap(first: ArrayLike, second: ArrayLike) -> float:
    """Return the share of the top tenth of one ranking that is in the other's top tenth; a tenth by chance.

    If equal values straddle the border of the top tenth, members are drawn among them independently in each
    ranking, and the share is the mean over all draws. So two rankings that are 0 nearly everywhere do not
    seem to agree.

    Args:
        first: Values of the cells, (n,); NaN comes last.
        second: Values of the same cells, (n,).
    """
    chances = [_chance_of_top(np.asarray(values, dtype=np.float64)) for values in (first, second)]
    return float(chances[0] @ chances[1] / top_size(len(chances[0])))


def _chance_of_top(values: NDArray[np.float64]) -> NDArray[np.float64]:
    k, values = top_size(len(values)), np.where(np.isnan(values), -np.inf, values)
    border = np.partition(values, -k)[-k]
    above, level = values > border, values == border
    chance: NDArray[np.float64] = above + level * (k - above.sum()) / level.sum()
    return chance
