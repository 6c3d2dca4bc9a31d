"""From the result files under a folder to what the page shows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from probing.errors import CorruptFileError, ProbingError
from probing.figures.words import metric_name
from probing.page.content import Content, Curve, Damaged, Grid
from probing.page.lines import lines
from probing.page.names import FIELDS, described, told_apart
from probing.page.overrides import command_line
from probing.page.runs import run_of
from probing.page.support import guess, numbers, support
from probing.results.baselines import with_baselines
from probing.results.schema import COLUMNS, DERIVED, GRID
from probing.results.select import FOUND
from probing.results.store import read_result
from probing.tasks.target import COEFFICIENTS

CELL_COLUMNS = (
    "layer", "head", "dev", "test", "test_low", "test_high", "p", "p_adjusted", "untrained", "control",
    "selectivity",
)  # fmt: skip
SIZES = ("n_train", "n_dev", "n_test", "n_classes")
_Item = TypeVar("_Item", Grid, Curve)
SPLIT = [*GRID, "step", "draw", "key"]


def collect(root: Path) -> Content:
    """Read every result of a probe under a folder; files that are damaged are named instead.

    Raises:
        ProbingError: If there is no such folder.
    """
    if not root.is_dir():
        raise ProbingError(f"{root}: no such folder; give the paths.root that the runs wrote to")
    frames, notes, damaged, others = _read(sorted((root / "results").glob("*.parquet")))
    if not frames:
        return Content(str(root), (), (), (), tuple(damaged), others)
    frame = _plain(with_baselines(pd.concat(frames, ignore_index=True)))
    places = {key: place for place, key in enumerate(notes)}
    runs = tuple(
        run_of(key, file, note, command_line(note.get("config"), str(root)))
        for key, (file, note) in notes.items()
    )
    top = (frame["granularity"] == "top_heads").to_numpy(dtype=bool)
    groups = _groups(frame[~top], SPLIT)
    tops = _groups(frame[top], [name for name in SPLIT if name not in {"variant", "draw"}])
    names = told_apart([*groups, *tops])
    grids = (_grid(rows, places, *more) for rows, more in zip(groups, names[: len(groups)], strict=True))
    curves = (_curve(rows, places, *more) for rows, more in zip(tops, names[len(groups) :], strict=True))
    return Content(str(root), runs, tuple(_sorted(grids)), tuple(_sorted(curves)), tuple(damaged), others)


def _read(
    paths: Iterable[Path],
) -> tuple[list[pd.DataFrame], dict[str, tuple[str, dict[str, Any]]], list[Damaged], tuple[str, ...]]:
    frames, notes, damaged, others = [], {}, [], {}
    for path in paths:
        try:
            frame, note = read_result(path)
        except CorruptFileError as error:
            damaged.append(Damaged(path.name, str(error).removeprefix(f"{path}: ")))
            continue
        if len(frame) and frame["analysis"].iloc[0] in FOUND:
            others[str(frame["analysis"].iloc[0])] = path
        elif len(frame):
            key = path.stem.rpartition(".")[2]  # rows of old files may lack theirs
            frames.append(frame[list(COLUMNS)].assign(key=key))
            notes[key] = (path.name, note)
    return frames, notes, damaged, tuple(others)


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The same rows by layer and head, as floats and texts, which are taken apart ten times as fast."""
    kinds = {name: float if kind != "string" else object for name, kind in (COLUMNS | DERIVED).items()}
    return frame.sort_values(["layer", "head"], kind="stable").astype(kinds).reset_index(drop=True)


def _groups(frame: pd.DataFrame, by: list[str]) -> list[pd.DataFrame]:
    return [rows for _, rows in frame.groupby(by, sort=False, dropna=False)]


def _grid(rows: pd.DataFrame, places: dict[str, int], names: dict[str, str], varying: set[str]) -> Grid:
    metric = str(rows["metric"].iloc[0])
    columns = {name: numbers(rows[name]) for name in CELL_COLUMNS}
    return Grid(
        names=names,
        title=names.get("task", ""),
        detail=described(names, varying),
        run=places[str(rows["key"].iloc[0])],
        metric=metric_name(metric),
        coefficient=metric in COEFFICIENTS,
        sizes={name: numbers(rows[name])[0] for name in SIZES},
        columns={name: values for name, values in columns.items() if any(v is not None for v in values)},
        support=support(rows),
    )


def _curve(rows: pd.DataFrame, places: dict[str, int], names: dict[str, str], varying: set[str]) -> Curve:
    metric = str(rows["metric"].iloc[0])
    return Curve(
        names=names,
        title=names.get("task", ""),
        detail=described(names, varying),
        run=places[str(rows["key"].iloc[0])],
        metric=metric_name(metric),
        coefficient=metric in COEFFICIENTS,
        guess=guess(rows),
        lines=lines(rows),
    )


def _sorted(items: Iterable[_Item]) -> list[_Item]:
    """By name, seeds and steps as numbers: step 1000 after step 200."""

    def order(item: _Item) -> list[tuple[float, str]]:
        values = (item.names.get(name, "").removeprefix("none") for name in FIELDS)  # before its baselines
        return [(float(value), "") if value.isdecimal() else (-1.0, value) for value in values]

    return sorted(items, key=order)
