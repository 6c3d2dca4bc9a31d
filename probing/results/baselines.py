"""Rows beside those of their baselines: the untrained twin, and control labels."""

from __future__ import annotations

import pandas as pd

from probing.results.schema import DERIVED, PLACE, places

# what a row and the same cell of its baseline have in common
CELL = [
    "analysis", "model", "task", "granularity", "pooling", "probe", "objective", "seed", *PLACE,
    "question",
]  # fmt: skip


def with_baselines(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the columns of `DERIVED`: what the same cell scores in the untrained twin and on control labels.

    Selectivity is the score on the task minus that on its control (Hewitt & Liang 2019, section 2.2), each
    under the metric of the task. Of `top_heads` it compares as many heads, chosen anew on the control. Rows
    of baselines themselves, and rows without one, have these columns missing; so have those with controls
    of several kinds (`control` and `control[by=text]`). Several draws of one baseline count with their mean.

    Args:
        frame: Result rows, of any number of runs.

    Returns:
        The same rows in the same order with three more columns.
    """
    frame = frame.reset_index(drop=True)
    # sorted by name, what is first and last in a cell is the same only if all are
    frame = frame.sort_values("baseline", kind="stable")
    kind = frame["baseline"].str.split("[").str[0]
    cells = places(frame, CELL)
    own = (frame["baseline"] == "none").fillna(False).to_numpy(dtype=bool)
    found: dict[str, pd.Series] = {}
    for name in ("untrained", "control"):
        of_kind = (kind == name).fillna(False).to_numpy(dtype=bool)
        there = frame[of_kind].groupby(cells[of_kind])
        alike = there["baseline"].first() == there["baseline"].last()
        means = there["test"].mean().astype(float).where(alike)
        found[name] = pd.Series(means.reindex(cells).to_numpy(), index=frame.index).where(own)
    found["selectivity"] = frame["test"].astype(float) - found["control"]
    return frame.assign(**found).astype(DERIVED).sort_index()
