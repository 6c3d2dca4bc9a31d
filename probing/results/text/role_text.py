"""Roles of heads as text: a line for each role, and a map of layers and heads with a letter for each role."""

from __future__ import annotations

import pandas as pd

from probing.results.behaviours import LETTERS
from probing.results.finding import values_of
from probing.results.text.aligned import aligned
from probing.results.text.found_text import interval_text
from probing.results.text.grid_text import grid_lines, place_text
from probing.results.text.measure_lines import highest

_HEADINGS = ("role", "threshold", "chance", "heads", "strongest", "")
_NOTHING = "."


def roles_text(rows: pd.DataFrame) -> str:
    """A table with a line for each score, and a map for each stack.

    Args:
        rows: Rows of one run of the analysis `roles`.
    """
    lines = [_HEADINGS, *(_line(own) for own in _scores(rows))]
    return "\n".join([*aligned(lines, "<>>><<"), *_maps(rows), roles_summary(rows)])


def roles_summary(rows: pd.DataFrame) -> str:
    """One line: the number of heads that have each role."""
    heads = one_row_a_head(rows)
    named = [role for roles in heads["roles"] for role in roles.split()]
    scored = {score["variant"].iloc[0] for score in _scores(rows)}
    told = [f"{role} {named.count(role)}" for role in LETTERS if role in named or role in scored]
    without = int(heads["roles"].eq("").sum())
    return f"heads of {len(heads)} with a role: {', '.join(told)}; without {without}"


def one_row_a_head(rows: pd.DataFrame) -> pd.DataFrame:
    """The first row of each head, which has its roles as every other."""
    heads = rows[rows["head"].notna()]
    return heads.drop_duplicates(["stack", "layer", "head"]).assign(roles=heads["roles"].fillna(""))


def letters_of(roles: str) -> str:
    """The letters of some roles, "PL"; a dot if there are none."""
    return "".join(LETTERS[role] for role in roles.split()) or _NOTHING


def legend(rows: pd.DataFrame) -> list[str]:
    """The letters of the roles that some head has, each with the role."""
    there = {role for roles in rows["roles"].dropna() for role in roles.split()}
    return [f"{letter} {role}" for role, letter in LETTERS.items() if role in there]


def _scores(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of each score, by variant and direction."""
    return [own for _, own in rows.groupby(["variant", "direction"], sort=False, dropna=False)]


def _line(rows: pd.DataFrame) -> tuple[str, ...]:
    unit, best = values_of(rows), highest(rows)
    reached = int((rows["value"] >= rows["threshold"]).fillna(value=False).sum())
    offset = "" if pd.isna(best["offset"]) else f" at {best['offset']:+d}"
    known = rows["threshold"].notna().any()
    direction = "" if pd.isna(best["direction"]) else f" {best['direction']}"
    return (
        f"{best['variant']}{direction}",
        unit.told(float(rows["threshold"].iloc[0])) if known else "",
        "" if rows["chance"].isna().all() else unit.told(float(rows["chance"].mean())),
        str(reached) if known else "",
        place_text(best),
        f"{unit.told(float(best['value']))}{interval_text(best, unit)}{offset}",
    )


def _maps(rows: pd.DataFrame) -> list[str]:
    heads = one_row_a_head(rows)
    lines = [f"roles: {', '.join(named)}"] if (named := legend(heads)) else []
    for stack, own in heads.groupby("stack", sort=False, dropna=False):
        lines += [] if pd.isna(stack) else [f"{stack!s}:"]
        lines += grid_lines(own, {index: letters_of(roles) for index, roles in own["roles"].items()}, None)
    return lines
