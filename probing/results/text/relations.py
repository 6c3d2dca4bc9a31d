"""Relations with the head that is best for each, next to chance, as the table of Clark et al. (2019)."""

from __future__ import annotations

import pandas as pd

from probing.results.finding import Report
from probing.results.text.aligned import aligned
from probing.results.text.grid_text import place_text, share_text
from probing.results.units import score_unit
from probing.statistics.paired_tests import holm

LEVEL = 0.05
"""Level at which a relation counts as found, after both corrections."""
_SHOWN = 3
_ACCURACY = ("relation", "n", "best head", "direction", "accuracy", "", "offset", "accuracy", "p")
_ATTENTION = ("label", "n", "best head", "direction", "attention", "", "", "elsewhere", "p")
_SIDES = "<><<>>>>>"


def selected_heads(rows: pd.DataFrame) -> pd.DataFrame:
    """The head and direction of each relation that rank first on dev; among equals the lowest.

    Args:
        rows: Rows of one run of an analysis whose variants are relations.
    """
    heads = rows[rows["head"].notna()]
    ranked = heads.sort_values(["rank", "direction", "layer", "head"], kind="stable")
    chosen = ranked.drop_duplicates("variant").set_index("variant")
    return chosen.loc[list(dict.fromkeys(heads["variant"]))].reset_index()


def beyond_chance(rows: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The selected heads of relations that are found beyond chance, by their margin, and the number tested.

    p is corrected for the best of all heads and directions, and by Holm's method for the number of relations.
    Rows of all relations together are tested only if there are no others.

    Args:
        rows: Rows of one run of an analysis whose variants are relations.
    """
    chosen = selected_heads(rows)
    single = chosen[~chosen["variant"].str.startswith("all")]
    tested = chosen if single.empty else single
    found = tested[holm(tested["p_adjusted"].to_numpy(dtype=float)) < LEVEL]
    margin = (found["chance"] - found["value"]).astype(float)
    return found.loc[margin.sort_values(kind="stable").index], len(tested)


def relations_text(rows: pd.DataFrame) -> str:
    """A line for each relation: its head, selected on dev, with its value on test and that of chance."""
    chosen = selected_heads(rows)
    headings = _ACCURACY if chosen["offset"].notna().any() else _ATTENTION
    lines = [headings, *(_line(row) for _, row in chosen.iterrows())]
    return "\n".join([*aligned(lines, _SIDES), *_without_heads(rows), relations_summary(rows)])


def relations_summary(rows: pd.DataFrame) -> str:
    """One line: the relations that a head finds beyond chance."""
    found, count = beyond_chance(rows)
    level, what, verb = "elsewhere", "labels", "attended to beyond the same distances elsewhere"
    if rows["offset"].notna().any():
        level, what, verb = "offset", "relations", "found beyond the best fixed offset"
    tested = f"p < {LEVEL:g}, corrected for the choice of a head and for {count} {what}"
    if found.empty:
        return f"none of {count} {what} is {verb} ({tested})"
    best = ", ".join(
        f"{row['variant']} {place_text(row)} {share_text(row['value'])} ({level} {share_text(row['chance'])})"
        for _, row in found.head(_SHOWN).iterrows()
    )
    return f"{len(found)} of {count} {what} {'is' if count == 1 else 'are'} {verb} ({tested}): {best}"


def rules_report(rows: pd.DataFrame) -> Report:
    """A table of the rules that use no head, which heads are compared with."""
    unit = score_unit("accuracy")
    lines = tuple(
        (
            str(row["variant"]),
            str(row["direction"]).replace("_", " "),
            unit.spoken(float(row["dev"])),
            f"{unit.spoken(float(row['value']))} "
            f"[{unit.told(float(row['value_low']))}, {unit.told(float(row['value_high']))}]",
        )
        for _, row in rows[rows["head"].isna()].iterrows()
    )
    return Report("rules that use no head", ("relation", "rule", "dev", "test"), lines)


def _without_heads(rows: pd.DataFrame) -> list[str]:
    """The rules that use no head, which heads are compared with."""
    rules = rows[rows["head"].isna()]
    return [
        f"{str(row['direction']).replace('_', ' ')}: {row['variant']} {share_text(float(row['value']))}"
        for _, row in rules.iterrows()
    ]


def _line(row: pd.Series) -> tuple[str, ...]:
    unit = score_unit("accuracy")
    return (
        str(row["variant"]),
        f"{row['n_test']}",
        place_text(row),
        str(row["direction"]).replace("_", " "),
        share_text(float(row["value"])),
        f"[{unit.told(float(row['value_low']))}, {unit.told(float(row['value_high']))}]",
        "" if pd.isna(row["offset"]) else f"{row['offset']:+d}",
        share_text(float(row["chance"])),
        f"{row['p_adjusted']:.4f}",
    )
