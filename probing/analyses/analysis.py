"""What an analysis is given, and what it must do."""

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
"""Vectors for a probe, an objective for the model, a statistic of its attention, or the model alone."""
# vectors of one layer that are in memory at a time; those of large pair tasks would not fit
GROUP_BYTES = 4 << 30


class Beside(Protocol):
    """The same question answered in another way, found or computed."""

    def __call__(
        self, unit: Level, draw: int | None = None, analysis: Analysis | None = None
    ) -> pd.DataFrame:
        """The rows, answers to test items included.

        Args:
            unit: Of granularity.
            draw: If given, on labels that are permuted by a draw of that number.
            analysis: If it is another one.
        """


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


@dataclass(frozen=True)
class Experiment:
    """One question to one model, with whatever an analysis may need to answer it.

    Attributes:
        labels: Columns that are the same in every row of the result: model, task, granularity, ...
        asked: The task as it was built.
        probe: How vectors are read.
        seed: Seed of all that is random.
        device: Where to compute.
        represent: Extracts, or finds in the cache, a vector for every unit of the task; for an analysis of
            attention its statistic for every text that it reads.
        granularity: What one probe reads.
        beside: The same experiment for another unit of granularity, or another analysis.
        setting: What an objective is given, for an implementation of attention.
        ready: Makes the model ready to be judged by the objective, running an implementation of attention.
        folder: Where an analysis may keep files of its own, such as a pruned model.
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
        """The vectors of the task's units; the model runs only if the cache lacks some."""
        return self.represent()

    @property
    def dropped(self) -> int:
        """Examples without a vector, since their word lies beyond the model's limit or has no token."""
        return len(self.asked) - len(self.kept)

    @cached_property
    def task(self) -> Task:
        """The task's examples that have vectors."""
        if not self.dropped:
            return self.asked
        said = f"{self.dropped} of {len(self.asked)} examples are dropped: {self._why}"
        log.warning("%s", said)
        try:
            return self.asked.take(self.kept)
        except ProbingError as error:
            raise ProbingError(f"{said}, which leaves too little: {error}") from error

    @property
    def _why(self) -> str:
        """The reasons for dropping examples; a pair with a word of either kind counts once, as cut off."""
        n = len(self.asked)
        missing, silent = self.representations.missing, self.representations.silent
        cut = np.unique(np.setdiff1d(missing, silent) % n)
        alone = np.setdiff1d(silent % n, cut)
        reasons = (
            (len(cut), "their words lie beyond the model's limit of tokens"),
            (len(alone), "the tokenizer has no token for their words"),
        )
        there = [(number, reason) for number, reason in reasons if number]
        if len(there) == 1:
            return there[0][1]
        return ", ".join(f"of {number} {reason}" for number, reason in there)

    def head_groups(self, layer: int) -> list[list[int]]:
        """The heads of a layer, in groups whose vectors fit into memory together."""
        heads, dim = self.representations.layout[layer]
        # what is read, and at most twice that put together
        bytes_of_head = 4 * dim * len(self.asked.all_units) * (1 if self.asked.partners is None else 3)
        size = max(1, GROUP_BYTES // bytes_of_head)
        return [list(range(heads))[start : start + size] for start in range(0, heads, size)]

    def vectors(
        self, layer: int, features: Features | None = None, heads: Sequence[int] | None = None
    ) -> torch.Tensor:
        """The vectors of one layer for the examples of `task`, those of pairs put together.

        Args:
            layer: From 0; -1 is the embeddings.
            features: How pairs are put together, if not as the task says.
            heads: Which heads; None for all.

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
        """Rows of `asked` that have vectors, ascending; int64."""
        n = len(self.asked)
        return np.setdiff1d(np.arange(n), self.representations.missing % n)


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

    def parts(self, experiment: Experiment) -> Sequence[int]:
        """Numbers of the parts, layers for example."""

    def part_name(self, experiment: Experiment, part: int) -> str:
        """What a part is called in the log, `layer 3`."""

    def run_part(self, experiment: Experiment, part: int) -> pd.DataFrame:
        """The rows of one part, in the schema of the result frame; answers to test items beside them."""

    def conclude(self, experiment: Experiment, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of all parts with what can be said only of all of them together."""


@runtime_checkable
class AttentionAnalysis(Analysis, Protocol):
    """An analysis of a statistic of attention, which is cached as vectors are; `uses` is "attention".

    Its `experiment.representations` hold the statistic: a row for each of `units`, read with `blocks`.
    """

    @property
    def statistic(self) -> Statistic:
        """The statistic, with its settings."""

    def units(self, task: Task) -> Sequence[Unit]:
        """Return the texts whose attention is read; one that comes several times is computed once.

        Args:
            task: The task with train, dev and test.
        """
