"""What an analysis is given, and what it must do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import pandas as pd

from probing.analyses.granularity import Granularity, Level
from probing.analyses.reading import Reading
from probing.objectives.objective import Evaluator, Objective
from probing.probes.contract import Probe
from probing.tasks.task import Task, Unit

if TYPE_CHECKING:
    from probing.models.loading import Attention
    from probing.representations.reductions.statistic import Statistic

Uses = Literal["probe", "objective", "attention", "model"]
"""Vectors for a probe, an objective for the model, a statistic of its attention, or the model alone."""


@dataclass(frozen=True)
class Methods:
    """With what an analysis may answer.

    Attributes:
        probe: How vectors are read.
        objective: What the model is used for.
        granularity: What is read, or taken away, at a time.
    """

    probe: Probe
    objective: Objective
    granularity: Granularity


class Context(Protocol):
    """Everything that an analysis may ask for; nothing is computed before it is asked for."""

    @property
    def labels(self) -> Mapping[str, object]:
        """Columns that are the same in every row of the result: model, task, granularity, ..."""

    @property
    def methods(self) -> Methods:
        """The probe, the objective and the granularity."""

    @property
    def seed(self) -> int:
        """Seed of everything random."""

    @property
    def reading(self) -> Reading:
        """The task with its vectors."""

    @property
    def folder(self) -> Path:
        """Folder for files of the analysis itself, such as a pruned model."""

    def evaluator(self, attention: Attention = "sdpa") -> Evaluator:
        """Return the model made ready for the objective, with an implementation of attention."""

    def result(self, level: Level, draw: int | None = None, analysis: Analysis | None = None) -> pd.DataFrame:
        """Return the rows of another run on the same task and model, with answers to test items.

        Args:
            level: Granularity of the other run.
            draw: Number of the permutation of its labels; None leaves them as they are.
            analysis: Its analysis; None takes the present one.
        """


class Analysis(Protocol):
    """A choice in conf/analysis: a frozen dataclass that fills the result frame part by part.

    Parts are computed and kept one after the other, so that a killed run loses one part at most; no
    part may depend on another.
    """

    @property
    def name(self) -> str:
        """As on the command line, `probe`."""

    @property
    def uses(self) -> Uses:
        """What it needs beside the model."""

    def check(self, task: Task, means: Methods) -> None:
        """Refuse what cannot be analysed, before anything is computed for it.

        Raises:
            ProbingError: Saying what to choose instead.
        """

    def depends_on(self, means: Methods) -> Mapping[str, Any]:
        """The settings that the result depends on, beside model, task, vectors and seed."""

    def parts(self, context: Context) -> Sequence[int]:
        """Numbers of the parts, layers for example."""

    def part_name(self, context: Context, part: int) -> str:
        """What a part is called in the log, `layer 3`."""

    def run_part(self, context: Context, part: int) -> pd.DataFrame:
        """The rows of one part, in the schema of the result frame; answers to test items beside them."""

    def conclude(self, context: Context, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of all parts with what can be said only of all of them together."""


@runtime_checkable
class AttentionAnalysis(Analysis, Protocol):
    """An analysis of a statistic of attention, which is cached as vectors are; `uses` is "attention".

    Its `context.reading.representations` hold the statistic: a row for each of `units`, read with `blocks`.
    """

    @property
    def statistic(self) -> Statistic:
        """The statistic, with its settings."""

    def units(self, task: Task) -> Sequence[Unit]:
        """Return the texts whose attention is read; one that comes several times is computed once.

        Args:
            task: The task with train, dev and test.
        """
