"""The input of an analysis, and the protocol that it implements."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.analyses.combine import combine
from probing.analyses.granularity import Granularity, Level
from probing.errors import ProbingError
from probing.io.lazy import torch
from probing.objectives.objective import Evaluator, Objective, ObjectiveContext
from probing.probes.contract import Probe
from probing.representations.reader import Representations
from probing.tasks.task import Features, Task, Unit

if TYPE_CHECKING:
    from probing.models.loading import Attention
    from probing.representations.reductions.statistic import Statistic

log = logging.getLogger(__name__)
Uses = Literal["probe", "objective", "attention", "model"]
"""Input of an analysis: vectors, an evaluator, a statistic of attention, or the model alone."""
# limit on the vectors of a layer held in memory at once; those of large pair tasks would not fit
GROUP_BYTES = 4 << 30


class Beside(Protocol):
    """Results of the same run spec with other settings, found or computed."""

    def __call__(
        self, unit: Level, draw: int | None = None, analysis: Analysis | None = None
    ) -> pd.DataFrame:
        """Return the rows, including the answers to test items.

        Args:
            unit: Unit of granularity.
            draw: Number of a draw by which labels are permuted; None keeps the labels.
            analysis: Another analysis to run; None keeps the analysis.
        """


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


@dataclass(frozen=True)
class Experiment:
    """Input of an analysis: a task, a model, and everything that is computed from them on demand.

    Attributes:
        labels: Columns that are the same in every row of the result: model, task, granularity, ...
        asked: The task as it was built.
        probe: Probe that is fitted to vectors.
        seed: Seed of all random choices.
        device: Device of computations.
        represent: Function that extracts a vector for every unit of the task, or finds it in the cache. For
            an analysis of attention, its result is the statistic for every text that the analysis reads.
        granularity: Heads or layers that one probe reads.
        beside: Results of the same experiment for another unit of granularity, or another analysis.
        setting: Context of an objective, given an implementation of attention.
        ready: Function that makes the evaluator, given an implementation of attention.
        folder: Folder for files of the analysis, such as a pruned model.
    """

    labels: Mapping[str, object]
    asked: Task
    probe: Probe
    seed: int
    device: torch.device
    represent: Callable[[], Representations]
    granularity: Granularity = field(default_factory=lambda: Granularity("head"))
    beside: Beside | None = None
    setting: Callable[[Attention], ObjectiveContext] | None = None
    ready: Callable[[Attention], Evaluator] | None = None
    folder: Path | None = None

    @cached_property
    def representations(self) -> Representations:
        """Vectors of the task's units; the model runs only if some are missing in the cache."""
        return self.represent()

    @property
    def dropped(self) -> int:
        """Number of examples without a vector, since their word is past the model's limit or has no token."""
        return len(self.asked) - len(self.kept)

    @cached_property
    def task(self) -> Task:
        """The task's examples that have vectors."""
        if not self.dropped:
            return self.asked
        said = f"{self.dropped} of {len(self.asked)} examples are dropped ({self._why})"
        log.warning("%s", said)
        try:
            return self.asked.take(self.kept)
        except ProbingError as error:
            raise ProbingError(f"{said}, which leaves too little: {error}") from error

    @property
    def _why(self) -> str:
        """Reasons for dropping examples; a pair with words of both kinds counts once, as cut off."""
        n = len(self.asked)
        missing, silent = self.representations.missing, self.representations.silent
        cut = np.unique(np.setdiff1d(missing, silent) % n)
        alone = np.setdiff1d(silent % n, cut)
        reasons = (
            (len(cut), "their words are past the model's limit of tokens"),
            (len(alone), "the tokenizer has no token for their words"),
        )
        there = [(number, reason) for number, reason in reasons if number]
        if len(there) == 1:
            return there[0][1]
        return ", ".join(f"{number} because {reason}" for number, reason in there)

    def head_groups(self, layer: int) -> list[list[int]]:
        """Return the heads of a layer in groups whose vectors fit into memory together."""
        heads, dim = self.representations.layout[layer]
        # the vectors that are read, and at most twice their size after combination
        bytes_of_head = 4 * dim * len(self.asked.all_units) * (1 if self.asked.partners is None else 3)
        size = max(1, GROUP_BYTES // bytes_of_head)
        return [list(range(heads))[start : start + size] for start in range(0, heads, size)]

    def vectors(
        self, layer: int, features: Features | None = None, heads: Sequence[int] | None = None
    ) -> torch.Tensor:
        """Return the vectors of one layer for the examples of `task`, with those of pairs combined.

        Args:
            layer: Number of the layer, from 0; -1 is the embeddings.
            features: Combination of pairs; None takes the task's.
            heads: Numbers of the heads; None takes all.

        Returns:
            float32 (heads, n, dim) on `device`; dim grows with the features of pairs.

        Raises:
            CorruptFileError: If the layer is damaged in the cache.
        """
        n = len(self.asked)
        read = torch.from_numpy(self.representations.layer(layer, heads))
        parts = [part if not self.dropped else part[:, self.kept] for part in torch.split(read, n, 1)]
        parts = [part.to(self.device) for part in parts]
        return parts[0] if len(parts) == 1 else combine(parts[0], parts[1], features or self.asked.features)

    @cached_property
    def kept(self) -> NDArray[np.int64]:
        """Rows of `asked` that have vectors, in ascending order; int64."""
        n = len(self.asked)
        return np.setdiff1d(np.arange(n), self.representations.missing % n)


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

    def check(self, task: Task, means: Methods) -> None:
        """Refuse a task or settings that cannot be analysed, before anything is computed.

        Raises:
            ProbingError: If so. The message says what to choose instead.
        """

    def depends_on(self, means: Methods) -> Mapping[str, Any]:
        """Return the settings on which the result depends, apart from model, task, vectors and seed."""

    def parts(self, experiment: Experiment) -> Sequence[int]:
        """Return the numbers of the parts, for example layers."""

    def part_name(self, experiment: Experiment, part: int) -> str:
        """Return the name of a part in the log, such as `layer 3`."""

    def run_part(self, experiment: Experiment, part: int) -> pd.DataFrame:
        """Return the rows of one part in the schema of the result frame, with answers to test items."""

    def conclude(self, experiment: Experiment, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of all parts, with the columns that depend on all of them together."""


@runtime_checkable
class AttentionAnalysis(Analysis, Protocol):
    """An analysis of a statistic of attention, which is cached as vectors are; `uses` is "attention".

    Its `experiment.representations` hold the statistic: a row for each of `units`, read with `blocks`.
    """

    @property
    def statistic(self) -> Statistic:
        """The statistic, with its settings."""

    def units(self, task: Task) -> Sequence[Unit]:
        """Return the texts whose attention is read; repeated texts are computed once.

        Args:
            task: The task with train, dev and test.
        """
