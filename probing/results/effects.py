"""The direction of findings: a number that grows with the effect of a head."""

from __future__ import annotations

import numpy as np
import pandas as pd

from probing.results.finding import finding_of_rows, smaller_is_more
from probing.results.sizes import SIZES

CELL = ("stack", "layer", "head")
"""Columns that distinguish the cells of a measure."""


def effect(rows: pd.DataFrame) -> pd.Series:
    """A number for each row that is larger the larger the effect of the head, or the more it encodes.

    Importances, gates, kept heads and probe scores (`test`) keep their sign. The difference of an ablated
    score is reversed, and that of a loss is not. For a head that is alone in its layer, both are the other
    way round.

    Args:
        rows: Result rows of any analyses.

    Returns:
        float64, missing where a row has neither value nor score.
    """
    value = rows["value"].astype(float)
    found = value.where(value.notna(), rows["test"].astype(float))
    return found * np.where(smaller_is_more(rows) & value.notna(), -1.0, 1.0)


def ranked_on(rows: pd.DataFrame) -> str:
    """The split whose examples rank the cells of one grid, "dev"; empty where cells have no rank.

    Differences are of test scores. For sums over one split, the frame counts no examples of a later split.
    """
    if "rank" not in rows or rows["rank"].isna().all():
        return ""
    split = finding_of_rows(rows).ranked_on
    counted = [name for name in SIZES if name in rows and rows[name].notna().any()]
    return split or (counted[-1].removeprefix("n_") if counted else "")
