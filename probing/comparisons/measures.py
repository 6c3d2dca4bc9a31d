"""Measures of the effect of a head, taken from the rows of different analyses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from probing.errors import ProbingError
from probing.results.checks import check_numbers, single_heads
from probing.results.effects import CELL, effect
from probing.results.finding import finding_of_rows
from probing.results.grid_key import key_of
from probing.results.schema import GRID, KINDS, RESULT, places
from probing.results.several import preferred, several
from probing.validation.arguments import checked

_RUN = [name for name in (*GRID, "step", "draw", "setup", "key") if name != "stack"]
# the only stack that probes read in a model with several
_PROBED = "encoder"
_WORDS: dict[str, Callable[[str], str]] = {
    "baseline": lambda value: value.replace("none", ""),
    "task": str,
    "variant": str,
    "fill": lambda value: value.replace("zero", ""),
    "normalisation": str,
    "penalty": "lambda {}".format,
    "direction": str,
    "metric": str,
    "model": str,
    "step": "step {}".format,
    "granularity": str,
    "pooling": "pooling={}".format,
    "probe": str,
    "objective": str,
    "seed": "seed {}".format,
    "limit": "limit {}".format,
    "draw": "draw {}".format,
    "n_train": "{} trained on".format,
    "key": lambda value: f"run {value[:6]}",
}


# named where no other column distinguishes two grids, each if those before it do not
_LAST = ("metric", "n_train", "key")


@checked(frame=(*RESULT, "value"))
def measures(frame: pd.DataFrame) -> pd.DataFrame:
    """Return every measure of single heads as a column; larger means a larger effect of the head (`effect`).

    Probes read only the encoder of an encoder–decoder model. So where other grids name stacks, rows without
    a stack belong to the encoder.

    Args:
        frame: Result rows of grids that have the same heads. Rows that are not of a single head, or do not
            measure it, such as the number of its cluster, are left out.

    Returns:
        A frame of float64 with (stack, layer, head) as rows, where stack is "-" if the model has only one,
        and the names of `measure_names` as columns. Every cell is filled.

    Raises:
        ProbingError: If no row is of a single head, or a grid lacks a head that another has.

    Example:
        >>> import probing
        >>> from probing.results.schema import as_frame
        >>> heads = dict(analysis="probe", task="tense", granularity="head", layer=0, metric="accuracy")
        >>> frame = as_frame([
        ...     {**heads, "head": head, "test": test, "value": test} for head, test in enumerate([0.5, 0.9])
        ... ])
        >>> probing.measures(frame).to_dict()
        {'probe': {('-', 0, 0): 0.5, ('-', 0, 1): 0.9}}
    """
    return table_of(head_grids(frame))


def table_of(grids: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the table of `measures` for grids of `head_grids`.

    Raises:
        ProbingError: If a grid lacks a head that another has, or has two rows for one.
    """
    stacked = any(rows["stack"].notna().any() for rows in grids)
    columns: dict[str, pd.Series] = {}
    for name, rows in zip(measure_names(grids), grids, strict=True):
        told = rows.assign(stack=rows["stack"].fillna(_PROBED)) if stacked else rows
        cells = places(told, CELL)
        if cells.has_duplicates:
            twice = _place(cells[cells.duplicated()][0])
            raise several(rows, "grid", f"{name} has two rows for {twice}, of ")
        columns[name] = pd.Series(effect(rows).to_numpy(), index=cells)
    for name, numbers in columns.items():
        check_numbers(numbers.to_frame("value"), "value", what=name)
    table = pd.concat(columns, axis=1)
    _refuse_gaps(table)
    return table


def head_grids(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the rows of single heads, a frame for each grid; all stacks of a model form one grid.

    Runs of different stacks are joined if they share all other settings. A choice of heads, such as
    `only_best` of ablation, is not a grid. The place of a head on a map does not measure it.

    Raises:
        ProbingError: If there are no such rows.
    """
    frame = single_heads(frame, "a measure of heads")
    single = frame["granularity"].eq("head").fillna(value=False).astype(bool)
    rows = frame[single & frame["layer"].notna() & frame["head"].notna()]
    rows = preferred(rows)
    groups = rows.groupby(_numbers(rows), sort=False)
    found = [grid for _, grid in groups if key_of(grid).variant not in finding_of_rows(grid).chosen]
    if not found:
        raise ProbingError("no results of single heads; run probing, then probing analysis=ablation")
    grids = [grid for grid in found if key_of(grid).variant not in finding_of_rows(grid).no_measure]
    if not grids:
        names = ", ".join(
            dict.fromkeys(f"{key_of(grid).variant} of {key_of(grid).analysis}" for grid in found)
        )
        raise ProbingError(f"there is no measure of heads among {names}; select other rows by variant=...")
    return grids


def _numbers(rows: pd.DataFrame) -> pd.Series:
    """Return the number of the grid of each row."""
    runs, alike = (
        rows.groupby(names, sort=False, dropna=False, observed=True).ngroup()
        for names in (_RUN, [name for name in _RUN if name != "key"])
    )
    stacks = pd.DataFrame({"alike": alike, "stack": rows["stack"].fillna(_PROBED), "run": runs})
    most = stacks.groupby(["alike", "stack"])["run"].nunique().groupby("alike").max()
    return alike.where(alike.map(most) == 1, len(rows) + runs)


def measure_names(grids: Sequence[pd.DataFrame]) -> list[str]:
    """Return a short name for each grid: its analysis and variant, and the values that distinguish it.

    The first word is the analysis. Tasks and models are named where any grids differ in them, other columns
    where grids of that analysis do: `probe grammar/tense`, `ablation leave_one_out`, `gates lambda 0.01`.
    """
    keys = pd.DataFrame([_texts(grid) for grid in grids])
    more: list[tuple[str, ...]] = [()] * len(keys)
    names = [_name(keys, place, ()) for place in range(len(keys))]
    for field in _LAST:
        needed = keys.groupby(names)[field].transform("nunique") > 1
        more = [(*own, field) if so else own for own, so in zip(more, needed, strict=True)]
        names = [_name(keys, place, own) for place, own in enumerate(more)]
    return names


def _texts(grid: pd.DataFrame) -> dict[str, str]:
    first = grid.iloc[0]
    fields = ("analysis", *_WORDS)
    texts = {name: "" if pd.isna(first[name]) else str(first[name]) for name in fields}
    return texts | ({"variant": ""} if texts["variant"] == finding_of_rows(grid).variant else {})


def _name(keys: pd.DataFrame, place: int, more: Sequence[str]) -> str:
    own, alike = keys.iloc[place], keys[keys["analysis"] == keys["analysis"].iloc[place]]
    told = {*KINDS, *more}
    told |= {name for name in ("task", "model") if len(set(keys[name])) > 1}
    told |= {name for name in _WORDS if name not in _LAST and len(set(alike[name])) > 1}
    words = [_WORDS[name](own[name]) for name in _WORDS if name in told and own[name]]
    return " ".join([own["analysis"], *filter(None, words)])


def _refuse_gaps(table: pd.DataFrame) -> None:
    gaps = table.isna().to_numpy()
    if not gaps.any():
        return
    worst = int(gaps.sum(axis=0).argmax())
    missing = np.flatnonzero(gaps[:, worst])
    others = [str(table.columns[other]) for other in np.flatnonzero(~gaps[missing[0]]).tolist()]
    has = f", where {others[0]} has one" if others else ""
    raise ProbingError(
        f"{table.columns[worst]} has no number for {len(missing)} of {len(table)} heads, the first "
        f"{_place(table.index[missing[0]])}{has}; "
        "select grids of the same heads, as with model=... or stack=encoder"
    )


def _place(cell: tuple[object, ...]) -> str:
    stack, layer, head = cell
    return f"{'' if stack == '-' else f'{stack} '}layer {layer} head {head}"
