"""Rows of no single layer as tables: scores while heads are masked, pruned models, the path of gates."""

from __future__ import annotations

import numpy as np
import pandas as pd

from probing.results.finding import Report, finding_of_rows
from probing.results.select import gate_path
from probing.results.text.curves import RANKINGS, scored, silenced_text
from probing.results.text.found_text import interval_text
from probing.results.units import score_unit

LAMBDA = "\N{GREEK SMALL LETTER LAMDA}"
_NONE = "\N{EN DASH}"
_SIZES = {"parameters": "{:,.0f}", "megabytes": "{:,.1f}", "seconds": "{:.3g}"}


def values_report(rows: pd.DataFrame) -> Report:
    """A table of values that belong to no single layer, with their intervals."""
    finding, lines = finding_of_rows(rows), []
    for _, row in rows[rows["layer"].isna()].iterrows():
        metric, value = str(row["metric"]), float(row["value"])
        unit = finding.unit_of(metric, "", [value])
        name = str(row["variant"]).replace("_", " ")
        lines.append((name, metric, unit.spoken(value), interval_text(row, unit).strip()))
    return Report("values of all heads together", ("rows", "metric", "value", "95 % interval"), tuple(lines))


def masking_report(rows: pd.DataFrame) -> Report:
    """A table of scores while heads are masked, a column for each ranking."""
    there = list(rows["variant"].unique())
    names = [name for name in RANKINGS if name in there] + [name for name in there if name not in RANKINGS]
    left = sorted(rows["n_heads"].astype(int).unique(), reverse=True)
    lines = []
    for count in left:
        of_count = rows[rows["n_heads"] == count]
        scores = (_drawn(of_count[of_count["variant"] == name]) for name in names)
        lines.append((str(count), *scores))
    title = f"test score while heads are masked, by ranking{_full(rows)}"
    return Report(title, ("heads remaining", *names), tuple(lines))


def _drawn(rows: pd.DataFrame) -> str:
    """A single score, or the mean and range of several draws."""
    if rows.empty:
        return _NONE
    unit, test = score_unit(str(rows["metric"].iloc[0])), rows["test"].to_numpy(dtype=np.float64)
    ends = f" [{unit.told(test.min())}, {unit.told(test.max())}]" if len(test) > 1 else ""
    return f"{unit.spoken(float(test.mean()))}{ends}"


def prune_report(rows: pd.DataFrame) -> Report:
    """A table of the full, the masked and the pruned model."""
    found = {(str(row["variant"]), str(row["metric"])): row["value"] for _, row in rows.iterrows()}
    lines = []
    for name in ("full", "masked", "pruned"):
        scores = scored(rows, name)
        if scores.empty:
            continue
        row = scores.iloc[0]
        sizes = (_size(found.get((name, size)), form) for size, form in _SIZES.items())
        count = _NONE if pd.isna(row["n_heads"]) else f"{row['n_heads']:.0f}"
        lines.append((name, count, *_scores(row), *sizes))
    headings = ("model", "heads", "dev", "test", *_SIZES)
    title = f"the full model, with heads masked, and with heads pruned{silenced_text(rows)}"
    return Report(title, headings, tuple(lines))


def _size(value: float | None, form: str) -> str:
    return _NONE if value is None or pd.isna(value) else form.format(value)


def gates_report(rows: pd.DataFrame) -> Report:
    """A table of scores and open gates for each lambda."""
    path = gate_path(rows)
    lines = ((f"{row['penalty']:g}", f"{row['n_heads']:.0f}", *_scores(row)) for _, row in path.iterrows())
    return Report(f"gates along {LAMBDA}{_full(rows)}", (LAMBDA, "open gates", "dev", "test"), tuple(lines))


def _scores(row: pd.Series) -> tuple[str, str]:
    unit = score_unit(str(row["metric"]))
    dev, test = (_NONE if pd.isna(row[name]) else unit.spoken(float(row[name])) for name in ("dev", "test"))
    return dev, test


def _full(rows: pd.DataFrame) -> str:
    full = rows["full"].dropna()
    if full.empty:
        return ""
    return f"; full model {score_unit(str(rows['metric'].iloc[0])).spoken(float(full.iloc[0]))}"
