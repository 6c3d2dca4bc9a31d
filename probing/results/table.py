"""A grid as text, for the terminal and the log."""

from __future__ import annotations

import pandas as pd

from probing.results.schema import fitted, places
from probing.tasks.target import COEFFICIENTS


def grid_text(rows: pd.DataFrame) -> str:
    """Draw one grid, layers upward from the input, the best head marked with *; shares are in percent.

    Args:
        rows: The result rows of one grid; or of one run of `top_heads`, whose table has a line for each n.

    Returns:
        Several lines, the last naming the best head, its interval and the majority baseline.
    """
    if rows["variant"].notna().any():
        return top_text(rows)
    if rows["layer"].isna().all():
        return summary(rows)
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


def top_text(rows: pd.DataFrame) -> str:
    """The effect of n heads: a line for each n, then whole layers, then what choosing on dev is worth.

    Args:
        rows: The result rows of one run of `top_heads`.
    """
    metric, kinds = str(rows["metric"].iloc[0]), ("top", "random", "permuted")
    means = rows[rows["variant"].isin(kinds)].pivot_table(
        index="n_heads", columns="variant", values=["dev", "test"]
    )
    columns = [(score, kind) for kind in kinds for score in ("dev", "test") if (score, kind) in means]
    lines = ["heads" + "".join(f"{f'{kind} {score}':>15}" for score, kind in columns)]
    for n, cells in means.iterrows():
        texts = ("" if pd.isna(cells[column]) else _cell(cells[column], metric) for column in columns)
        lines.append(f"{n:>5}" + "".join(f"{text:>15}" for text in texts))
    for name in ("last_layer", "best_layer"):
        (row,) = (found for _, found in rows[rows["variant"] == name].iterrows())
        scores = f"dev {shown(row['dev'], metric)}, test {shown(row['test'], metric)}"
        lines.append(f"{name.replace('_', ' ')} ({row['layer']}): {scores}")
    return "\n".join([*lines, *_optimism(rows), summary(rows)])


def _optimism(rows: pd.DataFrame) -> list[str]:
    """What the best head's dev score owes to the choice among so many."""
    luck = rows[(rows["variant"] == "permuted") & (rows["n_heads"] == 1)]
    if luck.empty:
        return []
    metric = str(rows["metric"].iloc[0])
    dev, test = (shown(luck[name].mean(), metric) for name in ("dev", "test"))
    return [f"by luck alone, with labels permuted, the head that is best on dev has dev {dev}, test {test}"]


def summary(rows: pd.DataFrame) -> str:
    """One line: the best row, its test score and interval, and what guessing scores.

    Args:
        rows: Of one run; of `top_heads` the best of the rows `top` is told.
    """
    looked = int(rows["p_adjusted"].notna().sum())
    rows = rows[rows["variant"] == "top"] if (rows["variant"] == "top").any() else rows
    best = rows.iloc[int(rows["test"].to_numpy(dtype=float).argmax())]
    test, low, high, mean, majority = (
        shown(value, best["metric"])
        for value in (*best[["test", "test_low", "test_high"]], rows["test"].mean(), best["majority"])
    )
    guess = "" if best["metric"] in COEFFICIENTS else f"; majority {majority}"
    luck = "" if pd.isna(best["p_adjusted"]) else f"; p {best['p_adjusted']:.3f}{_of(looked)}"
    return f"best: {_place(best)}, {best['metric']} {test} [{low}, {high}]{luck}; mean {mean}{guess}"


def _of(looked: int) -> str:
    return f" as the best of {looked}" if looked > 1 else ""


def _place(row: pd.Series) -> str:
    if pd.isna(row["layer"]):
        return f"{row['n_heads']} heads together"
    layer = "embeddings" if row["layer"] < 0 else f"layer {row['layer']}"
    return layer if pd.isna(row["head"]) else f"{layer} head {row['head']}"


def beside_baseline(rows: pd.DataFrame, baseline: pd.DataFrame) -> str:
    """One line: how far the rows of a result lie above the same cells of one of its baselines.

    Cells that one of them lacks are left out: permuted labels beside `top_heads`, or another best layer.
    """
    kind, metric = str(baseline["baseline"].iloc[0]), str(rows["metric"].iloc[0])
    found = places(baseline).get_indexer(places(rows))
    rows, others = rows[found >= 0], baseline["test"].iloc[found[found >= 0]]
    above = rows["test"].to_numpy(dtype=float) - others.to_numpy(dtype=float)
    best = rows.iloc[int(above.argmax())]
    mean, most = (
        (f"{v:+.3f}" if metric in COEFFICIENTS else f"{100 * v:+.1f} points")
        for v in (above.mean(), above.max())
    )
    return f"above {kind}: mean {mean}, most at {_place(best)}, {most}"


def best_score(rows: pd.DataFrame) -> str:
    """The best test score of some rows, permuted labels aside."""
    return shown(rows["test"][fitted(rows)].max(), str(rows["metric"].iloc[0]))


def shown(score: float, metric: str) -> str:
    """A score as it is printed: a share in percent, a coefficient from -1 to 1 as it is."""
    return f"{score:.3f}" if metric in COEFFICIENTS else f"{score:.1%}"
