"""Several runs in the place of one: the preferred run, and the error that asks the user to name one."""

from __future__ import annotations

import pandas as pd

from probing.errors import ProbingError
from probing.results.schema import GRID, KINDS, NONE, places
from probing.validation.suggestions import name_one

_TOLD_BY = (*GRID, "step", "setup", "n_train", "n_dev", "n_test", "inner", "key")
"""Columns that distinguish runs; those that a user sets are first."""
_EQUAL = (
    *(name for name in GRID if name not in {*KINDS, "stack", "metric"}), "step", "setup", "n_train",
)  # fmt: skip
"""Columns in which runs with an equal run spec agree."""


def several(rows: pd.DataFrame, what: str = "grid", start: str = "") -> ProbingError:
    """The error that lists the columns in which rows differ, with their values, and asks to name one.

    Args:
        rows: Result rows of more than one grid or run.
        what: Name of the thing that should be unique.
        start: Start of the message, which names the rows.
    """
    columns = differing(rows)
    if not columns:
        return ProbingError(f"{start}the same {what} twice; keep the rows of one")
    # the columns that identify a run help only where nothing else distinguishes it
    named = [name for name in columns if name not in {"setup", "inner", "key"}] or columns[-1:]
    texts = [NONE if pd.isna(value) else str(value) for value in rows[named[0]]]
    return ProbingError(start + name_one(what, named, texts))


def differing(rows: pd.DataFrame) -> list[str]:
    """The columns that distinguish runs and grids and differ between rows; missing counts as a value."""
    known = [name for name in _TOLD_BY if name in rows]
    return [name for name in known if len(rows[name].unique()) > 1]


def preferred(rows: pd.DataFrame, of: pd.DataFrame | None = None) -> pd.DataFrame:
    """The rows without those of runs that give way to another run with an equal run spec.

    A run gives way to a run that has all of its cells and more, such as a grid of some layers to the whole
    grid. A run that another run made on its way (column `inner`) gives way to a requested one, unless it has
    more cells.

    Args:
        rows: Selected result rows.
        of: All rows, whose cells are counted; by default the selected ones.

    Returns:
        The remaining rows, in their order.
    """
    if not {"key", "setup", "inner"} <= set(rows) or rows["key"].nunique() < 2:
        return rows
    names = [name for name in _EQUAL if name in rows]
    gone: set[object] = set()
    for _, group in rows.groupby(names, dropna=False, sort=False):
        keys = list(group["key"].dropna().unique())
        if len(keys) > 1:
            gone |= _giving_way(group if of is None else of[of["key"].isin(keys)], keys)
    return rows[~rows["key"].isin(list(gone))] if gone else rows


def _giving_way(rows: pd.DataFrame, keys: list[object]) -> set[object]:
    own = {key: rows[(rows["key"] == key).fillna(value=False)] for key in keys}
    cells = {key: frozenset(places(of_key)) for key, of_key in own.items()}
    inner = {key: bool(of_key["inner"].fillna(value=False).any()) for key, of_key in own.items()}

    def gives_way(one: object, other: object) -> bool:
        if cells[one] < cells[other]:
            return True
        return inner[one] and not inner[other] and not cells[one] > cells[other]

    return {one for one in keys if any(gives_way(one, other) for other in keys if other != one)}
