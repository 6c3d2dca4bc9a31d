"""In which order heads are masked, the least needed first, by what other analyses found."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.analyses.ablation import AblationAnalysis
from probing.analyses.analysis import Analysis, Experiment
from probing.analyses.groups import Groups
from probing.analyses.importance import ImportanceAnalysis
from probing.analyses.probe import ProbeAnalysis
from probing.errors import ProbingError
from probing.results.finding import main_rows


def by_importance(experiment: Experiment, groups: Groups) -> list[int]:
    """By importance per example on dev, divided by the ℓ2 norm of its layer."""
    rows = _beside(experiment, ImportanceAnalysis())
    layered = rows["variant"].eq("per_example") & rows["normalisation"].eq("layer")
    return _sorted(groups, rows[layered.fillna(value=False)], "value")


def by_ablation(experiment: Experiment, groups: Groups) -> list[int]:
    """By the score on dev without the group, the highest first; of equals that with the lower loss."""
    rows = _beside(experiment, AblationAnalysis())
    rows = rows.assign(turned=np.where(rows["metric"] == "loss", rows["dev"], -rows["dev"]))
    alone = rows[rows["variant"] == "leave_one_out"]
    return _sorted(groups, main_rows(alone), "turned", alone[alone["metric"] == "loss"])


def by_probe(experiment: Experiment, groups: Groups) -> list[int]:
    """By what a probe can read off the group, on dev."""
    return _sorted(groups, _beside(experiment, ProbeAnalysis()), "dev")


def at_random(experiment: Experiment, groups: Groups, draw: int) -> list[int]:
    """Another order for every seed and draw."""
    order: list[int] = np.random.default_rng([experiment.seed, draw]).permutation(len(groups)).tolist()
    return order


ORDERS: dict[str, Callable[[Experiment, Groups], list[int]]] = {
    "importance": by_importance,
    "ablation": by_ablation,
    "probe": by_probe,
}


def _beside(experiment: Experiment, analysis: Analysis) -> pd.DataFrame:
    assert experiment.beside is not None
    return experiment.beside(experiment.granularity.unit, None, analysis)


def _sorted(groups: Groups, rows: pd.DataFrame, column: str, ties: pd.DataFrame | None = None) -> list[int]:
    """Groups by ascending values of a column."""
    keys = [_aligned(groups, rows, column)]
    if ties is not None:
        keys.append(_aligned(groups, ties, "dev"))
    order: list[int] = np.lexsort(keys[::-1]).tolist()
    return order


def _aligned(groups: Groups, rows: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """The values of the groups, in their order."""
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
