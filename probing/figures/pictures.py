"""The pictures of a run, and of the runs of a sweep, whatever was asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from probing.figures.grid_table import grid_table
from probing.figures.grids import Order, split_grids
from probing.figures.head_counts import draw_top_heads
from probing.figures.heatmap import draw_grid
from probing.figures.masking_curves import draw_masking
from probing.figures.path import draw_path
from probing.figures.save import save_table
from probing.figures.sheet import draw_sheet
from probing.results.schema import of_pairs
from probing.results.select import ablations, of_variant, test_gates

Drawn = tuple[Path, ...]
Draw = Callable[[pd.DataFrame, Path, Order], Drawn]


def draw_run(rows: pd.DataFrame, folder: Path, order: Order = "head") -> Drawn:
    """Draw one run and write the tables behind its pictures.

    Heads and layers become a grid, and the effect of n heads its plot; all heads together are one number,
    which is a table alone. What other analyses find becomes grids and curves, `grid` first where there
    is one.

    Args:
        rows: Rows of the result frame, of one run.
        folder: Where to write.
        order: How a grid is drawn, as for `draw_grid`.

    Returns:
        The files, of each picture the table last.
    """
    rows = rows[~of_pairs(rows)]
    if rows.empty:  # pairs of heads are not a grid
        return ()
    return _RUNS.get(str(rows["analysis"].iloc[0]), _probe)(rows, folder, order)


def draw_sweep(frame: pd.DataFrame, folder: Path, order: Order = "head") -> Drawn:
    """Draw the runs of a sweep side by side: grids as sheets, curves in panels, each analysis apart.

    Args:
        frame: Rows of the result frame, of any number of runs.
        folder: Where to write.
        order: How grids are drawn, as for `draw_sheet`.

    Returns:
        The PNG files; none if the runs are of all heads together alone.
    """
    frame = frame[~of_pairs(frame)]
    analyses = frame["analysis"].where(frame["analysis"].isin(list(_SWEEPS)), "probe")
    files = [
        path
        for analysis in analyses.unique()
        for path in _SWEEPS.get(analysis, _probes)(frame[analyses == analysis], folder, order)
    ]
    return tuple(path for path in files if path.suffix == ".png")


def _probe(rows: pd.DataFrame, folder: Path, order: Order) -> Drawn:
    kind = rows["granularity"].iloc[0]
    if kind == "top_heads":
        return draw_top_heads(rows, folder / "grid")
    if kind == "all_heads":
        return (save_table(grid_table(rows, "test"), folder / "grid.csv"),)
    return draw_grid(rows, folder / "grid", order=order)


def _probes(frame: pd.DataFrame, folder: Path, order: Order) -> Drawn:
    kind = frame["granularity"]
    top, grids = frame[kind == "top_heads"], frame[~kind.isin(["top_heads", "all_heads"])]
    drawn: Drawn = () if grids.empty else draw_sheet(grids, folder / "sheet", order=order)
    return drawn if top.empty else (*drawn, *draw_top_heads(top, folder / "top_heads"))


def _grids(rows: pd.DataFrame, path: Path, order: Order) -> Drawn:
    """What was found, as a grid; of several stacks or settings as a sheet."""
    draw = draw_grid if len(split_grids(rows)) == 1 else draw_sheet
    return draw(rows, path, order=order, value="value")


def _importance(rows: pd.DataFrame, folder: Path, order: Order) -> Drawn:
    """The paper's importance as it is, and all variants beside each other."""
    variants = draw_sheet(rows, folder / "variants", order=order, value="value")
    return (*_grids(of_variant(rows, "per_example"), folder / "grid", order), *variants)


def _ablation(rows: pd.DataFrame, folder: Path, order: Order) -> Drawn:
    """What the score changes by without each head, then with each alone in its layer."""
    named = zip(ablations(rows), ("grid", "only_one"), strict=False)
    return tuple(path for kind, name in named for path in _grids(kind, folder / name, order))


def _gates(rows: pd.DataFrame, folder: Path, order: Order) -> Drawn:
    """The gates of every lambda, and the path over them."""
    return (*_grids(test_gates(rows), folder / "grid", order), *draw_path(rows, folder / "path"))


_RUNS: dict[str, Draw] = {
    "importance": _importance,
    "ablation": _ablation,
    "masking": lambda rows, folder, _: draw_masking(rows, folder / "masking"),
    "prune": lambda rows, folder, order: _grids(of_variant(rows, "kept"), folder / "grid", order),
    "gates": _gates,
    "entropy": lambda rows, folder, order: _grids(rows, folder / "grid", order),
}
_SWEEPS: dict[str, Draw] = {
    "importance": lambda rows, folder, order: draw_sheet(
        of_variant(rows, "per_example"), folder / "importance", order=order, value="value"
    ),
    "ablation": lambda rows, folder, order: draw_sheet(
        ablations(rows)[0], folder / "ablation", order=order, value="value"
    ),
    "masking": lambda rows, folder, _: draw_masking(rows, folder / "masking"),
    "prune": lambda rows, folder, order: draw_sheet(
        of_variant(rows, "kept"), folder / "prune", order=order, value="value"
    ),
    "gates": lambda rows, folder, _: draw_path(rows, folder / "path"),
    "entropy": lambda rows, folder, order: draw_sheet(rows, folder / "entropy", order=order, value="value"),
}
