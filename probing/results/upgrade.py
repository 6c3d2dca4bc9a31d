"""Upgrade of files of earlier versions: a column that combined several values is split on reading."""

from __future__ import annotations

import pandas as pd

from probing.results.schema import COLUMNS, KINDS
from probing.results.select import of_variant, selected_gates

SPLIT = 5
"""The last schema with several values in `variant`."""


def upgraded(frame: pd.DataFrame, schema: int) -> pd.DataFrame:
    """Convert the rows of a file of an earlier schema to the current columns.

    Until schema 5 `variant` was a small language: `leave_one_out[mean].loss`, `per_example.minmax`,
    `lambda=0.01.open`, `pruned.seconds`.
    """
    frame = frame.rename(columns={"question": "setup"})
    frame = frame.assign(**{name: None for name in COLUMNS if name not in frame})
    frame = frame.assign(baseline=frame["baseline"].fillna("none"))
    if schema > SPLIT:
        return frame
    frame = frame.assign(main=True)
    frame = frame.astype({name: COLUMNS[name] for name in ("analysis", *KINDS, "main", "value", "draw")})
    parts = [_OF.get(str(name), _same)(rows.copy()) for name, rows in frame.groupby("analysis", sort=False)]
    return pd.concat(parts).sort_index(kind="stable") if parts else frame


def _same(rows: pd.DataFrame) -> pd.DataFrame:
    return rows


def _ablation(rows: pd.DataFrame) -> pd.DataFrame:
    words = rows["variant"].str.extract(r"^(\w+)(?:\[(\w+)\])?(\.loss)?$")
    kinds = [name for name in ("leave_one_out", "only_one") if words[0].eq(name).any()]
    main = words[0].eq(kinds[0] if kinds else "") & words[2].isna()
    return rows.assign(variant=words[0], fill=words[1].fillna("zero"), main=main.astype("boolean"))


def _importance(rows: pd.DataFrame) -> pd.DataFrame:
    words = rows["variant"].str.split(".", n=1, expand=True).reindex(columns=[0, 1])
    main = words[0].eq("per_example") & words[1].isna()
    return rows.assign(variant=words[0], normalisation=words[1], main=main.astype("boolean"))


def _gates(rows: pd.DataFrame) -> pd.DataFrame:
    words = rows["variant"].str.extract(r"^lambda=(.+?)(\.open)?$")
    gate, path = words[0].notna(), rows["variant"].eq("path").fillna(value=False).astype(bool)
    rows = rows.assign(
        penalty=words[0].astype("Float64").where(gate, rows["value"].where(path)),
        value=rows["value"].mask(path),
        draw=rows["draw"].mask(path),
        variant=rows["variant"].mask(gate & words[1].isna(), "gate").mask(gate & words[1].notna(), "open"),
    )
    return rows.assign(main=False if of_variant(rows, "path").empty else selected_gates(rows))


def _prune(rows: pd.DataFrame) -> pd.DataFrame:
    variant = rows["variant"].str.split(".").str[0]
    return rows.assign(variant=variant, main=variant.eq("kept"))


def _masking(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(main=False)


_OF = {
    "ablation": _ablation,
    "importance": _importance,
    "gates": _gates,
    "prune": _prune,
    "masking": _masking,
}
