"""A grid as text, for the terminal and the log."""

from __future__ import annotations

import pandas as pd


def grid_text(rows: pd.DataFrame) -> str:
    """Draw one grid with percentages, layers upward from the input, the best head marked with *.

    Args:
        rows: The result rows of one grid.

    Returns:
        Several lines, the last naming the best head, its interval and the majority baseline.
    """
    heads = sorted(rows["head"].dropna().unique()) or [None]
    lines = ["layer" + "".join(f"{'' if head is None else head:>6}" for head in heads)]
    best = rows["test"].idxmax()
    for layer, of_layer in sorted(rows.groupby("layer"), reverse=True):
        cells = {
            None if pd.isna(head) else head: f"{100 * test:.1f}" + ("*" if index == best else " ")
            for index, head, test in of_layer[["head", "test"]].itertuples()
        }
        name = "emb" if layer == -1 else str(layer)
        lines.append(f"{name:>5}" + "".join(f"{cells.get(head, ''):>6}" for head in heads))
    return "\n".join([*(line.rstrip() for line in lines), summary(rows)])


def summary(rows: pd.DataFrame) -> str:
    """One line: the best head, its test score and interval, the majority baseline."""
    best = rows.iloc[int(rows["test"].to_numpy(dtype=float).argmax())]
    layer = "embeddings" if best["layer"] < 0 else f"layer {best['layer']}"
    place = layer if pd.isna(best["head"]) else f"{layer} head {best['head']}"
    return (
        f"best: {place}, {best['metric']} {best['test']:.1%} "
        f"[{best['test_low']:.1%}, {best['test_high']:.1%}]; mean {rows['test'].mean():.1%}; "
        f"majority {best['majority']:.1%}"
    )
