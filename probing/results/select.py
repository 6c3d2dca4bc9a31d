"""Selection of rows of an analysis by their kind."""

from __future__ import annotations

import numpy as np
import pandas as pd

from probing.results.threshold import last_kept


def of_variant(rows: pd.DataFrame, *variants: str) -> pd.DataFrame:
    """The rows of some variants."""
    return rows[rows["variant"].isin(variants)]


def gate_path(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the path of gates, from the smallest lambda."""
    return of_variant(rows, "path").sort_values("penalty", kind="stable")


def selected_lambda(rows: pd.DataFrame) -> pd.Series:
    """The row of the largest lambda up to which the dev score keeps to the threshold, or the first row."""
    path = gate_path(rows)
    dev = path["dev"].to_numpy(dtype=np.float64, na_value=np.nan)
    return path.iloc[max(last_kept(dev, full_dev(rows), str(path["metric"].iloc[0])), 0)]


def full_dev(rows: pd.DataFrame) -> float:
    """The dev score of the full model, from the rows of one run; NaN if it is unknown."""
    known = of_variant(rows, "full")["dev"].dropna()
    return float(known.iloc[0]) if len(known) else float("nan")


def selected_gates(rows: pd.DataFrame) -> pd.Series:
    """Return whether each row is a gate under the selected lambda; bool."""
    gates = rows["variant"].eq("gate").fillna(value=False).astype(bool)
    return gates & rows["penalty"].eq(selected_lambda(rows)["penalty"]).fillna(value=False).astype(bool)


def own_metric(rows: pd.DataFrame, *variants: str) -> pd.DataFrame:
    """The rows of some variants under the metric of the main grid."""
    metrics = rows.loc[rows["main"].fillna(value=False).astype(bool), "metric"].unique()
    found = of_variant(rows, *variants)
    return found[found["metric"].isin(metrics)]
