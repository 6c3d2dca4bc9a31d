"""A grid as text, for the terminal and the log."""

from __future__ import annotations

import pandas as pd

from probing.tasks.target import COEFFICIENTS


def grid_text(rows: pd.DataFrame) -> str:
    """Draw one grid, layers upward from the input, the best head marked with *; shares are in percent.

    Args:
        rows: The result rows of one grid.

    Returns:
        Several lines, the last naming the best head, its interval and the majority baseline.
    """
    heads = sorted(rows["head"].dropna().unique()) or [None]
    best, metric = rows["test"].idxmax(), str(rows["metric"].iloc[0])
    width = max(6, 2 + max(len(_cell(test, metric)) for test in rows["test"].dropna()))
    lines = ["layer" + "".join(f"{'' if head is None else head:>{width}}" for head in heads)]
    for layer, of_layer in sorted(rows.groupby("layer"), reverse=True):
        cells = {
            None if pd.isna(head) else head: _cell(test, metric) + ("*" if index == best else " ")
            for index, head, test in of_layer[["head", "test"]].itertuples()
        }
        name = "emb" if layer == -1 else str(layer)
        lines.append(f"{name:>5}" + "".join(f"{cells.get(head, ''):>{width}}" for head in heads))
    return "\n".join([*(line.rstrip() for line in lines), summary(rows)])


def _cell(score: float, metric: str) -> str:
    return f"{score:.2f}" if metric in COEFFICIENTS else f"{100 * score:.1f}"


def summary(rows: pd.DataFrame) -> str:
    """One line: the best head, its test score and interval, and what guessing scores."""
    best = rows.iloc[int(rows["test"].to_numpy(dtype=float).argmax())]
    layer = "embeddings" if best["layer"] < 0 else f"layer {best['layer']}"
    place = layer if pd.isna(best["head"]) else f"{layer} head {best['head']}"
    test, low, high, mean, majority = (
        shown(value, best["metric"])
        for value in (*best[["test", "test_low", "test_high"]], rows["test"].mean(), best["majority"])
    )
    guess = "" if best["metric"] in COEFFICIENTS else f"; majority {majority}"
    return f"best: {place}, {best['metric']} {test} [{low}, {high}]; mean {mean}{guess}"


def best_score(rows: pd.DataFrame) -> str:
    """The best test score of some rows."""
    return shown(rows["test"].max(), str(rows["metric"].iloc[0]))


def shown(score: float, metric: str) -> str:
    """A score as it is printed: a share in percent, a coefficient from -1 to 1 as it is."""
    return f"{score:.3f}" if metric in COEFFICIENTS else f"{score:.1%}"
