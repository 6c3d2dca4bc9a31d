"""The input of an analysis, and the protocol that it implements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.analyses.granularity import Granularity, Level
from probing.analyses.reading import Reading
from probing.objectives.objective import Evaluator, Objective
from probing.probes.contract import Probe
from probing.tasks.task import Task, Unit

if TYPE_CHECKING:
    from transformers.tokenization_utils_base import PreTrainedTokenizerBase

    from probing.models.loading import Attention
    from probing.representations.reader import Representations
    from probing.representations.reductions.statistic import Statistic

_T = TypeVar("_T")
Uses = Literal["probe", "objective", "attention", "model"]
"""Input of an analysis: vectors, an evaluator, a statistic of attention, or the model alone."""


@dataclass(frozen=True)
class Methods:
    """Probe, objective and granularity of an analysis.

    Attributes:
        probe: Probe that is fitted to vectors.
        objective: Objective by which the model is evaluated.
        granularity: Heads or layers that are read, or removed, at a time.
    """

    probe: Probe
    objective: Objective
    granularity: Granularity


class Context(Protocol):
    """Input of an analysis; everything is computed on first use."""

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
    def task(self) -> Task:
        """The task with train, dev and test; see `divided`."""

    @property
    def folder(self) -> Path:
        """Folder for files of the analysis itself, such as a pruned model."""

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The tokenizer of the model, for texts that an analysis makes."""

    def evaluator(self, attention: Attention = "sdpa") -> Evaluator:
        """Return the model made ready for the objective, with an implementation of attention."""

    def attention(self, statistic: Statistic, units: Sequence[Unit] | None = None) -> Representations:
        """Return a further statistic of attention, from the cache or the model; see `SeveralStatistics`.

        Args:
            statistic: The statistic, with its settings.
            units: The units whose attention is read, of any task; None for a statistic that the analysis
                names.
        """

    def once(self, make: Callable[[Context], _T]) -> _T:
        """Return what a function makes of this context, made on the first call and kept for all parts.

        Args:
            make: A method of the analysis, or a function of a module; a new function is called each time.
        """

    def word_vectors(self, words: Sequence[str]) -> NDArray[np.float64]:
        """Return the model's own input embeddings of words, the mean over pieces; float64 (words, d)."""

    def result(self, level: Level, draw: int | None = None, analysis: Analysis | None = None) -> pd.DataFrame:
        """Return the rows of another run on the same task and model, with answers to test items.

        Args:
            level: Granularity of the other run.
            draw: Number of the permutation of its labels; None keeps the labels.
            analysis: Analysis of the other run; None takes the present one.
        """


class Analysis(Protocol):
    """A choice in conf/analysis: a frozen dataclass that fills the result frame part by part.

    Parts are computed and kept one after the other, so that an interrupted run loses at most one part. Parts
    must not depend on each other.
    """

    @property
    def name(self) -> str:
        """Name on the command line, such as `probe`."""

    @property
    def uses(self) -> Uses:
        """Input that the analysis needs."""

    def check(self, task: Task, methods: Methods) -> None:
        """Refuse a task or settings that cannot be analysed, before anything is computed.

        Raises:
            ProbingError: If so. The message says what to choose instead.
        """

    def depends_on(self, methods: Methods) -> Mapping[str, Any]:
        """Return the settings on which the result depends, apart from model, task, vectors and seed."""

    def parts(self, context: Context) -> Sequence[int]:
        """Return the numbers of the parts, for example layers."""

    def part_name(self, context: Context, part: int) -> str:
        """Return the name of a part in the log, such as `layer 3`."""

    def run_part(self, context: Context, part: int) -> pd.DataFrame:
        """Return the rows of one part in the schema of the result frame, with answers to test items."""

    def conclude(self, context: Context, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of all parts, with the columns that depend on all of them together."""


@runtime_checkable
class AttentionAnalysis(Analysis, Protocol):
    """An analysis of a statistic of attention, which is cached as vectors are; `uses` is "attention".

    Its `context.reading.representations` hold the statistic: a row for each of `units`, read with `blocks`.
    """

    @property
    def statistic(self) -> Statistic:
        """The statistic, with its settings."""

    def units(self, task: Task) -> Sequence[Unit]:
        """Return the texts whose attention is read; repeated texts are computed once.

        Args:
            task: The task with train, dev and test.
        """


@runtime_checkable
class SeveralStatistics(AttentionAnalysis, Protocol):
    """An analysis of several statistics of attention, which one pass of the model computes.

    It reads the others with `context.attention(statistic)`.
    """

    def further(self, task: Task) -> Sequence[tuple[Statistic, Sequence[Unit]]]:
        """Return the statistics besides `statistic`, each with the units that it is read for.

        Args:
            task: The task with train, dev and test.
        """
