"""What an analysis found about every head, as lines of text."""

from __future__ import annotations

import numpy as np
import pandas as pd

from probing.results.effects import needed, ranked_on
from probing.results.select import ablations, chosen_gates, of_variant
from probing.results.text.grid_text import grid_lines, place_text
from probing.results.units import DIFFERENCES, Unit, score_unit, value_unit

_ASCII = str.maketrans("\N{MINUS SIGN}⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "--0123456789")


def main_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """The grid that is shown of an analysis: the paper's variant, or the gates that keep the score."""
    analysis = str(rows["analysis"].iloc[0])
    if analysis == "ablation":
        return ablations(rows)[0]
    if analysis == "gates":
        return chosen_gates(rows)
    variant = {"importance": "per_example", "prune": "kept"}.get(analysis)
    return rows if variant is None else of_variant(rows, variant)


def found_text(rows: pd.DataFrame) -> str:
    """The grid, the head needed most marked with *, and one line about it.

    Args:
        rows: Of one run of importance, ablation or entropy.
    """
    return "\n".join([*found_lines(main_rows(rows)), *_alone(rows), found_summary(rows)])


def found_lines(grid: pd.DataFrame) -> list[str]:
    """The grids of one variant, one for each stack, below what their numbers are counted in."""
    unit = unit_of(grid)
    marked = most_needed(grid)
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
    """One line: the head needed most, what it is worth, and what all heads are."""
    grid = main_rows(rows)
    if grid["value"].isna().all():
        return "no head has a number"
    unit, most = unit_of(grid), most_needed(grid)
    mean = f"mean {plain(unit.spoken(float(grid['value'].mean())))}"
    if most is None:
        values = grid["value"].to_numpy(dtype=np.float64, na_value=np.nan)
        ends = {"least": int(np.nanargmin(values)), "most": int(np.nanargmax(values))}
        told = (
            f"{name}: {place_text(grid.iloc[at])}, {plain(unit.spoken(values[at]))}"
            for name, at in ends.items()
        )
        return "; ".join([mean, *told])
    what = "serves best alone" if str(most["variant"]).startswith("only") else "needed most"
    metric = f"{most['metric']} " if str(most["analysis"]) in DIFFERENCES else ""
    line = f"{what}: {place_text(most)}, {metric}{plain(unit.spoken(most['value']))}{_interval(most, unit)}"
    return "; ".join([line, mean, *_ranked_on(grid), *_shown(grid), *_full(most)])


def most_needed(rows: pd.DataFrame) -> pd.Series | None:
    """The row of the least rank; of equals, of the lowest layer and head. None if none has a rank."""
    ranked = rows[rows["rank"].notna()]
    return None if ranked.empty else ranked.iloc[int(ranked["rank"].to_numpy(dtype=np.int64).argmin())]


def unit_of(rows: pd.DataFrame) -> Unit:
    """How the values of rows of one variant are written."""
    first = rows.iloc[0]
    analysis, metric, variant = (
        "" if pd.isna(first[name]) else str(first[name]) for name in ("analysis", "metric", "variant")
    )
    return value_unit(analysis, metric, variant, rows["value"].to_numpy(dtype=np.float64, na_value=np.nan))


def unit_label(unit: Unit) -> str:
    """What cells are counted in, "10^-3 nats"."""
    return f"10^{unit.power} {unit.name}".rstrip()


def plain(text: str) -> str:
    """A number in letters that every terminal has."""
    return text.translate(_ASCII)


def most_text(rows: pd.DataFrame) -> str:
    """The value, of the first variant of some rows, of the head that it says is needed most."""
    rows = rows[rows["value"].notna() & rows["layer"].notna()]
    rows = rows[rows["variant"].fillna("") == rows["variant"].fillna("").iloc[0]]
    value = rows["value"].iloc[int(needed(rows).to_numpy().argmax())]
    return plain(unit_of(rows).spoken(float(value)))


def score_text(score: float, metric: str) -> str:
    """A score in running text: "83.2%", "0.61", "2.345 nats"."""
    return score_unit(metric).spoken(score).replace(" %", "%")


def _interval(row: pd.Series, unit: Unit) -> str:
    ends = [row["value_low"], row["value_high"]]
    if any(pd.isna(end) for end in ends):
        return ""
    return f" [{', '.join(plain(unit.told(float(end))) for end in ends)}]"


def _shown(grid: pd.DataFrame) -> list[str]:
    """In how many cells there is a difference: their intervals do not hold 0."""
    known = grid[grid["value_low"].notna()]
    if known.empty:
        return []
    shown = int(((known["value_low"] > 0) | (known["value_high"] < 0)).sum())
    return [f"a difference is shown in {shown} of {len(known)}"]


def _ranked_on(grid: pd.DataFrame) -> list[str]:
    """The split on which the most important head was selected."""
    split = ranked_on(grid)
    return [f"ranked on {split}, the first of {len(grid)}"] if split else []


def _full(row: pd.Series) -> list[str]:
    return [] if pd.isna(row["full"]) else [f"full model {score_text(row['full'], str(row['metric']))}"]


def _alone(rows: pd.DataFrame) -> list[str]:
    """Of every layer the head that alone does best on dev, with what that costs on test."""
    best = rows[rows["variant"].fillna("").str.startswith("only_best")]
    if best.empty:
        return []
    unit = unit_of(best)
    cells = (f"{place_text(row)} {plain(unit.cell(row['value']))}" for _, row in best.iterrows())
    label = unit_label(unit) if unit.power else unit.name
    return [f"best head on dev alone in its layer, {label}:".replace(", :", ":"), *_folded(list(cells))]


def _folded(cells: list[str], in_line: int = 4) -> list[str]:
    width = max(map(len, cells)) + 2
    return [
        "  " + "".join(f"{cell:<{width}}" for cell in cells[start : start + in_line]).rstrip()
        for start in range(0, len(cells), in_line)
    ]
