"""Attachment scores of probes of trees next to those of controls, a line for each."""

from __future__ import annotations

import pandas as pd

from probing.results.text.aligned import aligned
from probing.results.text.found_text import interval_text
from probing.results.text.grid_text import place_text, share_text
from probing.results.units import NumberFormat, score_unit

UAS, LAS, WEIGHT = "uas", "las", "weight"
_SHOWN = 3
"""Number of maps that the last line names."""


def parsing_text(rows: pd.DataFrame) -> str:
    """A line for each probe and control: test scores with their intervals, and dev scores.

    Args:
        rows: Rows of one run of the analysis attention_probe.
    """
    lines = [("", "UAS", "", "dev", "LAS", "", "dev")]
    scores = rows[rows["metric"].isin([UAS, LAS])]
    for variant, own in scores.groupby("variant", sort=False):
        lines.append((str(variant).replace("_", " "), *_cells(own, UAS), *_cells(own, LAS)))
    guessed = scores["chance"].dropna()
    chance = f"; guessing {share_text(float(guessed.iloc[0]))} UAS" if len(guessed) else ""
    scored = f"in % of words without punctuation{chance}"
    return "\n".join([scored, *aligned(lines, "<><>><>"), *_largest(rows), parsing_summary(rows)])


def parsing_summary(rows: pd.DataFrame) -> str:
    """One line: the unlabelled score of every probe and control."""
    scores = rows[rows["metric"].eq(UAS)]
    told = (
        f"{row['variant'].replace('_', ' ')} {share_text(float(row['value']))}"
        for _, row in scores.iterrows()
    )
    return f"UAS: {', '.join(told)}"


def _cells(rows: pd.DataFrame, metric: str) -> tuple[str, str, str]:
    own = rows[rows["metric"] == metric]
    if own.empty:
        return "", "", ""
    row, unit = own.iloc[0], score_unit(metric)
    return unit.told(float(row["value"])), interval_text(row, unit).strip(), unit.told(float(row["dev"]))


def _largest(rows: pd.DataFrame) -> list[str]:
    """The maps with the largest weights."""
    maps = rows[rows["variant"] == WEIGHT].sort_values("value", ascending=False, kind="stable")
    if maps.empty:
        return []
    told = ", ".join(_map(row) for _, row in maps.head(_SHOWN).iterrows())
    return [f"largest weights of attention only: {told}"]


def _map(row: pd.Series) -> str:
    direction = str(row["direction"]).replace("_", " ")
    return f"{place_text(row)} {direction} {NumberFormat().told(float(row['value']))}"
