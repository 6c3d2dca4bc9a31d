"""The input and output of a probe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from probing.io.lazy import torch
from probing.tasks.problem import Problem
from probing.tasks.task import Features, Task


@dataclass(frozen=True)
class Fit:
    """Probes of all `u` units (heads, or one layer) that were fitted together.

    Attributes:
        dev: float64 (u,), score at the selected L2 value on dev, or its mean over inner and outer folds;
            NaN where nothing is trained.
        l2: float64 (u,), the selected L2 value, or its median over outer folds; NaN where nothing is trained.
        predictions: (u, n_test), predicted classes, int64, or scores, float64; or labels, bool (u, n_test,
            k). Rows as in `Problem.test`.
        weights: float32 (u, outputs, dim), weights of the final probe for vectors as given, or their mean
            over outer folds; (u, 0, dim) where nothing is trained or the probe is not linear. For
            several labels, the outputs are the k log-odds that an example has each label.
        bias: float32 (u, outputs).
        log_probabilities: float64 (u, n_test, k), natural logarithms of the probabilities of the k classes,
            which sum to 1 for each item; rows as in `Problem.test`. Minus infinity for a class without
            training examples. For several labels (u, n_test, k, 2): that an item lacks each label, and that
            it has it. None unless they were requested, and from probes without probabilities of
            classes: `cosine`, `ridge`, and all probes for graded scores.
    """

    dev: NDArray[np.float64]
    l2: NDArray[np.float64]
    predictions: NDArray[np.int64] | NDArray[np.float64] | NDArray[np.bool_]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    log_probabilities: NDArray[np.float64] | None = None


class Probe(Protocol):
    """Interface of a probe in conf/probe, which is a frozen dataclass of settings.

    Attributes:
        features: Combination of the vectors of a pair that the probe requires; None uses the task's.
    """

    features: ClassVar[Features | None]

    @property
    def name(self) -> str:
        """Name on the command line, such as `logistic`."""

    def check(self, task: Task) -> None:
        """Reject a task that this probe cannot handle, before any vector is extracted for it.

        Raises:
            ProbingError: Naming another probe to use.
        """

    def fit(self, vectors: torch.Tensor, problem: Problem, *, log_probabilities: bool = False) -> Fit:
        """Select the L2 value without using test, then predict test once.

        Args:
            vectors: float32 (u, n, dim), on the device to compute on; not modified.
            problem: Targets and splits of the n rows.
            log_probabilities: Whether to return log-probabilities as well, see `Fit`.
        """
