"""The words of the pictures: names, scores and places."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from probing.figures.grids import EMBEDDINGS, NO_KIND, Grid
from probing.results.chance import ABOVE_CHANCE
from probing.results.grid_key import GridKey
from probing.results.units import metric_name, score_unit
from probing.tasks.target import COEFFICIENTS

_VALUES = {
    "untrained": "untrained model's test",
    "control": "control labels' test",
    "selectivity": "selectivity in",
    ABOVE_CHANCE: "test",
}

_GRANULARITIES = {
    "head": "heads",
    "layer": "whole layers",
    "attention": "a layer's heads together",
    "top_heads": "top heads together",
    "all_heads": "all heads together",
}

_OBJECTIVES = {
    "readout": "readout of the last layer",
    "classifier": "its own classifier",
    "lm": "language modelling",
}

_VARIANTS = {
    "per_example": "per example",
    "per_token": "per token",
    "leave_one_out": "without this head",
    "only_one": "alone in its layer",
    "only_best": "best on dev alone in its layer",
    "kept": "",
    "gate": "",
    "open": "P(open)",
}
_FILLS = {"zero": "", "mean": "filled with its mean", "uniform": "with uniform attention"}
_NORMALISATIONS = {"layer": " \N{DIVISION SIGN} layer \N{SCRIPT SMALL L}2", "minmax": ", 0 to 1"}
LAMBDA = "\N{GREEK SMALL LETTER LAMDA}"

_SEVERAL = {
    "granularity": "granularities",
    "pooling": "poolings",
    "probe": "probes",
    "objective": "objectives",
    "seed": "seeds",
    "limit": "limits",
    "baseline": "baselines",
}
_MOST_NAMED = 3

_BASELINES = {"untrained": "untrained model", "control": "control labels", "permuted": "permuted labels"}


def spoken(score: float, metric: str) -> str:
    """A score in running text: "92.4 %", or "0.92" for a correlation."""
    return score_unit(metric).spoken(score)


def number(score: float, metric: str) -> str:
    """A score in a cell: a share times 100, "92.4", or a correlation, "0.92"."""
    return score_unit(metric).cell(score)


def minus(text: str) -> str:
    """Replace the hyphen of a number by a minus sign."""
    return text.replace("-", "\N{MINUS SIGN}")


def interval(low: float, high: float, metric: str) -> str:
    """A confidence interval with a space before it, or nothing if there is none."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return ""
    return f" [{number(low, metric)}, {number(high, metric)}]"


def layer_name(layer: int) -> str:
    """The label of a layer next to its row."""
    return "emb" if layer == EMBEDDINGS else str(layer)


def across_name(grid: Grid) -> str:
    """The label of the columns; empty if there is only one."""
    if grid.whole_layers:
        return ""
    return "heads, sorted within each layer" if grid.order == "score" else "head"


def usual_metric(keys: Sequence[GridKey]) -> str:
    """The metric of most grids; among equals, the first."""
    metrics = [key.metric for key in keys]
    return max(dict.fromkeys(metrics), key=metrics.count)


def score_name(grids: Sequence[Grid]) -> str:
    """The quantity that the colours show, "test accuracy"."""
    metrics = dict.fromkeys(metric_name(grid.key.metric) for grid in grids)
    name = f"{value_name(grids[0].value)} {' or '.join(metrics)}"
    return f"{name} above chance" if grids[0].above_chance else name


def scale_sentence(grids: Sequence[Grid]) -> str:
    """The formula of scores above chance; empty if plain scores are drawn."""
    return f"cells: {above_formula()}" if grids[0].above_chance else ""


def above_formula() -> str:
    """The formula of scores above chance."""
    return minus("above chance = (test - majority) \N{DIVISION SIGN} (1 - majority)")


def above_sentence(grid: Grid) -> str:
    """The score of the best cell above chance; empty if plain scores are drawn."""
    if grid.best is None or not grid.above_chance or grid.key.metric in COEFFICIENTS:
        return ""
    return minus(f"{spoken(grid.scores[grid.best], grid.key.metric)} above chance")


def value_name(value: str) -> str:
    """The name of a column, to be followed by the name of a metric."""
    return _VALUES.get(value, value)


def highest_name(grids: Sequence[Grid]) -> str:
    """The reason why a cell is the best, "highest test score"."""
    value = grids[0].value
    plain = value in ("test", "dev", ABOVE_CHANCE)
    return f"highest {value_name(value)} score" if plain else f"highest {value_name(value)}"


def choice_sentence(grid: Grid) -> str:
    """The choice of the best cell, with p corrected for it; empty if no cell is the best."""
    if grid.best is None:
        return ""
    p, count = grid.p[grid.best], int(np.isfinite(grid.scores).sum())
    chosen = f"{highest_name([grid])} of {count}"
    return chosen if np.isnan(p) else f"{chosen}, p {p:.3f} corrected for that choice"


def same_sizes(grids: Sequence[Grid]) -> str:
    """The number of examples behind the grids; empty if it differs, since each grid then shows its own."""
    sizes = {grid.sizes for grid in grids}
    return sizes.pop() if len(sizes) == 1 else ""


def best_sentence(grid: Grid, *, with_interval: bool = True) -> str:
    """The best head with its score, "best: layer 4 head 7, 92.4 % [90.1, 94.2]"."""
    if grid.best is None:
        return "best: none, no score"
    metric = grid.key.metric
    score, low, high = (grid.plain(numbers[grid.best]) for numbers in (grid.scores, grid.low, grid.high))
    bounds = interval(low, high, metric) if with_interval else ""
    return f"best: {place_name(grid, grid.best)}, {spoken(score, metric)}{bounds}"


def place_name(grid: Grid, cell: tuple[int, int]) -> str:
    """A cell of a grid, by row and column, in words: "layer 4 head 7"."""
    layer = grid.layers[cell[0]]
    place = "embeddings" if layer == EMBEDDINGS else f"layer {layer}"
    return place if grid.whole_layers else f"{place} head {grid.heads[cell]}"


def majority_sentence(grid: Grid) -> str:
    """The majority of a grid, "majority 16.7 %"; empty if it is unknown, or a correlation's 0."""
    if grid.key.metric in COEFFICIENTS or not np.isfinite(grid.majority):
        return ""
    return f"majority {spoken(grid.majority, grid.key.metric)}"


def describe(key: GridKey, fields: Sequence[str]) -> list[str]:
    """The named fields of a key in words, in the order of the key."""
    words = {
        "analysis": key.analysis,
        "model": key.model,
        "task": key.task,
        "granularity": _GRANULARITIES.get(key.granularity, key.granularity),
        "pooling": f"{key.pooling} pooling" if key.pooling else "",
        "probe": f"{key.probe} probe" if key.probe else "",
        "objective": _OBJECTIVES.get(key.objective, key.objective),
        "seed": f"seed {key.seed}" if str(key.seed) else "",
        "limit": f"limit {key.limit}" if str(key.limit) else "",
        "baseline": _BASELINES.get(key.baseline, ""),
        "variant": variant_name(key),
        "stack": key.stack,
        "metric": metric_name(key.metric),
    }
    asked = set(fields) | ({"variant"} if set(NO_KIND) & set(fields) else set())
    return [words[name] for name in GridKey._fields if name in asked and words.get(name)]


def variant_name(key: GridKey) -> str:
    """The kind of rows in words: "per example ÷ layer ℓ2", "λ 0.01, P(open)"."""
    penalty = f"{LAMBDA} {key.penalty:g}" if isinstance(key.penalty, float) else ""
    kinds = (
        _VARIANTS.get(key.variant, key.variant),
        _FILLS.get(key.fill, key.fill),
        key.direction.replace("_", " "),
    )
    words = ", ".join(filter(None, (penalty, *kinds)))
    normalisation = _NORMALISATIONS.get(key.normalisation, key.normalisation)
    return f"{words}{normalisation}" if words else normalisation.lstrip(" ,")


def sheet_title(grids: Sequence[Grid]) -> str:
    """The title of a contact sheet, "bert-base-uncased: 10 tasks"."""
    models = list(dict.fromkeys(grid.key.model for grid in grids))
    found = "" if not grids[0].found else f"{grids[0].key.analysis} on "
    tasks = {grid.key.task for grid in grids}
    count = f"{len(tasks)} {'task' if len(tasks) == 1 else 'tasks'}"
    differing = differing_words([grid.key for grid in grids])
    count = next(iter(tasks)) if len(tasks) == 1 and (found or differing) else count
    words = ", ".join([f"{found}{count}", *differing])
    return f"{models[0]}: {words}" if len(models) == 1 else f"{len(models)} models, {words}"


def differing_words(keys: Sequence[GridKey]) -> list[str]:
    """The settings in which grids differ, with up to three values: ["2 probes (logistic, ridge)"]."""
    words = []
    for name, plural in _SEVERAL.items():
        values = [str(value) for value in dict.fromkeys(getattr(key, name) for key in keys) if value != ""]
        if len(values) > 1:
            named = f" ({', '.join(values)})" if len(values) <= _MOST_NAMED else ""
            words.append(f"{len(values)} {plural}{named}")
    return words
