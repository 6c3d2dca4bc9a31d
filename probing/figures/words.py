"""What the pictures say: names, scores and places in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from probing.figures.grid import EMBEDDINGS, Grid, GridKey

_METRICS = {"accuracy": "accuracy", "macro_f1": "macro F1"}


def percent(score: float) -> str:
    """A fraction as it stands in running text, "92.4 %"."""
    return f"{number(score)} %"


def number(score: float) -> str:
    """A fraction as it stands in a cell, "92.4"."""
    return f"{100 * score:.1f}"


def interval(low: float, high: float) -> str:
    """A confidence interval with a space before it, or nothing if there is none."""
    return f" [{number(low)}, {number(high)}]" if np.isfinite(low) and np.isfinite(high) else ""


def layer_name(layer: int) -> str:
    """A layer as it stands beside its row."""
    return "emb" if layer == EMBEDDINGS else str(layer)


def across_name(grid: Grid) -> str:
    """What the columns are; empty if there is only one."""
    if grid.whole_layers:
        return ""
    return "heads, sorted within each layer" if grid.order == "score" else "head"


def metric_name(metric: str) -> str:
    """A metric as readers know it."""
    return _METRICS.get(metric, metric)


def score_name(grids: Sequence[Grid]) -> str:
    """What the colours stand for, "test accuracy"."""
    metrics = dict.fromkeys(metric_name(grid.key.metric) for grid in grids)
    return f"{grids[0].value} {' or '.join(metrics)}"


def guessing_name(grids: Sequence[Grid]) -> str:
    """What a dot in a cell means."""
    if any(np.isfinite(grid.low).any() for grid in grids):
        return "confidence interval reaches the majority"
    return "not above the majority"


def best_sentence(grid: Grid, *, with_interval: bool = True) -> str:
    """The best head with its score, "best: layer 4 head 7, 92.4 % [90.1, 94.2]"."""
    if grid.best is None:
        return "best: none, no score"
    layer = grid.layers[grid.best[0]]
    place = "embeddings" if layer == EMBEDDINGS else f"layer {layer}"
    if not grid.whole_layers:
        place += f" head {grid.heads[grid.best]}"
    bounds = interval(grid.low[grid.best], grid.high[grid.best]) if with_interval else ""
    return f"best: {place}, {percent(grid.scores[grid.best])}{bounds}"


def majority_sentence(grid: Grid) -> str:
    """The majority of a grid, "majority 16.7 %"; empty if it is unknown."""
    return f"majority {percent(grid.majority)}" if np.isfinite(grid.majority) else ""


def describe(key: GridKey, fields: Sequence[str]) -> list[str]:
    """The named fields of a key in words, in the order of the key."""
    words = {
        "analysis": key.analysis,
        "model": key.model,
        "task": key.task,
        "granularity": {"head": "heads", "layer": "whole layers"}.get(key.granularity, key.granularity),
        "pooling": f"{key.pooling} pooling",
        "probe": f"{key.probe} probe",
        "seed": f"seed {key.seed}",
        "metric": metric_name(key.metric),
    }
    return [words[name] for name in GridKey._fields if name in fields]


def sheet_title(grids: Sequence[Grid]) -> str:
    """What a contact sheet holds, "bert-base-uncased: 10 tasks"."""
    models = list(dict.fromkeys(grid.key.model for grid in grids))
    tasks = {grid.key.task for grid in grids}
    count = f"{len(tasks)} {'task' if len(tasks) == 1 else 'tasks'}"
    return f"{models[0]}: {count}" if len(models) == 1 else f"{len(models)} models, {count}"
