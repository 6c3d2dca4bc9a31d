"""How much of a task a probe can read off every head."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from probing.analyses.experiment import Experiment
from probing.errors import ProbingError
from probing.probes.intervals import score_interval
from probing.probes.metrics import score
from probing.probes.problem import Fit, Probe, Problem
from probing.results.schema import as_frame
from probing.tasks.task import Task

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ProbeAnalysis:
    """Fit a probe to every head of a layer, a layer at a time.

    Attributes:
        confidence: Level of the interval from `test_low` to `test_high`.
    """

    confidence: float = 0.95

    def __post_init__(self) -> None:
        """Refuse a level that is no probability."""
        if not 0 < self.confidence < 1:
            raise ProbingError(f"analysis.confidence is {self.confidence}; give a number between 0 and 1")

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
        gold = problem.labels[problem.test]
        test = score(problem.metric, gold, fit.predictions)
        low, high = score_interval(
            problem.metric, gold, fit.predictions, confidence=self.confidence, seed=experiment.seed
        )
        same = {**experiment.labels, **_counts(problem), "majority": _majority(problem)}
        whole = experiment.labels["granularity"] == "layer"
        return [
            same
            | {
                "layer": layer,
                "head": None if whole else unit,
                "dev": fit.dev[unit],
                "test": test[unit],
                "test_low": low[unit],
                "test_high": high[unit],
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
    n_train = len(problem.train)
    n_dev = {"dev": len(problem.dev), "kfold": n_train, "holdout": n_train // 10}
    return {
        "metric": problem.metric,
        "n_train": n_train,
        "n_dev": n_dev[problem.selection],
        "n_test": len(problem.test),
        "n_classes": problem.n_classes,
    }


def _majority(problem: Problem) -> float:
    """The test score of always answering the most frequent class of train."""
    most_frequent = np.bincount(problem.labels[problem.train]).argmax()
    answers = np.full((1, len(problem.test)), most_frequent)
    return float(score(problem.metric, problem.labels[problem.test], answers)[0])
