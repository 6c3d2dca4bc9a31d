"""The content of the page, collected from the result files under a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from probing.errors import ProbingError
from probing.figures.naming import minus
from probing.page.contents import Content, Curve, Damaged, PageGrid, PageTable
from probing.page.count_curves import lines
from probing.page.found_values import found, found_support
from probing.page.names import FIELDS, described, told_apart
from probing.page.runs import run_of
from probing.page.support import against_guess, guess, numbers, sides, support, value_against_chance
from probing.results.alike import quantity
from probing.results.baselines import with_baselines
from probing.results.checks import has_values
from probing.results.finding import finding_of_rows
from probing.results.schema import COLUMNS, DERIVED, GRID, KINDS, of_pairs
from probing.results.sizes import SIZES, counts_text
from probing.results.store import read_results
from probing.results.units import LOSS, metric_name
from probing.tasks.target import COEFFICIENTS

CELL_COLUMNS = (
    "layer", "head", "dev", "test", "test_low", "test_high", "p", "p_adjusted", "untrained", "control",
    "selectivity", "value", "value_low", "value_high", "full", "rank",
)  # fmt: skip
# probes come before other analyses, and rows before their baselines
_FIRST: dict[str, Callable[[str], str]] = {
    "analysis": lambda value: value.removeprefix("probe"),
    "baseline": lambda value: value.removeprefix("none"),
}
_Item = TypeVar("_Item", PageGrid, Curve, PageTable)
SPLIT = [*GRID, "step", "draw", "key"]


def collect(root: Path) -> Content:
    """Read every result under a folder, and list the damaged files.

    Raises:
        ProbingError: If there is no such folder.
    """
    if not root.is_dir():
        raise ProbingError(f"{root}: no such folder; give the paths.root that the runs wrote to")
    frames, notes, damaged = _read(root / "results")
    if not frames:
        return Content(str(root), (), (), (), (), tuple(damaged))
    frame = _plain(with_baselines(pd.concat(frames, ignore_index=True)))
    places = {key: place for place, key in enumerate(notes)}
    runs = tuple(run_of(key, file, note, str(root)) for key, (file, note) in notes.items())
    groups = _items(frame)
    made = [_item(rows, places, *more) for rows, more in zip(groups, told_apart(groups), strict=True)]
    grids = _sorted(item for item in made if isinstance(item, PageGrid))
    curves = _sorted(item for item in made if isinstance(item, Curve))
    tables = _sorted(item for item in made if isinstance(item, PageTable))
    return Content(str(root), runs, tuple(grids), tuple(curves), tuple(tables), tuple(damaged))


def _read(
    root: Path,
) -> tuple[list[pd.DataFrame], dict[str, tuple[str, dict[str, Any]]], list[Damaged]]:
    results, problems = read_results(root)
    whole = [result for result in results if not of_pairs(result.frame).all()]
    # rows of old files may lack their key
    frames = [_cells(result.frame).assign(key=result.key) for result in whole]
    notes = {result.key: (result.path.name, dict(result.about)) for result in whole}
    damaged = [
        Damaged(Path(problem.path).name, str(problem).removeprefix(f"{problem.path}: "))
        for problem in problems
    ]
    return frames, notes, damaged


def _cells(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows without those for pairs of heads, which the page does not show."""
    return frame.loc[~of_pairs(frame), list(COLUMNS)]


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The same rows sorted by layer and head, as floats and texts, which are ten times as fast to split."""
    kinds = {name: float if kind != "string" else object for name, kind in (COLUMNS | DERIVED).items()}
    return frame.sort_values(["layer", "head"], kind="stable").astype(kinds).reset_index(drop=True)


def _items(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of each grid, of each run of `top_heads`, and of each table."""
    top = (frame["granularity"] == "top_heads").to_numpy(dtype=bool)
    told = in_report(frame).to_numpy(dtype=bool)
    return [
        *_groups(frame[~top & ~told], SPLIT),
        *_groups(frame[top], [name for name in SPLIT if name not in {*KINDS, "draw"}]),
        *_groups(frame[told], [name for name in SPLIT if name not in {*KINDS, "draw", "metric"}]),
    ]


def in_report(frame: pd.DataFrame) -> pd.Series:
    """Return whether each row belongs in a table rather than in a grid; bool."""
    found = pd.Series(data=False, index=frame.index)
    for _, rows in frame[frame["layer"].isna()].groupby(["analysis", "plugin"], sort=False, dropna=False):
        found[rows.index] = finding_of_rows(rows).report is not None
    return found


def _groups(frame: pd.DataFrame, by: list[str]) -> list[pd.DataFrame]:
    return [rows for _, rows in frame.groupby(by, sort=False, dropna=False)]


def _item(
    rows: pd.DataFrame, places: dict[str, int], names: dict[str, str], varying: set[str]
) -> PageGrid | Curve | PageTable:
    finding, values = finding_of_rows(rows), has_values(rows)
    report = finding.report if rows["layer"].isna().all() else None
    of_curve = rows["granularity"].iloc[0] == "top_heads"
    # scores and differences have a metric; for other values it follows from the analysis
    by_metric = finding.difference or not (values or report)
    same: dict[str, Any] = {
        "names": names,
        "title": names.get("task", ""),
        "detail": described(names, varying if by_metric else varying - {"metric"}),
        "run": places[str(rows["key"].iloc[0])],
        "metric": metric_name(str(rows["metric"].iloc[0])),
        "counted": counts_text(rows),
    }
    if of_curve:
        coefficient = str(rows["metric"].iloc[0]) in COEFFICIENTS
        return Curve(**same, coefficient=coefficient, guess=guess(rows), lines=lines(rows))
    if report is not None:
        what, headings, texts = report(rows)
        return PageTable(**same, what=what, headings=headings, lines=texts)
    return PageGrid(**same, **_grid(rows, values=values))


def _grid(rows: pd.DataFrame, *, values: bool) -> dict[str, Any]:
    """The attributes of a grid that curves and tables do not have."""
    metric = str(rows["metric"].iloc[0])
    kind = quantity(rows, "value" if values else "test")
    columns = {name: numbers(rows[name]) for name in CELL_COLUMNS}
    return {
        "coefficient": metric in COEFFICIENTS,
        "loss": metric == LOSS,
        "scale": kind.scale,
        "quantity": minus(str(kind)),
        "sizes": {name: numbers(rows[name])[0] for name in (*SIZES, "n_classes")},
        "sides": sides(value_against_chance(rows) if values else against_guess(rows)),
        "columns": {
            name: cells for name, cells in columns.items() if any(cell is not None for cell in cells)
        },
        "support": found_support(rows) if values else support(rows),
        "found": found(rows) if values else None,
    }


def _sorted(items: Iterable[_Item]) -> list[_Item]:
    """Sort items by name, with seeds and steps as numbers: step 1000 is after step 200."""

    def order(item: _Item) -> list[tuple[float, str]]:
        values = (_FIRST.get(name, str)(item.names.get(name, "")) for name in FIELDS)
        return [(float(value), "") if value.isdecimal() else (-1.0, value) for value in values]

    return sorted(items, key=order)
