"""What pictures of `value` say: what an analysis found about heads, in which unit, and in which head most."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from probing.figures.grids import Grid
from probing.figures.naming import (
    best_sentence,
    choice_sentence,
    highest_name,
    majority_sentence,
    place_name,
    variant_name,
)
from probing.results.units import DIFFERENCES, Unit, metric_name, score_unit, value_unit

DELTA = "\N{GREEK CAPITAL LETTER DELTA}"
_NAMES = {"gates": "gate", "entropy": "entropy of attention", "prune": "kept"}


def measure_name(grids: Sequence[Grid]) -> str:
    """What the colours stand for, without its unit."""
    key = grids[0].key
    if key.analysis in DIFFERENCES:
        return f"{DELTA} {' or '.join(dict.fromkeys(metric_name(grid.key.metric) for grid in grids))}"
    if key.analysis == "importance":
        same = len({grid.key.variant for grid in grids}) == 1
        return f"importance {variant_name(key.variant)}" if same else "importance"
    return _NAMES.get(key.analysis, key.analysis)


def within_one(grid: Grid) -> bool:
    """Whether the numbers are from 0 to 1 by what they are."""
    return grid.key.analysis in ("gates", "prune") or grid.key.variant.endswith(".minmax")


def unit_of(grids: Sequence[Grid]) -> Unit:
    """How the numbers of grids on one scale are written."""
    key = grids[0].key
    if not grids[0].found:
        return score_unit(key.metric)
    values = np.concatenate([grid.scores.ravel() for grid in grids])
    return value_unit(key.analysis, key.metric, key.variant, values)


def facts(grid: Grid, *, with_interval: bool = True) -> list[str]:
    """What is said above a grid: its best head, and what that is to be seen beside."""
    if not grid.found:
        best, majority = best_sentence(grid, with_interval=with_interval), majority_sentence(grid)
        chosen = choice_sentence(grid) if with_interval else _corrected(grid)
        return [best, *filter(None, [majority, chosen])]
    told = _FACTS.get(grid.key.analysis, _ranked)(grid, with_interval)
    full = "" if np.isnan(grid.full) else f"full model {score_unit(grid.key.metric).spoken(grid.full)}"
    return [*told, *filter(None, [full])]


def mark_name(grids: Sequence[Grid], kinds: Sequence[str]) -> str:
    """What the outline of a cell means, of grids of heads or layers."""
    if not grids[0].found:
        return f"best {' or '.join(kinds)}: {highest_name(grids)}"
    return " or ".join(dict.fromkeys(_verb(grid) for grid in grids if grid.best is not None))


def ranked_name(grids: Sequence[Grid]) -> str:
    """The split on which cells were ranked, ", ranked on dev"; empty where scores of probes are drawn."""
    splits = dict.fromkeys(grid.ranked_on for grid in grids if grid.found and grid.ranked_on)
    return f", ranked on {' or '.join(splits)}" if splits else ""


def _corrected(grid: Grid) -> str:
    """The p of the best cell, in its shortest form."""
    known = grid.best is not None and np.isfinite(grid.p[grid.best])
    return f"corrected p {grid.p[grid.best]:.3f}" if known else ""


def _verb(grid: Grid) -> str:
    return "serves best alone" if grid.key.variant.startswith(("only_one", "only_best")) else "needed most"


def _ranked(grid: Grid, with_interval: bool) -> list[str]:
    if grid.best is None:
        return ["none ranked"]
    unit = unit_of([grid])
    ends = grid.low[grid.best], grid.high[grid.best]
    known = with_interval and all(np.isfinite(ends))
    bounds = f" [{unit.told(ends[0])}, {unit.told(ends[1])}]" if known else ""
    most = f"{_verb(grid)}: {place_name(grid, grid.best)}"
    number = f"{unit.spoken(grid.scores[grid.best])}{bounds}"
    return [f"{most}, {number}"] if with_interval else [most, number]


def _kept(grid: Grid, _: bool) -> list[str]:
    return [f"{int(np.nansum(grid.scores))} of {_count(grid)} heads kept"]


def _open(grid: Grid, with_interval: bool) -> list[str]:
    if grid.key.variant.endswith(".open"):
        return _ranked(grid, with_interval)
    return [f"{int((grid.scores > 0).sum())} of {_count(grid)} gates open", *_ranked(grid, with_interval)]


def _spread(grid: Grid, _: bool) -> list[str]:
    if not np.isfinite(grid.scores).any():
        return []
    unit, columns = unit_of([grid]), grid.scores.shape[1]
    places = [divmod(int(find(grid.scores)), columns) for find in (np.nanargmin, np.nanargmax)]
    low, high = (f"{place_name(grid, at)}, {unit.spoken(grid.scores[at])}" for at in places)
    return [f"mean {unit.spoken(float(np.nanmean(grid.scores)))}", f"least: {low}", f"most: {high}"]


def _count(grid: Grid) -> int:
    return int(np.isfinite(grid.scores).sum())


_FACTS: dict[str, Callable[[Grid, bool], list[str]]] = {"prune": _kept, "gates": _open, "entropy": _spread}
