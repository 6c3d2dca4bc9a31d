"""CAT scores of heads and layers as lines of text."""

from __future__ import annotations

import pandas as pd

from probing.results.finding import main_rows, values_of
from probing.results.text.aligned import aligned
from probing.results.text.found_text import found_lines
from probing.results.text.grid_text import place_text

CAT, CAT_ALL, RATE = "cat", "cat_all", "rate"
"""Metrics of the rows: the score of leaves of selected types, that of all leaves, and the rate of a type."""
HEADS = "heads"
"""Variant of the rows for single heads."""
MEAN = "mean_of_heads"
"""Variant of the rows for attention that is averaged over the heads of a layer."""
POSITION = "position"
"""Variant of the rows for attention that falls with the distance in the text."""
_NAMES = {CAT: "selected types", CAT_ALL: "all leaves"}


def cat_text(rows: pd.DataFrame) -> str:
    """The grid of heads, a table of layers with the selected types, and one line about the highest head.

    Args:
        rows: Rows of one run of analysis=cat.
    """
    lines = [_headings(rows), *(_layer(own) for _, own in rows.groupby("layer"))]
    table = aligned(lines, ">" * len(lines[0]))
    title = "mean of the heads of each layer:"
    return "\n".join([*found_lines(main_rows(rows)), title, *table, *_types(rows), cat_summary(rows)])


def cat_summary(rows: pd.DataFrame) -> str:
    """One line: the head and the layer with the highest score, next to their chance level."""
    grid = main_rows(rows)
    if grid["value"].isna().all():
        return "no head has a value"
    metric = str(grid["metric"].iloc[0])
    layers = rows[(rows["variant"] == MEAN) & (rows["metric"] == metric)]
    told = (f"{place_text(row)} {_score(row)} (chance {_told(row, 'chance')})" for row in _best(grid, layers))
    mean = values_of(grid).spoken(float(grid["value"].mean()))
    return f"highest of {_NAMES[metric]}: {', '.join(told)}; mean of heads {mean}"


def _best(*grids: pd.DataFrame) -> list[pd.Series]:
    """The row with the highest value of each grid that has one."""
    known = [grid[grid["value"].notna()] for grid in grids]
    return [grid.sort_values("value", ascending=False, kind="stable").iloc[0] for grid in known if len(grid)]


def _metrics(rows: pd.DataFrame) -> list[str]:
    return [metric for metric in _NAMES if (rows["metric"] == metric).any()]


def _headings(rows: pd.DataFrame) -> tuple[str, ...]:
    groups = ((_NAMES[metric], "by position", "chance") for metric in _metrics(rows))
    return ("layer", *(name for group in groups for name in group))


def _layer(rows: pd.DataFrame) -> tuple[str, ...]:
    """A line of the table: the scores of one layer."""
    cells = [str(rows["layer"].iloc[0])]
    for metric in _metrics(rows):
        own = rows[rows["metric"] == metric]
        mean, position = (own[own["variant"] == variant].iloc[0] for variant in (MEAN, POSITION))
        cells += [_score(mean), _told(position, "value"), _told(mean, "chance")]
    return tuple(cells)


def _types(rows: pd.DataFrame) -> list[str]:
    """The types of leaves that are scored in each layer."""
    kept = rows[rows["metric"] == RATE]
    if kept.empty:
        return []
    lines = ["selected types of leaves, most often in pairs of high attention first:"]
    for layer, own in kept.groupby("layer"):
        names = own.sort_values("rank")["variant"]
        lines.append(f"{layer:>5}  {'  '.join(' '.join(str(name).split()) for name in names)}")
    return lines


def _score(row: pd.Series) -> str:
    ends = "" if pd.isna(row["value_low"]) else f" [{_told(row, 'value_low')}, {_told(row, 'value_high')}]"
    return f"{_told(row, 'value')}{ends}"


def _told(row: pd.Series, column: str) -> str:
    return "none" if pd.isna(row[column]) else f"{float(row[column]):.3f}"
