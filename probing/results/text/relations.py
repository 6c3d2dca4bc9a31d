"""Relations with the head that finds each best, as the table of Clark et al. (2019)."""

from __future__ import annotations

import pandas as pd

from probing.results.text.grid_text import place_text
from probing.results.units import score_unit
from probing.statistics.paired_tests import holm

_LEVEL = 0.05
_HEADINGS = ("relation", "n", "best head", "direction", "accuracy", "", "offset", "accuracy", "p")
_SIDES = "<><<>>>>>"


def selected_heads(rows: pd.DataFrame) -> pd.DataFrame:
    """The head and direction of each relation that are best on dev; among equals the lowest.

    Args:
        rows: Rows of one run of the analysis dependencies.
    """
    heads = rows[rows["head"].notna()]
    ranked = heads.sort_values(
        ["dev", "direction", "layer", "head"], ascending=[False, True, True, True], kind="stable"
    )
    chosen = ranked.drop_duplicates("variant").set_index("variant")
    return chosen.loc[list(dict.fromkeys(heads["variant"]))].reset_index()


def relations_text(rows: pd.DataFrame) -> str:
    """A line for each relation: its head, selected on dev, and its best fixed offset, both scored on test."""
    chosen = selected_heads(rows)
    lines = [_HEADINGS, *(_line(row) for _, row in chosen.iterrows())]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = [
        "  ".join(f"{text:{side}{width}}" for text, side, width in zip(line, _SIDES, widths, strict=True))
        for line in lines
    ]
    others = rows[rows["head"].isna()]
    told = [f"{row['direction']}: {row['variant']} {_percent(row['value'])}" for _, row in others.iterrows()]
    return "\n".join([*(line.rstrip() for line in table), *told, relations_summary(rows)])


def relations_summary(rows: pd.DataFrame) -> str:
    """One line: the relations that a head finds beyond their best fixed offset."""
    chosen = selected_heads(rows)
    single = chosen[~chosen["variant"].str.startswith("all")]
    single = chosen if single.empty else single
    p = holm(single["p_adjusted"].to_numpy(dtype=float))
    beyond = single[p < _LEVEL]
    margin = (beyond["chance"] - beyond["value"]).astype(float)
    beyond = beyond.loc[margin.sort_values(kind="stable").index]
    tested = f"p < {_LEVEL:g}, corrected for the choice of a head and for {len(single)} relations"
    if beyond.empty:
        return f"no relation is found beyond its best fixed offset ({tested})"
    told = (
        f"{row['variant']} {place_text(row)} {_percent(row['value'])} (offset {_percent(row['chance'])})"
        for _, row in beyond.head(3).iterrows()
    )
    return (
        f"{len(beyond)} of {len(single)} relations are found beyond their best fixed offset ({tested}); "
        f"best: {', '.join(told)}"
    )


def _line(row: pd.Series) -> tuple[str, ...]:
    unit = score_unit("accuracy")
    ends = f"[{unit.told(float(row['value_low']))}, {unit.told(float(row['value_high']))}]"
    return (
        str(row["variant"]),
        f"{row['n_test']}",
        place_text(row),
        str(row["direction"]).replace("_", " "),
        _percent(row["value"]),
        ends,
        f"{row['offset']:+d}",
        _percent(row["chance"]),
        f"{row['p_adjusted']:.4f}",
    )


def _percent(share: float) -> str:
    return score_unit("accuracy").spoken(float(share)).replace(" %", "%")
