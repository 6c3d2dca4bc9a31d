"""How much of a task a probe can read off every head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.analyses.experiment import Experiment
from probing.errors import ProbingError
from probing.probes.intervals import interval
from probing.probes.problem import Fit, Probe, Problem
from probing.probes.scores import majority, test_scores
from probing.probes.splits import inner_splits
from probing.results.schema import as_frame
from probing.tasks.target import Classes
from probing.tasks.task import Task


@dataclass(frozen=True)
class ProbeAnalysis:
    """Fit a probe to every head of a layer, a layer at a time."""

    @property
    def name(self) -> str:
        """As on the command line."""
        return "probe"

    def check(self, task: Task, probe: Probe) -> None:
        """Refuse a task that the probe cannot answer."""
        probe.check(task)

    def depends_on(self, probe: Probe) -> Mapping[str, Any]:
        """The analysis's own settings and the probe's."""
        settings: dict[str, Any] = asdict(probe)  # type: ignore[call-overload]
        return {
            "analysis": {"kind": self.name, **asdict(self)},
            "probe": {"kind": probe.name, **settings},
        }

    def parts(self, experiment: Experiment) -> Sequence[int]:
        """The layers of the representations."""
        return experiment.representations.layers

    def run_part(self, experiment: Experiment, part: int) -> pd.DataFrame:
        """Fit and score the probes of one layer.

        Raises:
            ProbingError: If the vectors of the layer cannot be probed.
            CorruptFileError: If they are damaged in the cache.
        """
        problem = pose(experiment.task, experiment.seed)
        rows = []
        for heads in experiment.head_groups(part):
            vectors = experiment.vectors(part, experiment.probe.features, heads)
            try:
                fit = experiment.probe.fit(vectors, problem)
            except ProbingError as error:
                after = f", of the heads from {heads[0]}" if heads[0] else ""
                raise ProbingError(f"layer {part}{after}: {error}") from error
            rows += _rows(experiment, part, heads, problem, fit)
        return as_frame(rows)


def pose(task: Task, seed: int) -> Problem:
    """A task as a probe sees it."""
    everything = np.arange(len(task))
    nested = task.selection == "nested"
    return Problem(
        target=task.target,
        train=everything if nested else task.rows("train"),
        dev=task.rows("dev"),
        test=everything if nested else task.rows("test"),
        selection=task.selection,
        folds=task.folds,
        metric=task.metric,
        seed=seed,
        groups=None if task.groups is None else np.unique(task.groups, return_inverse=True)[1],
        average=task.average,
    )


def _rows(
    experiment: Experiment, layer: int, heads: Sequence[int], problem: Problem, fit: Fit
) -> list[dict[str, object]]:
    scores = test_scores(problem, fit.predictions)
    test = scores[problem.metric]
    same = {**experiment.labels, **_counts(problem), "majority": majority(problem)}
    whole = experiment.labels["granularity"] == "layer"
    return [
        same
        | {f"test_{metric}": values[unit] for metric, values in scores.items()}
        | _bounds(problem, fit.predictions[unit])
        | {
            "layer": layer,
            "head": None if whole else head,
            "dev": fit.dev[unit],
            "test": test[unit],
            "l2": fit.l2[unit],
        }
        for unit, head in enumerate(heads)
    ]


def _bounds(problem: Problem, predictions: NDArray[Any]) -> dict[str, object]:
    low, high = interval(problem, predictions)
    return {"test_low": low, "test_high": high}


def _counts(problem: Problem) -> dict[str, object]:
    """Sizes; with nested folds every example is trained on, held out and tested."""
    target = problem.target
    trained = problem.selection in {"dev", "kfold", "holdout"}
    return {
        "metric": problem.metric,
        "n_train": len(problem.train),
        "n_dev": sum(len(held) for _, held in inner_splits(problem)) if trained else len(problem.train),
        "n_test": len(problem.test),
        "n_classes": len(target.names) if isinstance(target, Classes) else None,
    }
