"""The picture of a run, and of the runs of a sweep, whatever was read."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from probing.figures.grid import Order, grid_table
from probing.figures.heatmap import draw_grid
from probing.figures.save import save_table
from probing.figures.sheet import draw_sheet
from probing.figures.top_heads import draw_top_heads


def draw_run(rows: pd.DataFrame, folder: Path, order: Order = "head") -> tuple[Path, ...]:
    """Draw one run and write the table behind its picture.

    Heads and layers become a grid, and the effect of n heads its plot; all heads together are one number,
    which is a table alone.

    Args:
        rows: Rows of the result frame, of one run.
        folder: Where to write; all files are called grid.
        order: How a grid is drawn, as for `draw_grid`.

    Returns:
        The files, the pictures first and the table last.
    """
    kind = rows["granularity"].iloc[0]
    if kind == "top_heads":
        return draw_top_heads(rows, folder / "grid")
    if kind == "all_heads":
        return (save_table(grid_table(rows, "test"), folder / "grid.csv"),)
    return draw_grid(rows, folder / "grid", order=order)


def draw_sweep(frame: pd.DataFrame, folder: Path, order: Order = "head") -> tuple[Path, ...]:
    """Draw the runs of a sweep side by side: grids as sheet, the effects of n heads as top_heads.

    Args:
        frame: Rows of the result frame, of any number of runs.
        folder: Where to write.
        order: How grids are drawn, as for `draw_sheet`.

    Returns:
        The PNG files; none if the runs are of all heads together alone.
    """
    kind = frame["granularity"]
    top, grids = frame[kind == "top_heads"], frame[~kind.isin(["top_heads", "all_heads"])]
    drawn = []
    if not grids.empty:
        drawn.append(draw_sheet(grids, folder / "sheet", order=order).png)
    if not top.empty:
        drawn.append(draw_top_heads(top, folder / "top_heads").png)
    return tuple(drawn)
