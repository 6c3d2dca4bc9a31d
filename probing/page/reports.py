"""Rows of no one layer as tables: scores while heads are masked, what pruning did, the path of gates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from probing.figures.masking_curves import CURVES
from probing.figures.naming import LAMBDA
from probing.results.select import gate_path
from probing.results.text.curves import silenced_text
from probing.results.units import score_unit

Lines = tuple[tuple[str, ...], ...]
_NONE = "\N{EN DASH}"
_SIZES = {"parameters": "{:,.0f}", "megabytes": "{:,.1f}", "seconds": "{:.3g}"}


def is_reported(frame: pd.DataFrame) -> pd.Series:
    """Which rows stand in a table rather than in a grid; bool."""
    return frame["analysis"].isin(list(_TABLES)) & frame["layer"].isna()


def report_of(rows: pd.DataFrame) -> tuple[str, tuple[str, ...], Lines]:
    """What a table is about, its headings, and its lines.

    Args:
        rows: The rows without a layer of one run of masking, prune or gates.
    """
    return _TABLES[str(rows["analysis"].iloc[0])](rows)


def _masking(rows: pd.DataFrame) -> tuple[str, tuple[str, ...], Lines]:
    there = list(rows["variant"].unique())
    names = [name for name in CURVES if name in there] + [name for name in there if name not in CURVES]
    left = sorted(rows["n_heads"].astype(int).unique(), reverse=True)
    lines = []
    for count in left:
        of_count = rows[rows["n_heads"] == count]
        scores = (_drawn(of_count[of_count["variant"] == name]) for name in names)
        lines.append((str(count), *scores))
    return f"test score while heads are masked, by ranking{_full(rows)}", ("heads left", *names), tuple(lines)


def _drawn(rows: pd.DataFrame) -> str:
    """One score, or of several draws their mean and range."""
    if rows.empty:
        return _NONE
    unit, test = score_unit(str(rows["metric"].iloc[0])), rows["test"].to_numpy(dtype=np.float64)
    ends = f" [{unit.told(test.min())}, {unit.told(test.max())}]" if len(test) > 1 else ""
    return f"{unit.spoken(float(test.mean()))}{ends}"


def _prune(rows: pd.DataFrame) -> tuple[str, tuple[str, ...], Lines]:
    variants = {str(row["variant"]): row for _, row in rows.iterrows()}
    lines = []
    for name in ("full", "masked", "pruned"):
        if name not in variants:
            continue
        row = variants[name]
        sizes = (
            _size(variants[f"{name}.{size}"]["value"], form) if f"{name}.{size}" in variants else _NONE
            for size, form in _SIZES.items()
        )
        count = _NONE if pd.isna(row["n_heads"]) else f"{row['n_heads']:.0f}"
        lines.append((name, count, *_scores(row), *sizes))
    headings = ("model", "heads", "dev", "test", *_SIZES)
    title = f"the whole model, with heads masked, and without them{silenced_text(rows)}"
    return title, headings, tuple(lines)


def _size(value: float, form: str) -> str:
    return _NONE if pd.isna(value) else form.format(value)


def _path(rows: pd.DataFrame) -> tuple[str, tuple[str, ...], Lines]:
    path = gate_path(rows)
    lines = ((f"{row['value']:g}", f"{row['n_heads']:.0f}", *_scores(row)) for _, row in path.iterrows())
    return f"gates along {LAMBDA}{_full(rows)}", (LAMBDA, "open gates", "dev", "test"), tuple(lines)


def _scores(row: pd.Series) -> tuple[str, str]:
    unit = score_unit(str(row["metric"]))
    dev, test = (_NONE if pd.isna(row[name]) else unit.spoken(float(row[name])) for name in ("dev", "test"))
    return dev, test


def _full(rows: pd.DataFrame) -> str:
    full = rows["full"].dropna()
    if full.empty:
        return ""
    return f"; full model {score_unit(str(rows['metric'].iloc[0])).spoken(float(full.iloc[0]))}"


_TABLES: dict[str, Callable[[pd.DataFrame], tuple[str, tuple[str, ...], Lines]]] = {
    "masking": _masking,
    "prune": _prune,
    "gates": _path,
}
