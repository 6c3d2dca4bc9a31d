"""Changes of a model's grid during training."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from probing.results.schema import PLACE


def changes(frame: pd.DataFrame, steps: Iterable[int]) -> pd.DataFrame:
    """Return one row for every checkpoint, in the order of steps.

    Args:
        frame: Result rows of all checkpoints, one grid each.
        steps: Steps of the checkpoints; the others are compared with the first.

    Returns:
        `step`; `grid_mean`, the mean test score of all rows; `best`, the row with the best dev score
        ("4.10" is layer.head), and `best_test`, its test score; `rank_correlation`, Spearman's between the
        test scores and those of the first step, missing where there are fewer than three rows.
    """
    grids = {step: _grid(frame[frame["step"] == step]) for step in steps}
    first = next(iter(grids.values()))["test"]
    rows = []
    for step, grid in grids.items():
        best = grid.iloc[int(grid["dev"].argmax())]
        alike = first.corr(grid["test"], method="spearman") if len(grid) > 2 else float("nan")
        rows.append(
            {
                "step": step,
                "grid_mean": grid["test"].mean(),
                "best": _place(best),
                "best_test": best["test"],
                "rank_correlation": alike,
            }
        )
    return pd.DataFrame(rows)


def _grid(rows: pd.DataFrame) -> pd.DataFrame:
    cells = rows.sort_values([name for name in PLACE if name in rows], kind="stable").reset_index(drop=True)
    return cells.astype({"dev": float, "test": float})


def _place(row: pd.Series) -> str:
    if pd.isna(row["layer"]):
        return f"{row['n_heads']} heads"
    return f"{row['layer']}" if pd.isna(row["head"]) else f"{row['layer']}.{row['head']}"
