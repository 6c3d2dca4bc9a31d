"""Scores of baselines as columns: the randomly initialised model and control labels."""

from __future__ import annotations

import pandas as pd

from probing.results.schema import DERIVED, ORDER, PLACE, places

# the columns in which a row and the same cell of its baseline agree
CELL = [
    "analysis", "model", "task", "granularity", "pooling", "probe", "objective", "seed", *PLACE,
    "setup",
]  # fmt: skip


def with_baselines(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the columns of `DERIVED`: the scores of the same cell of its baselines, and selectivity.

    The baselines are the randomly initialised model and control labels. Selectivity is the score on the task
    minus the score on its control (Hewitt & Liang 2019, section 2.2), each under the metric of the task. For
    `top_heads` it compares the same number of heads, which are selected again on the control. The columns
    are missing in rows of baselines, in rows without a baseline, and in rows with controls of several kinds
    (`control` and `control[by=text]`). Several draws of one baseline are averaged.

    Args:
        frame: Result rows, of any number of runs.

    Returns:
        The same rows in the same order, with three more columns, which are next to the other scores.
    """
    frame = frame.reset_index(drop=True)
    # in sorted order, the first and last name of a cell are equal only if all of them are
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
    added = frame.assign(**found).astype(DERIVED).sort_index()
    others = added.columns.difference(list(ORDER), sort=False)
    return added[[*(name for name in ORDER if name in added), *others]]
