"""Shares of texts with each pattern of attention, and the heads that mostly have it."""

from __future__ import annotations

import pandas as pd

from probing.results.finding import main_rows
from probing.results.text.measure_lines import shares_text


def patterns_text(rows: pd.DataFrame) -> str:
    """A table with a line for each pattern, and the number of heads whose most frequent pattern it is."""
    *lines, last = shares_text(rows).splitlines()
    return "\n".join([*lines, _heads(rows), last])


def _heads(rows: pd.DataFrame) -> str:
    main = main_rows(rows)
    one = main[main["variant"] == main["variant"].iloc[0]]
    counts = one["roles"].value_counts(sort=False)
    there = [str(variant) for variant in main["variant"].unique()]
    told = (f"{variant} {counts.get(variant, 0)}" for variant in there)
    return f"heads by their most frequent pattern: {', '.join(told)}"
