"""The pictures of a run and of the runs of a sweep, for any analysis."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pandas as pd

from probing.errors import ProbingError
from probing.figures.grid_table import grid_table
from probing.figures.grids import Order, split_grids
from probing.figures.head_counts import draw_top_heads
from probing.figures.heatmap import draw_grid
from probing.figures.masking_curves import draw_masking
from probing.figures.path import draw_path
from probing.figures.picture import files_of
from probing.figures.save import save_table
from probing.figures.sheet import draw_sheet
from probing.results.checks import has_values
from probing.results.finding import finding_of_rows

Drawn = tuple[Path, ...]
Draw = Callable[[pd.DataFrame, Path, Order], Drawn]


def draw_run(rows: pd.DataFrame, folder: Path, order: Order = "head") -> Drawn:
    """Draw one run and write the tables behind its pictures.

    Args:
        rows: Rows of the result frame, of one run.
        folder: Folder of the files.
        order: The order of heads in a grid, as for `draw_grid`.

    Returns:
        The files; for each picture the table is last.
    """
    files: list[Path] = []
    for picture in finding_of_rows(rows).pictures:
        chosen = picture.rows(rows)
        if len(chosen):
            files += function_of(picture.draw)(chosen, folder / picture.name, order)
    return tuple(files)


def draw_sweep(frame: pd.DataFrame, folder: Path, order: Order = "head") -> Drawn:
    """Draw the runs of a sweep side by side: grids on sheets, curves in panels, a picture for each analysis.

    Args:
        frame: Rows of the result frame, of any number of runs.
        folder: Folder of the files.
        order: The order of heads in grids, as for `draw_sheet`.

    Returns:
        The PNG files; empty if each run is a single number.
    """
    files: list[Path] = []
    names: set[str] = set()
    for (analysis, _), rows in frame.groupby(["analysis", "plugin"], sort=False, dropna=False):
        for picture in finding_of_rows(rows).pictures:
            chosen = picture.rows(rows)
            if picture.sweep and len(chosen):
                name = picture.sweep if picture.sweep not in names else f"{picture.sweep}-{analysis}"
                names.add(name)
                draw = _sheet if picture.draw == "grid" else function_of(picture.draw)
                files += draw(chosen, folder / name, order)
    return tuple(path for path in files if path.suffix == ".png")


def function_of(draw: str) -> Draw:
    """The function behind a kind of picture.

    Args:
        draw: A key of `DRAW`, or `module:function`.

    Raises:
        ProbingError: If there is no such function.
    """
    if draw in DRAW:
        return DRAW[draw]
    module, _, name = draw.partition(":")
    try:
        function = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        kinds = "" if ":" in draw else f"{', '.join(DRAW)}, or "
        raise ProbingError(
            f"picture {draw!r}: {error}; use {kinds}module:function of an importable function"
        ) from error

    def drawn(rows: pd.DataFrame, path: Path, _: Order) -> Drawn:
        files: object = function(rows, path)
        try:
            return files_of(files, path)
        except TypeError as error:
            raise ProbingError(
                f"picture {draw!r}: returned {files!r}; return the files that it has written"
            ) from error

    return drawn


def _scores(rows: pd.DataFrame, path: Path, order: Order) -> Drawn:
    """Draw scores of probes: a grid, the effect of n heads, or a table of the score of all heads together."""
    kind = rows["granularity"].iloc[0]
    if kind == "top_heads":
        return files_of(draw_top_heads(rows, path), path)
    if kind == "all_heads":
        return (save_table(grid_table(rows, "test"), path.with_name(f"{path.name}.csv")),)
    return files_of(draw_grid(rows, path, order=order), path)


def _score_sheets(frame: pd.DataFrame, path: Path, order: Order) -> Drawn:
    kind = frame["granularity"]
    top, grids = frame[kind == "top_heads"], frame[~kind.isin(["top_heads", "all_heads"])]
    drawn = () if grids.empty else files_of(draw_sheet(grids, path, order=order), path)
    beside = path.with_name("top_heads")
    return drawn if top.empty else (*drawn, *files_of(draw_top_heads(top, beside), beside))


def _grid(rows: pd.DataFrame, path: Path, order: Order) -> Drawn:
    """Draw one grid, or a sheet of several stacks or settings."""
    if not has_values(rows):
        return _scores(rows, path, order)
    draw = draw_grid if len(split_grids(rows)) == 1 else draw_sheet
    return files_of(draw(rows, path, order=order, value="value"), path)


def _sheet(rows: pd.DataFrame, path: Path, order: Order) -> Drawn:
    if not has_values(rows):
        return _score_sheets(rows, path, order)
    return files_of(draw_sheet(rows, path, order=order, value="value"), path)


DRAW: dict[str, Draw] = {
    "grid": _grid,
    "sheet": _sheet,
    "masking": lambda rows, path, _: files_of(draw_masking(rows, path), path),
    "path": lambda rows, path, _: files_of(draw_path(rows, path), path),
}
"""The kinds of pictures that a finding can name."""
