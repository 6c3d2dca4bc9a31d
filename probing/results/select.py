"""Rows of an analysis by their kind."""

from __future__ import annotations

import numpy as np
import pandas as pd

from probing.results.threshold import last_kept


def of_variant(rows: pd.DataFrame, *variants: str) -> pd.DataFrame:
    """The rows of some variants."""
    return rows[rows["variant"].isin(variants)]


def gate_path(rows: pd.DataFrame) -> pd.DataFrame:
    """A row for each lambda, from the smallest."""
    return of_variant(rows, "path").sort_values("penalty", kind="stable")


def selected_lambda(rows: pd.DataFrame) -> pd.Series:
    """The row of the largest lambda up to which dev keeps to the threshold, or of the first."""
    path = gate_path(rows)
    dev = path["dev"].to_numpy(dtype=np.float64, na_value=np.nan)
    return path.iloc[max(last_kept(dev, full_dev(rows), str(path["metric"].iloc[0])), 0)]


def full_dev(rows: pd.DataFrame) -> float:
    """The dev score of the full model, in rows of one run; NaN where it is not known."""
    known = of_variant(rows, "full")["dev"].dropna()
    return float(known.iloc[0]) if len(known) else float("nan")


def selected_gates(rows: pd.DataFrame) -> pd.Series:
    """Whether each row is a gate under that lambda; bool."""
    gates = rows["variant"].eq("gate").fillna(value=False).astype(bool)
    return gates & rows["penalty"].eq(selected_lambda(rows)["penalty"]).fillna(value=False).astype(bool)


def own_metric(rows: pd.DataFrame, *variants: str) -> pd.DataFrame:
    """The rows of some variants under the metric of the main grid."""
    metrics = rows.loc[rows["main"].fillna(value=False).astype(bool), "metric"].unique()
    found = of_variant(rows, *variants)
    return found[found["metric"].isin(metrics)]
