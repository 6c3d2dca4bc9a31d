"""The values that an analysis found for every head, as lines of text."""

from __future__ import annotations

import numpy as np
import pandas as pd

from probing.results.effects import effect, ranked_on
from probing.results.finding import finding_of_rows, main_rows, values_of
from probing.results.schema import KINDS, places
from probing.results.select import of_variant
from probing.results.text.grid_text import grid_lines, place_text
from probing.results.units import NumberFormat, score_unit

_ASCII = str.maketrans("\N{MINUS SIGN}⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "--0123456789")


def found_text(rows: pd.DataFrame) -> str:
    """The grid, the head with the largest effect marked with *, and one line about it.

    Args:
        rows: Rows of one run of an analysis that gives each head a value.
    """
    return "\n".join([*found_lines(main_rows(rows)), *_chosen(rows), found_summary(rows)])


def found_lines(grid: pd.DataFrame) -> list[str]:
    """The grids of one variant, one for each stack, below their unit."""
    unit = values_of(grid)
    marked = first_ranked(grid)
    lines = [f"in {unit_label(unit)}"] if unit.power else []
    for stack, rows in grid.groupby("stack", sort=False, dropna=False):
        cells = {
            index: plain(unit.cell(value))
            for index, value in rows["value"].astype("Float64").items()
            if pd.notna(value)
        }
        lines += [] if pd.isna(stack) else [f"{stack!s}:"]
        lines += grid_lines(rows, cells, None if marked is None else marked.name)
    return lines


def found_summary(rows: pd.DataFrame) -> str:
    """One line: the head of rank 1 with its value, and the mean of all heads."""
    grid = main_rows(rows)
    if grid["value"].isna().all():
        return "no head has a value"
    unit, most = values_of(grid), first_ranked(grid)
    mean = f"mean {plain(unit.spoken(float(grid['value'].mean())))}"
    if most is None:
        values = grid["value"].to_numpy(dtype=np.float64, na_value=np.nan)
        ends = {"lowest": int(np.nanargmin(values)), "highest": int(np.nanargmax(values))}
        told = (
            f"{name}: {place_text(grid.iloc[at])}, {plain(unit.spoken(values[at]))}"
            for name, at in ends.items()
        )
        return "; ".join([mean, *told])
    finding = finding_of_rows(grid)
    what = finding.best_of(str(most["variant"]))
    metric = f"{most['metric']} " if finding.difference else ""
    line = (
        f"{what}: {place_text(most)}, {metric}{plain(unit.spoken(most['value']))}{interval_text(most, unit)}"
    )
    return "; ".join([line, mean, *_ranked_on(grid), *_shown(grid), *_full(most)])


def first_ranked(rows: pd.DataFrame) -> pd.Series | None:
    """The row of the lowest rank, among equals the lowest layer and head; None if no row has a rank."""
    ranked = rows[rows["rank"].notna()]
    return None if ranked.empty else ranked.iloc[int(ranked["rank"].to_numpy(dtype=np.int64).argmin())]


def unit_label(unit: NumberFormat) -> str:
    """The unit of cells, "10^-3 nats"."""
    return f"10^{unit.power} {unit.name}".rstrip()


def plain(text: str) -> str:
    """Replace the characters of a number that some terminals lack."""
    return text.translate(_ASCII)


def most_text(rows: pd.DataFrame) -> str:
    """The largest effect of a head in the first variant of some rows, "largest effect -4.2 points"."""
    rows = rows[rows["value"].notna() & rows["layer"].notna()]
    kinds = places(rows, (*KINDS, "metric"))
    rows = rows[kinds == kinds[0]]
    value = rows["value"].iloc[int(effect(rows).to_numpy().argmax())]
    what = finding_of_rows(rows).best_of(str(rows["variant"].iloc[0]))
    return f"{what} {plain(values_of(rows).spoken(float(value)))}"


def score_text(score: float, metric: str) -> str:
    """A score in running text: "83.2%", "0.61", "2.345 nats"."""
    return score_unit(metric).spoken(score).replace(" %", "%")


def interval_text(row: pd.Series, unit: NumberFormat) -> str:
    """The interval of a value after a blank, " [0.20, 0.31]"; empty if there is none."""
    ends = [row["value_low"], row["value_high"]]
    if any(pd.isna(end) for end in ends):
        return ""
    return f" [{', '.join(plain(unit.told(float(end))) for end in ends)}]"


def _shown(grid: pd.DataFrame) -> list[str]:
    """The number of cells with a difference: their intervals exclude 0."""
    known = grid[grid["value_low"].notna()]
    if known.empty:
        return []
    shown = int(((known["value_low"] > 0) | (known["value_high"] < 0)).sum())
    return [f"a difference is shown in {shown} of {len(known)}"]


def _ranked_on(grid: pd.DataFrame) -> list[str]:
    """The split on which the most important head was selected, and the number of heads."""
    split = ranked_on(grid)
    return [f"ranked on {split}, the first of {len(grid)}"] if split else []


def _full(row: pd.Series) -> list[str]:
    return [] if pd.isna(row["full"]) else [f"full model {score_text(row['full'], str(row['metric']))}"]


def _chosen(rows: pd.DataFrame) -> list[str]:
    """The heads of variants that are a choice of heads, with their values."""
    lines = []
    for variant, words in finding_of_rows(rows).chosen.items():
        chosen = of_variant(rows, variant)
        if chosen.empty:
            continue
        unit = values_of(chosen)
        cells = [f"{place_text(row)} {plain(unit.cell(row['value']))}" for _, row in chosen.iterrows()]
        label = unit_label(unit) if unit.power else unit.name
        lines += [f"{', '.join(filter(None, (words, label)))}:", *_folded(cells)]
    return lines


def _folded(cells: list[str], in_line: int = 4) -> list[str]:
    width = max(map(len, cells)) + 2
    return [
        "  " + "".join(f"{cell:<{width}}" for cell in cells[start : start + in_line]).rstrip()
        for start in range(0, len(cells), in_line)
    ]
