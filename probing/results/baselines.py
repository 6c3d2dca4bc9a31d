"""Rows beside those of their baselines: the untrained twin, and control labels."""

from __future__ import annotations

import pandas as pd

from probing.results.schema import DERIVED, PLACE

# what a row and the same cell of its baseline have in common
CELL = [
    "analysis", "model", "task", "granularity", "pooling", "probe", "seed", *PLACE, "metric", "n_train",
    "n_test",
]  # fmt: skip


def with_baselines(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the columns of `DERIVED`: what the same cell scores in the untrained twin and on control labels.

    Selectivity is the score on the task minus that on its control (Hewitt & Liang 2019, section 2.2). Rows
    of baselines themselves, and rows without one, have these columns missing. Several runs of one
    baseline, as of several seeds, count with their mean.

    Args:
        frame: Result rows, of any number of runs.

    Returns:
        The same rows in the same order with three more columns.
    """
    frame = frame.reset_index(drop=True)
    cells = pd.MultiIndex.from_frame(frame[CELL].astype(object).where(frame[CELL].notna(), "-"))
    own = (frame["baseline"] == "none").fillna(False).to_numpy(dtype=bool)
    found: dict[str, pd.Series] = {}
    for name in ("untrained", "control"):
        of_baseline = (frame["baseline"] == name).fillna(False).to_numpy(dtype=bool)
        means = frame.loc[of_baseline, "test"].astype(float).groupby(cells[of_baseline]).mean()
        found[name] = pd.Series(means.reindex(cells).to_numpy(), index=frame.index).where(own)
    found["selectivity"] = frame["test"].astype(float) - found["control"]
    return frame.assign(**found).astype(DERIVED)
