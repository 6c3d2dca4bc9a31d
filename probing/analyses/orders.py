"""Orders in which heads are masked, smallest effect first, from the results of other analyses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.analyses.ablation import AblationAnalysis
from probing.analyses.analysis import Analysis, Context
from probing.analyses.groups import Groups
from probing.analyses.importance import ImportanceAnalysis
from probing.analyses.probe import ProbeAnalysis
from probing.errors import ProbingError
from probing.results.finding import main_rows


def by_importance(context: Context, groups: Groups) -> list[int]:
    """Order groups by importance per example on dev, divided by the ℓ2 norm of its layer."""
    rows = _beside(context, ImportanceAnalysis())
    layered = rows["variant"].eq("per_example") & rows["normalisation"].eq("layer")
    return _sorted(groups, rows[layered.fillna(value=False)], "value")


def by_ablation(context: Context, groups: Groups) -> list[int]:
    """Order groups by the dev score without them, the highest first; the lower loss breaks ties."""
    rows = _beside(context, AblationAnalysis())
    rows = rows.assign(turned=np.where(rows["metric"] == "loss", rows["dev"], -rows["dev"]))
    alone = rows[rows["variant"] == "leave_one_out"]
    return _sorted(groups, main_rows(alone), "turned", alone[alone["metric"] == "loss"])


def by_probe(context: Context, groups: Groups) -> list[int]:
    """Order groups by the dev score of a probe on them."""
    return _sorted(groups, _beside(context, ProbeAnalysis()), "dev")


def at_random(context: Context, groups: Groups, draw: int) -> list[int]:
    """Return a random order, which differs between seeds and draws."""
    order: list[int] = np.random.default_rng([context.seed, draw]).permutation(len(groups)).tolist()
    return order


ORDERS: dict[str, Callable[[Context, Groups], list[int]]] = {
    "importance": by_importance,
    "ablation": by_ablation,
    "probe": by_probe,
}


def _beside(context: Context, analysis: Analysis) -> pd.DataFrame:
    return context.result(context.methods.granularity.unit, None, analysis)


def _sorted(groups: Groups, rows: pd.DataFrame, column: str, ties: pd.DataFrame | None = None) -> list[int]:
    """Return groups by ascending values of a column."""
    keys = [_aligned(groups, rows, column)]
    if ties is not None:
        keys.append(_aligned(groups, ties, "dev"))
    order: list[int] = np.lexsort(keys[::-1]).tolist()
    return order


def _aligned(groups: Groups, rows: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Return the values of the groups, in their order."""
    found = {_place(row): row[column] for row in rows.to_dict("records")}
    try:
        return np.array([found[_place(cell)] for cell in groups.cells], dtype=np.float64)
    except KeyError as error:
        raise ProbingError(
            "analysis.rankings: the probes read other heads than the objective uses, as of a model with an "
            "encoder and a decoder; leave probe out"
        ) from error


def _place(cell: object) -> tuple[object, ...]:
    assert isinstance(cell, dict)
    return tuple(None if pd.isna(cell[name]) else cell[name] for name in ("stack", "layer", "head"))
