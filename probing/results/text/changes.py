"""The change of attention between two models in one line: the heads that changed most, by both measures."""

from __future__ import annotations

import pandas as pd

from probing.results.finding import main_rows, values_of
from probing.results.select import of_variant
from probing.results.text.found_text import interval_text
from probing.results.text.grid_text import place_text
from probing.results.text.measure_lines import highest


def changes_summary(rows: pd.DataFrame) -> str:
    """One line: the largest divergence, the mean of each layer, and the lowest cosine."""
    main, cosines = main_rows(rows), of_variant(rows, "cosine")
    told, most = values_of(main), highest(main)
    layers = main.groupby("layer")["value"].mean()
    top = int(layers.astype(float).to_numpy().argmax())
    parts = [
        f"largest change: {place_text(most)}, {told.spoken(float(most['value']))}{interval_text(most, told)}",
        f"mean {told.spoken(float(main['value'].mean()))}",
        f"most in layer {layers.index[top]}, mean {told.spoken(float(layers.iloc[top]))}",
    ]
    if len(cosines):
        lowest = highest(cosines.assign(value=-cosines["value"]))
        parts.append(
            f"lowest cosine {values_of(cosines).told(-float(lowest['value']))}, {place_text(lowest)}"
        )
    return "; ".join(parts)
