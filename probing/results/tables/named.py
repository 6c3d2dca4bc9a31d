"""The runs and grids of a frame, and the columns that name them in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from probing.results.checks import has_values
from probing.results.finding import finding_of_rows, main_rows
from probing.results.schema import GRID, KINDS, NONE
from probing.results.select import of_variant

_KINDS = (*KINDS, "stack", "metric")
_RUN = (*(name for name in GRID if name not in _KINDS), "step", "key")
_SETTINGS = (*(name for name in GRID if name not in ("plugin", "metric")), "step")
"""Columns that name grids; the metric is part of the score."""
_SIZES = ("n_train", "n_dev", "n_test")


def runs_of(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of each run, in the order in which they appear; training steps ascend."""
    there = [name for name in _RUN if name in frame]
    groups = [rows for _, rows in frame.groupby(there, sort=False, dropna=False)]
    if "step" not in frame:
        return groups
    return sorted(groups, key=lambda rows: -1 if pd.isna(rows["step"].iloc[0]) else int(rows["step"].iloc[0]))


def is_report(run: pd.DataFrame) -> bool:
    """Return whether the finding of a run is a table of its own rather than a grid, as for masking."""
    return bool(run["layer"].isna().any()) and finding_of_rows(run).report is not None


def of_counts(run: pd.DataFrame) -> bool:
    """Return whether the rows are scores of the n best heads together, with their comparisons."""
    return not has_values(run) and bool(run["variant"].eq("top").any())


def grids_of(run: pd.DataFrame) -> list[pd.DataFrame]:
    """The grids of a run: those of the main rows, or else of all rows that cover heads or layers.

    For the n best heads together, the only grid has a row for each n.
    """
    if of_counts(run):
        return [of_variant(run, "top")]
    placed = run[run["layer"].notna()]
    main = main_rows(placed)
    rows = placed if main.empty else main
    rows = run if rows.empty else rows
    there = [name for name in _KINDS if name in rows]
    return [grid for _, grid in rows.groupby(there, sort=False, dropna=False)]


@dataclass(frozen=True)
class Names:
    """The settings of several grids.

    Attributes:
        differing: The columns that distinguish the grids, each with a text for every grid.
        same: The texts of the settings in which all grids agree.
    """

    differing: Mapping[str, Sequence[str]]
    same: Mapping[str, str]


def names_of_all(grids: Sequence[pd.DataFrame]) -> Names:
    """The settings of grids.

    A setting that follows from the analysis, such as the objective of an ablation, does not name a grid.
    Where the settings do not distinguish all grids, the numbers of examples do, or else the start of the key.
    """
    table = {name: [_text(grid, name) for grid in grids] for name in _SETTINGS}
    differing = {
        name: texts
        for name, texts in table.items()
        if name == "analysis" or _varies(texts, table["analysis"])
    }
    differing = {name: texts for name, texts in differing.items() if len(set(texts)) > 1}
    for name in (*_SIZES, "key"):
        if len(set(zip(*differing.values(), strict=True))) == len(grids) or len(grids) == 1:
            break
        texts = [_text(grid, name) for grid in grids]
        if len(set(texts)) > 1:
            differing |= {"run": [text[:6] for text in texts]} if name == "key" else {name: texts}
    constant = {name: texts[0] for name, texts in table.items() if len(set(texts)) == 1}
    shown = {name: text for name, text in constant.items() if text and (name, text) != ("baseline", NONE)}
    return Names(differing, shown)


def same_text(names: Names, without: Sequence[str] = ()) -> str:
    """The settings in which all grids agree, "model minilm, task grammar/tense", without some of them."""
    return ", ".join(f"{name} {text}" for name, text in names.same.items() if name not in without)


def _varies(texts: Sequence[str], analyses: Sequence[str]) -> bool:
    pairs = set(zip(analyses, texts, strict=True))
    return len(pairs) > len(set(analyses))


def _text(rows: pd.DataFrame, name: str) -> str:
    value = rows[name].iloc[0] if name in rows else pd.NA
    if pd.isna(value):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
