"""Which rows of an analysis make the grid that is shown first."""

from __future__ import annotations

import numpy as np
import pandas as pd

from probing.results.threshold import last_kept


def of_variant(rows: pd.DataFrame, variant: str) -> pd.DataFrame:
    """The rows of one variant."""
    return rows[(rows["variant"] == variant).fillna(value=False)]


def ablations(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """The kinds that were asked, under the objective's own metric, whatever masked heads are filled with."""
    variant = rows["variant"].fillna("")
    scores = ~variant.str.endswith(".loss")
    kinds = [rows[scores & variant.str.startswith(name)] for name in ("leave_one_out", "only_one")]
    return [kind for kind in kinds if not kind.empty]


def test_gates(rows: pd.DataFrame) -> pd.DataFrame:
    """The gates of every lambda, without their probabilities to be open and without the path."""
    return rows[rows["layer"].notna() & ~rows["variant"].fillna("").str.endswith(".open")]


def gate_path(rows: pd.DataFrame) -> pd.DataFrame:
    """A row for each lambda, from the smallest."""
    return of_variant(rows, "path").sort_values("value", kind="stable")


def chosen_lambda(rows: pd.DataFrame) -> pd.Series:
    """The row of the largest lambda up to which dev keeps to the threshold, or of the first."""
    path = gate_path(rows)
    dev = path["dev"].to_numpy(dtype=np.float64, na_value=np.nan)
    return path.iloc[max(last_kept(dev, full_dev(rows), str(path["metric"].iloc[0])), 0)]


def full_dev(rows: pd.DataFrame) -> float:
    """The dev score of the full model, in rows of one run; NaN where it is not known."""
    known = of_variant(rows, "full")["dev"].dropna()
    return float(known.iloc[0]) if len(known) else float("nan")


def chosen_gates(rows: pd.DataFrame) -> pd.DataFrame:
    """The gates of that lambda."""
    gates, penalty = test_gates(rows), float(chosen_lambda(rows)["value"])
    own = gates["variant"].str.removeprefix("lambda=").astype(float)
    return gates[np.isclose(own, penalty)]
