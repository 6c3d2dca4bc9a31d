"""Distances between heads in the terminal: mean distances, the nearest and farthest pairs, clusters, tags."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from probing.results.finding import main_rows, values_of
from probing.results.schema import of_pairs
from probing.results.select import of_variant
from probing.results.text.found_text import found_lines
from probing.results.text.grid_text import place_text
from probing.results.text.measure_lines import highest


def distances_text(rows: pd.DataFrame) -> str:
    """The grid of mean distances to other heads, and a line each about pairs, clusters, tags and the map.

    Args:
        rows: Rows of one run of `head_distance`.
    """
    pairs, single = rows[of_pairs(rows)], rows[~of_pairs(rows)]
    pairs = pairs.sort_values("value", kind="stable")
    same = pairs["layer"] == pairs["layer_2"]
    told = values_of(pairs).spoken
    means = {"in one layer": pairs[same], "in different layers": pairs[~same]}
    known = (f"{told(own['value'].mean())} {where}" for where, own in means.items() if len(own))
    sizes = of_variant(single, "cluster")["value"].astype(int).value_counts().tolist()
    tags = Counter(main_rows(single)["roles"].fillna("none").tolist())
    stress = float(of_variant(single, "stress")["value"].iloc[0])
    return "\n".join([
        "mean distance to all other heads:",
        *found_lines(main_rows(rows)),
        f"mean of {len(pairs):,} pairs: {', '.join(known)}",
        f"nearest: {_pair(pairs.iloc[0])}; farthest: {_pair(pairs.iloc[-1])}",
        f"{len(sizes)} clusters of {', '.join(map(str, sizes))} heads; map with stress {stress:.2f}",
        f"tags: {', '.join(f'{tag} {count}' for tag, count in tags.most_common())}",
        distances_summary(rows),
    ])  # fmt: skip


def distances_summary(rows: pd.DataFrame) -> str:
    """One line: the head that is farthest from the others, and the two nearest heads."""
    far, told = highest(main_rows(rows)), values_of(main_rows(rows)).spoken
    pairs = rows[of_pairs(rows)]
    nearest = pairs.iloc[int(pairs["value"].to_numpy(dtype=float).argmin())]
    return (
        f"farthest from the others: {place_text(far)}, {told(float(far['value']))}; "
        f"nearest heads: {_pair(nearest)}"
    )


def _pair(row: pd.Series) -> str:
    """The places of both heads and their distance."""
    second = row.rename({"layer": "first_layer", "head": "first_head", "layer_2": "layer", "head_2": "head"})
    distance = values_of(row.to_frame().T).spoken(float(row["value"]))
    return f"{place_text(row)} and {place_text(second)}, {distance}"
