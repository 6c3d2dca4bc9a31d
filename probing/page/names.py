"""The names of grids, by the fields that distinguish them on the page."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import pandas as pd

from probing.figures.naming import describe
from probing.results.grid_key import GridKey
from probing.results.schema import GRID, KINDS, NONE, places

FIRST = ("analysis", "model", "step", "task", "granularity", "pooling", "probe", "seed", "baseline")
FIELDS = (*FIRST, *(name for name in GRID if name not in FIRST), "draw", "origin", "run")
"""Fields by which a reader picks results, in this order.

`origin` shows whether a run was requested or made by another run on its way, and `run` distinguishes runs
that agree in all other fields.
"""
ASKED, INNER = "requested", "made by another run"


def names_of(rows: pd.DataFrame) -> dict[str, str]:
    """The fields in which the rows of one grid agree, as text, without missing ones."""
    row, several = rows.iloc[0], len(places(rows, KINDS).unique()) > 1
    within = {*KINDS, "draw"} if several or row["granularity"] == "top_heads" else set()
    fields = [name for name in FIELDS if name in row.index and name not in within]
    names = {name: _text(row[name]) for name in fields if not pd.isna(row[name])}
    names.setdefault("limit", NONE)
    inner = "inner" in row.index and not pd.isna(row["inner"]) and bool(row["inner"])
    return {name: names[name] for name in FIELDS if name in names} | {"origin": INNER if inner else ASKED}


def _text(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if value.is_integer() else f"{value:g}"


def told_apart(groups: Sequence[pd.DataFrame]) -> list[tuple[dict[str, str], set[str]]]:
    """The names of each group of rows, and the fields that distinguish it from the other groups.

    If groups agree in every field, a field `run` is added.
    """
    named = [names_of(rows) for rows in groups]
    same = defaultdict(list)
    for place, names in enumerate(named):
        same[tuple(names.items())].append(place)
    for alike in same.values():
        if len(alike) > 1:
            told = _runs([groups[place] for place in alike])
            for place, run in zip(alike, told, strict=True):
                named[place]["run"] = run
    varying = {name for name in FIELDS if len({names.get(name) for names in named}) > 1}
    return [(names, varying & set(names)) for names in named]


def _runs(groups: Sequence[pd.DataFrame]) -> list[str]:
    """Names of runs that agree in every field: their number of examples, or their key and cells."""
    rows = [group.iloc[0] for group in groups]
    sizes = ["" if pd.isna(row["n_train"]) else _text(row["n_train"]) for row in rows]
    counts, cells = Counter(sizes), len({len(group) for group in groups}) > 1
    return [
        f"{size} training examples"
        if size and counts[size] == 1
        else f"run {row['key'][:6]}" + (f", {len(group)} cells" if cells else "")
        for size, row, group in zip(sizes, rows, groups, strict=True)
    ]


def described(names: Mapping[str, str], varying: set[str]) -> str:
    """The fields except the task in words: model, granularity, and the fields that vary on the page."""
    known = {name: text for name, text in names.items() if (name, text) != ("limit", NONE)}
    key = GridKey._make(known.get(field, "") for field in GridKey._fields)
    key = key._replace(penalty=float(key.penalty)) if key.penalty else key
    fields = {"model", "granularity", "limit"} | varying - {"task"}
    parts = describe(key, [field for field in GridKey._fields if field in fields])
    parts += [f"step {names['step']}"] if "step" in varying and "step" not in GridKey._fields else []
    parts += [f"draw {names['draw']}"] if "draw" in varying & set(names) else []
    parts += [INNER] if names.get("origin") == INNER else []
    return " · ".join(parts + ([names["run"]] if "run" in names else []))
