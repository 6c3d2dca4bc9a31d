"""How much of a task a probe can read off every head."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from probing.analyses.experiment import Experiment
from probing.errors import ProbingError
from probing.probes.intervals import interval
from probing.probes.metrics import score
from probing.probes.problem import Fit, Probe, Problem
from probing.probes.splits import inner_splits
from probing.results.schema import as_frame
from probing.tasks.task import Task

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ProbeAnalysis:
    """Fit a probe to every head of a layer, a layer at a time."""

    @property
    def name(self) -> str:
        """As on the command line."""
        return "probe"

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
        task = experiment.task
        problem = _problem(task, experiment.seed)
        vectors = torch.from_numpy(experiment.representations.layer(part)).to(experiment.device)
        try:
            fit = experiment.probe.fit(vectors, problem)
        except ProbingError as error:
            raise ProbingError(f"layer {part}: {error}") from error
        return as_frame(self._rows(experiment, part, problem, fit))

    def _rows(
        self, experiment: Experiment, layer: int, problem: Problem, fit: Fit
    ) -> list[dict[str, object]]:
        gold, k, metric = problem.labels[problem.test], problem.n_classes, problem.metric
        test = _score(problem, fit.predictions)
        ends = [interval(guesses, gold, k, metric, problem.seed) for guesses in fit.predictions]
        same = {**experiment.labels, **_counts(problem), "majority": _majority(problem)}
        whole = experiment.labels["granularity"] == "layer"
        return [
            same
            | {
                "layer": layer,
                "head": None if whole else unit,
                "dev": fit.dev[unit],
                "test": test[unit],
                "test_low": ends[unit][0],
                "test_high": ends[unit][1],
                "l2": fit.l2[unit],
            }
            for unit in range(len(test))
        ]


def _problem(task: Task, seed: int) -> Problem:
    return Problem(
        labels=task.labels,
        n_classes=len(task.classes),
        train=task.rows("train"),
        dev=task.rows("dev"),
        test=task.rows("test"),
        selection=task.selection,
        folds=task.folds,
        metric=task.metric,
        seed=seed,
    )


def _counts(problem: Problem) -> dict[str, object]:
    return {
        "metric": problem.metric,
        "n_train": len(problem.train),
        "n_dev": sum(len(held) for _, held in inner_splits(problem)),
        "n_test": len(problem.test),
        "n_classes": problem.n_classes,
    }


def _majority(problem: Problem) -> float:
    """The test score of always answering the most frequent class of train."""
    most_frequent = np.bincount(problem.labels[problem.train]).argmax()
    return float(_score(problem, np.full((1, len(problem.test)), most_frequent))[0])


def _score(problem: Problem, predictions: NDArray[np.int64]) -> NDArray[np.float64]:
    gold = torch.from_numpy(problem.labels[problem.test])
    scores: NDArray[np.float64] = score(
        torch.from_numpy(predictions), gold, problem.n_classes, problem.metric
    ).numpy()
    return scores
