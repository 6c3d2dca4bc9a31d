"""What crosses the boundary to and from a probe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from probing.tasks.task import Metric, Selection


@dataclass(frozen=True)
class Problem:
    """One classification problem, asked of every head of a layer at once.

    Attributes:
        labels: int64 (n,), class indices below `n_classes`.
        n_classes: Number of classes.
        train: int64 row indices of the training examples.
        dev: int64 row indices of the dev examples; empty unless `selection` is "dev".
        test: int64 row indices of the test examples.
        selection: Where the L2 value is chosen: on `dev`, by `folds`-fold cross-validation on train, or
            on a stratified tenth of train.
        folds: Number of folds of `selection="kfold"`.
        metric: The score that is maximised on dev.
        seed: Seeds fold assignment, initialisation and shuffling.
    """

    labels: NDArray[np.int64]
    n_classes: int
    train: NDArray[np.int64]
    dev: NDArray[np.int64]
    test: NDArray[np.int64]
    selection: Selection
    folds: int
    metric: Metric
    seed: int


@dataclass(frozen=True)
class Fit:
    """Probes of all `u` units (heads, or one layer) that were fitted together.

    Attributes:
        dev: float64 (u,), score at the chosen L2 value: on dev, or its mean over folds; a fraction.
        l2: float64 (u,), the chosen L2 value.
        predictions: int64 (u, n_test), predicted classes, rows as in `Problem.test`.
        weights: float32 (u, n_classes, dim), of the final probe, for vectors as they were given.
        bias: float32 (u, n_classes).
    """

    dev: NDArray[np.float64]
    l2: NDArray[np.float64]
    predictions: NDArray[np.int64]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]


class Probe(Protocol):
    """A choice in conf/probe: a frozen dataclass of settings with one method."""

    @property
    def name(self) -> str:
        """As on the command line, `logistic`."""

    def fit(self, vectors: torch.Tensor, problem: Problem) -> Fit:
        """Choose the L2 value without looking at test, then predict test once.

        Args:
            vectors: float32 (u, n, dim), on the device where the work shall be done; not modified.
            problem: Labels and splits of the n rows.
        """
