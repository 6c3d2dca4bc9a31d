"""Scores of probes, as lines of text."""

from __future__ import annotations

import pandas as pd

from probing.results.text.grid_text import grid_lines, place_text
from probing.tasks.target import COEFFICIENTS


def probe_text(rows: pd.DataFrame) -> str:
    """The grid of scores with the best marked, the table of `top_heads`, or one line, and the best row."""
    if rows["variant"].notna().any():
        return top_text(rows)
    if rows["layer"].isna().all():
        return probe_summary(rows)
    metric = str(rows["metric"].iloc[0])
    texts = {index: _cell(test, metric) for index, test in rows["test"].items()}
    return "\n".join([*grid_lines(rows, texts, rows["test"].idxmax()), probe_summary(rows)])


def _cell(score: float, metric: str) -> str:
    return f"{score:.2f}" if metric in COEFFICIENTS else f"{100 * score:.1f}"


def top_text(rows: pd.DataFrame) -> str:
    """The effect of n heads: a line for each n, then whole layers, then the bias of selecting on dev.

    Args:
        rows: Result rows of one run of `top_heads`.
    """
    metric = str(rows["metric"].iloc[0])
    means, columns = top_means(rows)
    lines = ["heads" + "".join(f"{f'{kind} {score}':>15}" for score, kind in columns)]
    for n, cells in means.iterrows():
        texts = ("" if pd.isna(cells[column]) else _cell(cells[column], metric) for column in columns)
        lines.append(f"{n:>5}" + "".join(f"{text:>15}" for text in texts))
    for name in ("last_layer", "best_layer"):
        (row,) = (found for _, found in rows[rows["variant"] == name].iterrows())
        scores = f"dev {shown(row['dev'], metric)}, test {shown(row['test'], metric)}"
        lines.append(f"{name.replace('_', ' ')} ({row['layer']}): {scores}")
    return "\n".join([*lines, *_optimism(rows), probe_summary(rows)])


def top_means(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """The scores of n heads, averaged over draws, a row for each n.

    Args:
        rows: Result rows of one run of `top_heads`.

    Returns:
        The scores, and its columns, such as `("test", "top")`, in the order in which they are shown.
    """
    kinds = ("top", "random", "permuted")
    means = rows[rows["variant"].isin(kinds)].pivot_table(
        index="n_heads", columns="variant", values=["dev", "test"]
    )
    return means, [(score, kind) for kind in kinds for score in ("dev", "test") if (score, kind) in means]


def _optimism(rows: pd.DataFrame) -> list[str]:
    """The score of the best head that the choice among all heads explains by chance."""
    luck = rows[(rows["variant"] == "permuted") & (rows["n_heads"] == 1)]
    if luck.empty:
        return []
    metric = str(rows["metric"].iloc[0])
    dev, test = (shown(luck[name].mean(), metric) for name in ("dev", "test"))
    return [f"by chance, with permuted labels, the best head on dev scores {dev} on dev and {test} on test"]


def probe_summary(rows: pd.DataFrame) -> str:
    """One line: the best row with its interval and p, the mean, and the majority."""
    looked = int(rows["p_adjusted"].notna().sum())
    together = bool((rows["variant"] == "top").any())
    rows = rows[rows["variant"] == "top"] if together else rows
    best = rows.iloc[int(rows["test"].to_numpy(dtype=float).argmax())]
    test, low, high, mean, majority = (
        shown(value, best["metric"])
        for value in (*best[["test", "test_low", "test_high"]], rows["test"].mean(), best["majority"])
    )
    guess = "" if best["metric"] in COEFFICIENTS else f"; majority {majority}"
    corrected = f", {best_of_text(str(looked))}" if looked > 1 else ""
    luck = "" if pd.isna(best["p_adjusted"]) else f"; p {best['p_adjusted']:.3f}{corrected}"
    score = f"{best['metric']} {test} [{low}, {high}]"
    chosen = f"highest test {score}" if len(rows) > 1 else score
    place = f"{place_text(best)} (heads selected on dev)" if together else place_text(best)
    return f"best: {place}, {chosen}{luck}; mean {mean}{guess}"


def best_of_text(count: str) -> str:
    """The correction of p, for a number of cells."""
    return f"corrected for choosing the best of {count}"


def shown(score: float, metric: str) -> str:
    """The format of a printed score: a share in percent, a coefficient as a number."""
    return f"{score:.3f}" if metric in COEFFICIENTS else f"{score:.1%}"
