"""A result of any analysis as text, for the terminal and the log."""

from __future__ import annotations

import numpy as np
import pandas as pd

from probing.results.alike import apart, quantity
from probing.results.checks import has_values, single_heads
from probing.results.effects import effect
from probing.results.finding import Tell, finding_of_rows, main_rows
from probing.results.schema import fitted, of_pairs, places
from probing.results.sizes import counts_text, limit_text
from probing.results.text.found_text import found_summary, found_text, most_text
from probing.results.text.grid_text import place_text
from probing.results.text.score_text import probe_summary, probe_text, shown
from probing.tasks.target import COEFFICIENTS


def grid_text(rows: pd.DataFrame) -> str:
    """Write one grid as text: layers upward from the input, the best head marked with *, shares in percent.

    Args:
        rows: Result rows of one grid, of one run of `top_heads`, whose table has a line for each n, or of
            one run of any other analysis.

    Returns:
        Several lines. The last names the best (or most important) head with its interval, and the line
        before it the number of examples.
    """
    *lines, last = _whole(rows).splitlines()
    return "\n".join([*lines, *filter(None, [counts_text(rows)]), last])


def summary(rows: pd.DataFrame) -> str:
    """Write one line: the best row, its test score and interval, the majority, the limit of a quick look.

    Args:
        rows: Rows of one run. For `top_heads` the best of the rows `top` is reported, for other analyses
            their finding.
    """
    return "; ".join(filter(None, (_line(rows), limit_text(rows))))


def beside_baseline(rows: pd.DataFrame, baseline: pd.DataFrame) -> str:
    """Write one line: the margin of the rows of a result over the same cells of one of its baselines.

    Cells that only one of them has are left out, such as permuted labels in `top_heads`, or another best
    layer.
    """
    if _only_pairs(rows) or _only_pairs(baseline):
        return f"{baseline['baseline'].iloc[0]}: {summary(baseline)}"
    rows, baseline = single_heads(rows), single_heads(baseline)
    kind, metric = str(baseline["baseline"].iloc[0]), str(rows["metric"].iloc[0])
    if has_values(rows):
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
    return f"above {kind}: mean {mean}, max at {place_text(best)}, {most}"


def _alike(rows: pd.DataFrame, baseline: pd.DataFrame) -> str:
    """The rank correlation of the heads of both main grids."""
    grids = [
        main_rows(frame) if frame["layer"].notna().any() else frame.iloc[:0] for frame in (rows, baseline)
    ]
    ranks = [pd.Series(effect(grid).to_numpy(), places(grid)).rank() for grid in grids]
    rho = ranks[0].corr(ranks[1]) if min(map(len, grids)) > 1 else np.nan
    return "" if pd.isna(rho) else f"; Spearman's rho of heads {rho:.2f}"


def part_text(rows: pd.DataFrame) -> str:
    """The report of a finished part of a run: the best score, or the value with the largest effect."""
    if _only_pairs(rows):
        return _pairs_text(rows)
    rows = single_heads(rows)
    placed = rows["layer"].notna()
    if not (rows["value"].notna() & placed).any():
        return f"{len(rows):,} rows" if rows["test"].isna().all() else f"best {best_score(rows)}"
    full = (rows["variant"] == "full").fillna(value=False)
    whole = rows[~placed & rows["test"].notna() & ~full]  # scores of the model without some heads
    return most_text(rows) if whole.empty else f"best {best_score(whole)}"


def _only_pairs(rows: pd.DataFrame) -> bool:
    return len(rows) > 0 and bool(of_pairs(rows).all())


def _pairs_text(rows: pd.DataFrame) -> str:
    return f"{len(rows):,} rows for pairs of heads"


def best_score(rows: pd.DataFrame) -> str:
    """The best test score of some rows, without permuted labels."""
    return shown(rows["test"][fitted(rows)].max(), str(rows["metric"].iloc[0]))


def _whole(rows: pd.DataFrame) -> str:
    finding = finding_of_rows(rows)
    text = _in_words(rows, finding.text, found_text, probe_text)
    if finding.text or not finding.line:
        return text
    return "\n".join([*text.splitlines()[:-1], finding.line(rows)])


def _line(rows: pd.DataFrame) -> str:
    return _in_words(rows, finding_of_rows(rows).line, found_summary, probe_summary)


def _in_words(rows: pd.DataFrame, own: Tell | None, found: Tell, probe: Tell) -> str:
    """The rows in the words of their analysis, or else as a grid, in which pairs of heads have no place."""
    if own is not None:
        return own(rows)
    if _only_pairs(rows):
        return _pairs_text(rows)
    rows = single_heads(rows)
    return (found if has_values(rows) else probe)(rows)
