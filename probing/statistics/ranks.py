"""Rankings of the same cells: how alike they are, over all cells, within groups, and at the top."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

# share of all cells that count as the top
TOP = 0.1
_CONSTANT = 1e-9


def spearman(table: pd.DataFrame) -> pd.DataFrame:
    """Spearman's rank correlation of every two columns.

    Returns:
        Square and symmetric, float64; NaN beside a column that is the same everywhere.
    """
    return table.rank().corr()


def spearman_within(table: pd.DataFrame, groups: ArrayLike) -> pd.DataFrame:
    """Spearman's rank correlation of every two columns, given the group: that of ranks centred by group.

    What two columns owe to the group alone is gone: the means of both in each group are 0.

    Args:
        table: Cells down.
        groups: (n,), the group of each cell.

    Returns:
        As `spearman`; NaN beside a column that is the same everywhere in each group.
    """
    centred = centred_ranks(table, groups)
    found = centred.loc[:, centred.abs().max() > _CONSTANT].corr()
    return found.reindex(index=table.columns, columns=table.columns)


def centred_ranks(table: pd.DataFrame, groups: ArrayLike) -> pd.DataFrame:
    """The ranks of each column over all cells, minus their mean in the group of each cell."""
    ranks = table.rank()
    return ranks - ranks.groupby(np.asarray(groups)).transform("mean")


def top_size(n: int) -> int:
    """How many of n cells are the top tenth; 1 at least."""
    return max(1, round(TOP * n))


def top_overlap(first: ArrayLike, second: ArrayLike) -> float:
    """Share of the top tenth of one ranking that is in the top tenth of the other; by chance a tenth.

    Where equal values stand across the border, those of the top are drawn among them in each ranking by
    itself, and the share is the mean over all draws; so two rankings that are 0 nearly everywhere do not
    seem to agree.

    Args:
        first: (n,), numbers of the cells; NaN comes last.
        second: (n,), of the same cells.
    """
    chances = [_chance_of_top(np.asarray(values, dtype=np.float64)) for values in (first, second)]
    return float(chances[0] @ chances[1] / top_size(len(chances[0])))


def _chance_of_top(values: NDArray[np.float64]) -> NDArray[np.float64]:
    k, values = top_size(len(values)), np.where(np.isnan(values), -np.inf, values)
    border = np.partition(values, -k)[-k]
    above, level = values > border, values == border
    chance: NDArray[np.float64] = above + level * (k - above.sum()) / level.sum()
    return chance
