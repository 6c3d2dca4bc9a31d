"""What an analysis is given, and what it must do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import pandas as pd
import torch

from probing.probes.problem import Probe
from probing.representations.reader import Representations
from probing.tasks.task import Task


@dataclass(frozen=True)
class Experiment:
    """One question to one model, with whatever an analysis may need to answer it.

    Attributes:
        labels: Columns that are the same in every row of the result: model, task, granularity, ...
        task: Units, labels and splits.
        probe: How vectors are read.
        seed: Seed of all that is random.
        device: Where to compute.
        represent: Extracts, or finds in the cache, a vector for every unit of the task.
    """

    labels: Mapping[str, object]
    task: Task
    probe: Probe
    seed: int
    device: torch.device
    represent: Callable[[], Representations]

    @cached_property
    def representations(self) -> Representations:
        """The vectors of the task's units; the model runs only if the cache lacks some."""
        return self.represent()


class Analysis(Protocol):
    """A choice in conf/analysis: a frozen dataclass that fills the result frame part by part.

    Parts are computed and kept one after the other, so that a killed run loses one part at most; no
    part may depend on another.
    """

    @property
    def name(self) -> str:
        """As on the command line, `probe`."""

    def depends_on(self, probe: Probe) -> Mapping[str, Any]:
        """The settings that the result depends on, beside model, task, vectors and seed."""

    def parts(self, experiment: Experiment) -> Sequence[int]:
        """Numbers of the parts, layers for example."""

    def run_part(self, experiment: Experiment, part: int) -> pd.DataFrame:
        """The rows of one part, in the schema of the result frame."""
