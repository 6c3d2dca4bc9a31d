"""A result as text, for the terminal and the log, whatever the analysis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from probing.results.alike import apart, quantity
from probing.results.checks import single_heads
from probing.results.effects import needed
from probing.results.schema import fitted, of_pairs, places
from probing.results.sizes import counts_text, limit_text
from probing.results.text.curves import (
    gates_summary,
    gates_text,
    masking_summary,
    masking_text,
    prune_summary,
    prune_text,
)
from probing.results.text.finding import found_summary, found_text, main_rows, most_text
from probing.results.text.grid_text import grid_lines, place_text
from probing.tasks.target import COEFFICIENTS


def grid_text(rows: pd.DataFrame) -> str:
    """Draw one grid, layers upward from the input, the best head marked with *; shares are in percent.

    Args:
        rows: The result rows of one grid; or of one run of `top_heads`, whose table has a line for each n;
            or of one run of any other analysis.

    Returns:
        Several lines, the last naming the best (or most important) head with its interval, the one before
        it counting the examples.
    """
    if _only_pairs(rows):
        return _pairs_text(rows)
    rows = single_heads(rows)
    *lines, last = _texts(rows).whole(rows).splitlines()
    return "\n".join([*lines, *filter(None, [counts_text(rows)]), last])


def summary(rows: pd.DataFrame) -> str:
    """One line: the best row, its test score and interval, what guessing scores, the limit of a quick look.

    Args:
        rows: Of one run; of `top_heads` the best of the rows `top` is told, of an analysis what it found.
    """
    if _only_pairs(rows):
        return _pairs_text(rows)
    rows = single_heads(rows)
    return "; ".join(filter(None, (_texts(rows).line(rows), limit_text(rows))))


def _probe_text(rows: pd.DataFrame) -> str:
    if rows["variant"].notna().any():
        return top_text(rows)
    if rows["layer"].isna().all():
        return _probe_summary(rows)
    metric = str(rows["metric"].iloc[0])
    texts = {index: _cell(test, metric) for index, test in rows["test"].items()}
    return "\n".join([*grid_lines(rows, texts, rows["test"].idxmax()), _probe_summary(rows)])


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
    return "\n".join([*lines, *_optimism(rows), _probe_summary(rows)])


def _optimism(rows: pd.DataFrame) -> list[str]:
    """What the best head's dev score owes to the choice among so many."""
    luck = rows[(rows["variant"] == "permuted") & (rows["n_heads"] == 1)]
    if luck.empty:
        return []
    metric = str(rows["metric"].iloc[0])
    dev, test = (shown(luck[name].mean(), metric) for name in ("dev", "test"))
    return [f"by luck alone, with labels permuted, the head that is best on dev has dev {dev}, test {test}"]


def _probe_summary(rows: pd.DataFrame) -> str:
    looked = int(rows["p_adjusted"].notna().sum())
    together = bool((rows["variant"] == "top").any())
    rows = rows[rows["variant"] == "top"] if together else rows
    best = rows.iloc[int(rows["test"].to_numpy(dtype=float).argmax())]
    test, low, high, mean, majority = (
        shown(value, best["metric"])
        for value in (*best[["test", "test_low", "test_high"]], rows["test"].mean(), best["majority"])
    )
    guess = "" if best["metric"] in COEFFICIENTS else f"; majority {majority}"
    luck = "" if pd.isna(best["p_adjusted"]) else f"; p {best['p_adjusted']:.3f}{_of(looked)}"
    score = f"{best['metric']} {test} [{low}, {high}]"
    chosen = f"highest test {score}" if len(rows) > 1 else score
    place = f"{place_text(best)} (selected on dev)" if together else place_text(best)
    return f"best: {place}, {chosen}{luck}; mean {mean}{guess}"


def _of(looked: int) -> str:
    return f", corrected for choosing the best of {looked}" if looked > 1 else ""


def beside_baseline(rows: pd.DataFrame, baseline: pd.DataFrame) -> str:
    """One line: how far the rows of a result lie above the same cells of one of its baselines.

    Cells that one of them lacks are left out: permuted labels beside `top_heads`, or another best layer.
    """
    if _only_pairs(rows) or _only_pairs(baseline):
        return f"{baseline['baseline'].iloc[0]}: {summary(baseline)}"
    rows, baseline = single_heads(rows), single_heads(baseline)
    kind, metric = str(baseline["baseline"].iloc[0]), str(rows["metric"].iloc[0])
    if rows["value"].notna().any():
        return f"{kind}: {summary(baseline)}{_alike(rows, baseline)}"
    kinds = quantity(rows), quantity(baseline)
    if kinds[0] != kinds[1]:
        return f"{kind}: {summary(baseline)}; {apart(*kinds)}"
    found = places(baseline).get_indexer(places(rows))
    rows, others = rows[found >= 0], baseline["test"].iloc[found[found >= 0]]
    above = rows["test"].to_numpy(dtype=float) - others.to_numpy(dtype=float)
    best = rows.iloc[int(above.argmax())]
    mean, most = (
        (f"{v:+.3f}" if metric in COEFFICIENTS else f"{100 * v:+.1f} points")
        for v in (above.mean(), above.max())
    )
    return f"above {kind}: mean {mean}, most at {place_text(best)}, {most}"


def _alike(rows: pd.DataFrame, baseline: pd.DataFrame) -> str:
    """How alike both rank the heads of the grid that is shown."""
    grids = [
        main_rows(frame) if frame["layer"].notna().any() else frame.iloc[:0] for frame in (rows, baseline)
    ]
    ranks = [pd.Series(needed(grid).to_numpy(), places(grid)).rank() for grid in grids]
    rho = ranks[0].corr(ranks[1]) if min(map(len, grids)) > 1 else np.nan
    return "" if pd.isna(rho) else f"; Spearman's rho of heads {rho:.2f}"


def part_text(rows: pd.DataFrame) -> str:
    """What is said of a part of a run when it is done: the best score, or what was found most."""
    if _only_pairs(rows):
        return _pairs_text(rows)
    rows = single_heads(rows)
    placed = rows["layer"].notna()
    if not (rows["value"].notna() & placed).any():
        return f"best {best_score(rows)}"
    full = (rows["variant"] == "full").fillna(value=False)
    whole = rows[~placed & rows["test"].notna() & ~full]  # of the model without heads
    return f"most {most_text(rows)}" if whole.empty else f"best {best_score(whole)}"


def _only_pairs(rows: pd.DataFrame) -> bool:
    return len(rows) > 0 and bool(of_pairs(rows).all())


def _pairs_text(rows: pd.DataFrame) -> str:
    return f"{len(rows):,} rows for pairs of heads"


def best_score(rows: pd.DataFrame) -> str:
    """The best test score of some rows, permuted labels aside."""
    return shown(rows["test"][fitted(rows)].max(), str(rows["metric"].iloc[0]))


def shown(score: float, metric: str) -> str:
    """A score as it is printed: a share in percent, a coefficient from -1 to 1 as it is."""
    return f"{score:.3f}" if metric in COEFFICIENTS else f"{score:.1%}"


@dataclass(frozen=True)
class _Texts:
    """How the rows of an analysis are told.

    Attributes:
        whole: In several lines.
        line: In one.
    """

    whole: Callable[[pd.DataFrame], str]
    line: Callable[[pd.DataFrame], str]


def _texts(rows: pd.DataFrame) -> _Texts:
    return _TEXTS.get(str(rows["analysis"].iloc[0]), _PROBE)


_PROBE = _Texts(_probe_text, _probe_summary)
_FOUND = _Texts(found_text, found_summary)
_TEXTS = {
    "importance": _FOUND,
    "ablation": _FOUND,
    "entropy": _FOUND,
    "masking": _Texts(masking_text, masking_summary),
    "prune": _Texts(prune_text, prune_summary),
    "gates": _Texts(gates_text, gates_summary),
}
