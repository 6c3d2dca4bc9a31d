"""Masking curves, pruned models and paths of gates, as lines of text."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from probing.results.finding import main_rows
from probing.results.select import gate_path, of_variant, selected_lambda
from probing.results.text.found_text import found_lines, score_text
from probing.results.text.grid_text import grid_lines, share_text
from probing.results.threshold import last_kept

RANKINGS = ("iterative", "importance", "ablation", "probe", "random")
"""The rankings of masking curves, in the order in which they are shown."""


def masking_text(rows: pd.DataFrame) -> str:
    """A line for every number of remaining heads, a column for each ranking; draws are averaged."""
    metric = str(rows["metric"].iloc[0])
    names = list(rows["variant"].unique())
    means = rows.pivot_table(index="n_heads", columns="variant", values="test").sort_index(ascending=False)
    total = int(means.index[0])
    lines = [f"{'heads':>5}{'masked':>8}" + "".join(f"{name:>14}" for name in names)]
    for left, cells in means.iterrows():
        known = ("" if pd.isna(cells[name]) else score_text(cells[name], metric) for name in names)
        masked = share_text(1 - int(str(left)) / total, 0)
        lines.append(f"{left:>5}{masked:>8}" + "".join(f"{text:>14}" for text in known))
    return "\n".join([*(line.rstrip() for line in lines), masking_summary(rows)])


def masking_summary(rows: pd.DataFrame) -> str:
    """One line: the number of heads that each ranking can mask while dev keeps 90 %, and the test score."""
    metric = str(rows["metric"].iloc[0])
    parts = [_without(own, str(name), metric) for name, own in rows.groupby("variant", sort=False)]
    full = rows["full"].iloc[0]
    known = [] if pd.isna(full) else [f"full model {score_text(full, metric)}"]
    return "; ".join([f"dev keeps 90% without {', '.join(parts)} of {rows['n_heads'].max()} heads", *known])


def _without(rows: pd.DataFrame, name: str, metric: str) -> str:
    means = rows.groupby("n_heads")[["dev", "test"]].mean().sort_index(ascending=False)
    dev = means["dev"].to_numpy(dtype=np.float64, na_value=np.nan)
    last = max(last_kept(dev, dev[0], metric), 0)
    gone = int(means.index[0]) - int(means.index[last])
    return f"{gone} ({name}, test {score_text(means['test'].iloc[last], metric)})"


def prune_text(rows: pd.DataFrame) -> str:
    """The kept heads, followed by a comparison of the full, the masked and the pruned model."""
    kept = of_variant(rows, "kept")
    cells = {index: f"{int(value)}" for index, value in kept["value"].items()}
    lines = []
    for stack, grid in kept.groupby("stack", sort=False, dropna=False):
        lines += [] if pd.isna(stack) else [f"{stack!s}:"]
        lines += grid_lines(grid, {index: cells[index] for index in grid.index}, None)
    return "\n".join([*lines, *_models(rows), prune_summary(rows)])


def _models(rows: pd.DataFrame) -> Iterable[str]:
    columns = ("heads", "dev", "test", "parameters", "megabytes", "seconds")
    yield f"{'':<8}" + "".join(f"{name:>14}" for name in columns)
    for name in ("full", "masked", "pruned"):
        model = scored(rows, name)
        if model.empty:
            continue
        row = model.iloc[0]
        scores = [score_text(row[split], str(row["metric"])) for split in ("dev", "test")]
        sizes = [_size(rows, name, column) for column in columns[3:]]
        cells = [str(row["n_heads"]), *scores, *sizes]
        yield (f"{name:<8}" + "".join(f"{cell:>14}" for cell in cells)).rstrip()
    yield (f"{'ratio':<8}{'':>42}" + "".join(f"{_ratio(rows, name):>14}" for name in columns[3:])).rstrip()


def scored(rows: pd.DataFrame, model: str) -> pd.DataFrame:
    """The row with the scores of one model; its other rows report its size."""
    return of_variant(rows[rows["test"].notna()], model)


def _sized(rows: pd.DataFrame, model: str, metric: str) -> pd.Series:
    own = of_variant(rows, model)
    return own.loc[own["metric"].eq(metric).fillna(value=False).astype(bool), "value"].dropna()


def _size(rows: pd.DataFrame, model: str, metric: str) -> str:
    found = _sized(rows, model, metric)
    if found.empty:
        return ""
    return f"{found.iloc[0]:,.0f}" if metric == "parameters" else f"{found.iloc[0]:.3g}"


def _ratio(rows: pd.DataFrame, metric: str) -> str:
    sizes = [_sized(rows, model, metric) for model in ("pruned", "full")]
    if any(size.empty for size in sizes):
        return ""
    return share_text(sizes[0].iloc[0] / sizes[1].iloc[0])


def prune_summary(rows: pd.DataFrame) -> str:
    """One line: the number of remaining heads, the score of the pruned model, and its savings."""
    full, pruned = (scored(rows, name).iloc[0] for name in ("full", "pruned"))
    metric = str(pruned["metric"])
    scores = f"test {metric} {score_text(pruned['test'], metric)} against {score_text(full['test'], metric)}"
    ratios = [f"{name} {_ratio(rows, name)}" for name in ("parameters", "seconds") if _ratio(rows, name)]
    saved = f"; {', '.join(ratios)} of the full model's" if ratios else ""
    return f"pruned to {pruned['n_heads']} of {full['n_heads']} heads: {scores}{saved}{silenced_text(rows)}"


def silenced_text(rows: pd.DataFrame) -> str:
    """The number of heads that only have zero weights and save no size or time; "" for none."""
    found = _sized(rows, "pruned", "silenced")
    if found.empty or not found.iloc[0]:
        return ""
    full, pruned = (int(scored(rows, name)["n_heads"].iloc[0]) for name in ("full", "pruned"))
    return f"; {found.iloc[0]:.0f} of the {full - pruned} heads could only be silenced, not cut out"


def gates_text(rows: pd.DataFrame) -> str:
    """A line for every lambda, then the gates of the last lambda that keeps the score."""
    lines = [f"{'lambda':>10}{'heads':>7}{'dev':>12}{'test':>12}"]
    for _, row in gate_path(rows).iterrows():
        dev, test = (score_text(row[split], str(row["metric"])) for split in ("dev", "test"))
        lines.append(f"{row['penalty']:>10g}{row['n_heads']:>7}{dev:>12}{test:>12}")
    grid = [f"gates at lambda {selected_lambda(rows)['penalty']:g}:", *found_lines(main_rows(rows))]
    return "\n".join([*lines, *grid, gates_summary(rows)])


def gates_summary(rows: pd.DataFrame) -> str:
    """One line: the number of open gates at the last lambda that keeps the score, and the score."""
    row, whole = selected_lambda(rows), of_variant(rows, "full")["n_heads"]
    heads = len(main_rows(rows)) if whole.empty else whole.iloc[0]
    metric = str(row["metric"])
    full = "" if pd.isna(row["full"]) else f"; full model {score_text(row['full'], metric)}"
    left = f"{row['n_heads']} of {heads} heads remaining"
    score = f"test {metric} {score_text(row['test'], metric)}"
    return f"lambda {row['penalty']:g}, selected on dev: {left}, {score}{full}"
