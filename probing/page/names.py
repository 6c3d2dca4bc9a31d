"""What grids are called: by what tells them from the others of the page."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from probing.figures.grid import GridKey
from probing.figures.words import describe
from probing.results.schema import GRID

FIRST = ("model", "step", "task", "granularity", "pooling", "probe", "seed", "baseline")
FIELDS = (*FIRST, *(name for name in GRID if name not in FIRST), "draw", "run")
"""Columns that a reader picks by, in this order; `run` tells apart what agrees in all others."""


def names_of(row: pd.Series[Any], without: set[str]) -> dict[str, str]:
    """The fields of a row that are not missing, as text."""
    fields = [name for name in FIELDS if name in row.index and name not in without]
    return {name: str(row[name]) for name in fields if not pd.isna(row[name])} | {
        "key": str(row["key"]),
        "n_train": str(row["n_train"]),
    }


def told_apart(named: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """For each, the fields that vary over all, and a field `run` where others agree in every field.

    The names lose their `key` and `n_train`, which that field is made of.
    """
    sizes = [(names.pop("key"), names.pop("n_train")) for names in named]
    same = defaultdict(list)
    for place, names in enumerate(named):
        same[tuple(sorted(names.items()))].append(place)
    for places in same.values():
        counts = Counter(sizes[place][1] for place in places)
        for place in places if len(places) > 1 else ():
            key, n_train = sizes[place]
            named[place]["run"] = f"{n_train} trained on" if counts[n_train] == 1 else f"run {key[:6]}"
    varying = [name for name in FIELDS if len({names.get(name) for names in named}) > 1]
    return [{name: names[name] for name in varying if name in names} for names in named]


def described(names: Mapping[str, str], varying: set[str]) -> str:
    """All but the task in words: the model, what is read, and whatever varies over the page."""
    key = GridKey._make(names.get(field, "") for field in GridKey._fields)
    fields = {"model", "granularity"} | varying - {"task"}
    parts = describe(key, [field for field in GridKey._fields if field in fields])
    parts += [f"step {names['step']}"] if "step" in varying and "step" not in GridKey._fields else []
    parts += [f"draw {names['draw']}"] if "draw" in varying & set(names) else []
    return " · ".join(parts + ([names["run"]] if "run" in names else []))
