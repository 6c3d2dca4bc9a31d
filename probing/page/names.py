"""What grids are called: by what tells them from the others of the page."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from probing.figures.grid import GridKey
from probing.figures.words import describe
from probing.results.schema import GRID

FIRST = ("analysis", "model", "step", "task", "granularity", "pooling", "probe", "seed", "baseline")
FIELDS = (*FIRST, *(name for name in GRID if name not in FIRST), "draw", "run")
"""Columns that a reader picks by, in this order; `run` tells apart what agrees in all others."""


def names_of(rows: pd.DataFrame) -> dict[str, str]:
    """What rows of one grid agree in, as text; fields that are missing are absent."""
    row, several = rows.iloc[0], len(rows["variant"].unique()) > 1
    within = {"variant", "draw"} if several or row["granularity"] == "top_heads" else set()
    fields = [name for name in FIELDS if name in row.index and name not in within]
    return {name: _text(row[name]) for name in fields if not pd.isna(row[name])}


def _text(value: object) -> str:
    return f"{value:.0f}" if isinstance(value, float) else str(value)


def told_apart(groups: Sequence[pd.DataFrame]) -> list[tuple[dict[str, str], set[str]]]:
    """The names of each group of rows, and which of them tell it from the other groups.

    Where groups agree in every field, a field `run` is added.
    """
    named = [names_of(rows) for rows in groups]
    same = defaultdict(list)
    for place, names in enumerate(named):
        same[tuple(names.items())].append(place)
    for places in same.values():
        if len(places) > 1:
            told = _runs([groups[place].iloc[0] for place in places])
            for place, run in zip(places, told, strict=True):
                named[place]["run"] = run
    varying = {name for name in FIELDS if len({names.get(name) for names in named}) > 1}
    return [(names, varying & set(names)) for names in named]


def _runs(rows: Sequence[pd.Series[Any]]) -> list[str]:
    """Runs that agree in every field, by what they were trained on if that differs, else by their keys."""
    sizes = ["" if pd.isna(row["n_train"]) else _text(row["n_train"]) for row in rows]
    counts = Counter(sizes)
    return [
        f"{size} trained on" if size and counts[size] == 1 else f"run {row['key'][:6]}"
        for size, row in zip(sizes, rows, strict=True)
    ]


def described(names: Mapping[str, str], varying: set[str]) -> str:
    """All but the task in words: the model, what is read, and whatever varies over the page."""
    key = GridKey._make(names.get(field, "") for field in GridKey._fields)
    fields = {"model", "granularity"} | varying - {"task"}
    # of other analyses the metric follows from what they are
    fields -= set() if names.get("analysis") in ("probe", "ablation", None) else {"metric"}
    parts = describe(key, [field for field in GridKey._fields if field in fields])
    parts += [f"step {names['step']}"] if "step" in varying and "step" not in GridKey._fields else []
    parts += [f"draw {names['draw']}"] if "draw" in varying & set(names) else []
    return " · ".join(parts + ([names["run"]] if "run" in names else []))
