"""Words of pictures of `value`: the quantity, its unit, and the head with the largest effect."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from probing.figures.grids import Grid
from probing.figures.naming import (
    above_sentence,
    best_sentence,
    choice_sentence,
    highest_name,
    majority_sentence,
    place_name,
    variant_name,
)
from probing.results.finding import Finding, finding_of
from probing.results.grid_key import GridKey
from probing.results.units import NumberFormat, metric_name, score_unit

DELTA = "\N{GREEK CAPITAL LETTER DELTA}"


def finding(grid: Grid) -> Finding:
    """The finding of the analysis of a grid."""
    return finding_of(grid.key.analysis, grid.key.plugin)


def measure_name(grids: Sequence[Grid]) -> str:
    """The quantity that the colours show, without its unit."""
    return measure_of([grid.key for grid in grids])


def measure_of(keys: Sequence[GridKey]) -> str:
    """The quantity that an analysis found in grids with these keys, without its unit."""
    first = finding_of(keys[0].analysis, keys[0].plugin)
    if first.difference:
        return f"{DELTA} {' or '.join(dict.fromkeys(metric_name(key.metric) for key in keys))}"
    kinds = {(key.variant, key.normalisation) for key in keys}
    if len(kinds) > 1 or kinds <= {(first.variant, "")}:
        return first.measure
    return f"{first.measure} {variant_name(keys[0]._replace(penalty='', fill=''))}"


def within_one(grid: Grid) -> bool:
    """Return whether the numbers are from 0 to 1 by definition."""
    return finding(grid).range_of(grid.key.normalisation, grid.key.metric) == "from 0 to 1"


def unit_of(grids: Sequence[Grid]) -> NumberFormat:
    """The format of the numbers of grids on one scale."""
    key = grids[0].key
    if not grids[0].found:
        return score_unit(key.metric)
    values = np.concatenate([grid.scores.ravel() for grid in grids])
    return finding(grids[0]).unit_of(key.metric, key.normalisation, values)


def facts(grid: Grid, *, with_interval: bool = True) -> list[str]:
    """The facts above a grid: its best head, and the numbers to compare it with."""
    if not grid.found:
        best, majority = best_sentence(grid, with_interval=with_interval), majority_sentence(grid)
        chosen = choice_sentence(grid) if with_interval else _corrected(grid)
        return [best, *filter(None, [majority, above_sentence(grid), chosen])]
    record = finding(grid)
    counted = [_counted(grid, record)] if record.counted and grid.key.variant == record.variant else []
    ranked = grid.best is not None or not record.counted
    chance = "" if np.isnan(grid.chance).all() else f"chance {unit_of([grid]).spoken(_mean(grid.chance))}"
    full = "" if np.isnan(grid.full) else f"full model {score_unit(grid.key.metric).spoken(grid.full)}"
    rest = (_spread(grid) if grid.best is None else _ranked(grid, with_interval)) if ranked else []
    return [*counted, *rest, *filter(None, [chance, full])]


def mark_name(grids: Sequence[Grid], kinds: Sequence[str]) -> str:
    """The meaning of an outlined cell, in grids of heads or layers."""
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
    return finding(grid).best_of(grid.key.variant)


def _ranked(grid: Grid, with_interval: bool) -> list[str]:
    if grid.best is None:
        return []
    unit = unit_of([grid])
    ends = grid.low[grid.best], grid.high[grid.best]
    known = with_interval and all(np.isfinite(ends))
    bounds = f" [{unit.told(ends[0])}, {unit.told(ends[1])}]" if known else ""
    first = f"{_verb(grid)}: {place_name(grid, grid.best)}"
    number = f"{unit.spoken(grid.scores[grid.best])}{bounds}"
    return [f"{first}, {number}"] if with_interval else [first, number]


def _counted(grid: Grid, record: Finding) -> str:
    return f"{int((grid.scores > 0).sum())} of {int(np.isfinite(grid.scores).sum())} {record.counted}"


def _mean(numbers: NDArray[np.float64]) -> float:
    return float(np.nanmean(numbers))


def _spread(grid: Grid) -> list[str]:
    if not np.isfinite(grid.scores).any():
        return ["no values"]
    unit, columns = unit_of([grid]), grid.scores.shape[1]
    places = [divmod(int(find(grid.scores)), columns) for find in (np.nanargmin, np.nanargmax)]
    low, high = (f"{place_name(grid, at)}, {unit.spoken(grid.scores[at])}" for at in places)
    return [f"mean {unit.spoken(_mean(grid.scores))}", f"lowest: {low}", f"highest: {high}"]
