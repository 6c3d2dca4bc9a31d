"""The direction of what analyses find: a number that grows with the effect of a head."""

from __future__ import annotations

import numpy as np
import pandas as pd

from probing.results.sizes import SIZES

CELL = ("stack", "layer", "head")
"""Columns that tell the cells of a measure apart."""


def needed(rows: pd.DataFrame) -> pd.Series:
    """A number for each row that is larger the more the model needs the head, or the more it holds.

    Importances, gates and what was kept count as they are, as do probe scores (`test`); the Δ of an ablated
    score with its sign turned, that of a loss as it is; of a head alone in its layer the other way round.

    Args:
        rows: Result rows of any analyses.

    Returns:
        float64, missing where a row has neither value nor score.
    """
    value = rows["value"].astype(float)
    found = value.where(value.notna(), rows["test"].astype(float))
    return found * np.where(turned(rows), -1.0, 1.0)


def turned(rows: pd.DataFrame) -> pd.Series:
    """In which rows `value` is smaller the more the model needs the head; bool."""
    ablated = rows["analysis"].eq("ablation").fillna(value=False).astype(bool)
    alone = rows["variant"].fillna("").str.startswith("only").astype(bool)
    return ablated & alone.eq(rows["metric"].eq("loss").fillna(value=False).astype(bool))


def ranked_on(rows: pd.DataFrame) -> str:
    """The split whose examples rank the cells of one grid, "dev"; empty where cells have no rank.

    Differences are of test scores, gates are learned on train, and of what was summed over one split the
    frame counts no later one.
    """
    if "rank" not in rows or rows["rank"].isna().all():
        return ""
    if rows["analysis"].iloc[0] == "gates":
        return "train"
    counted = [name for name in SIZES if name in rows and rows[name].notna().any()]
    return counted[-1].removeprefix("n_") if counted else ""
