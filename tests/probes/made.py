"""Problems that are made up for tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from probing.probes.problem import Problem

Arrays = tuple[torch.Tensor, NDArray[np.int64]]


def clusters(units: int, n: int, dim: int, k: int, seed: int = 0, spread: float = 1.5) -> Arrays:
    """Gaussian classes whose features differ in mean and scale, as those of heads do."""
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(k), rng.integers(k, size=n - k)])
    rng.shuffle(labels)
    means = rng.normal(size=(units, k, dim)) * spread / np.sqrt(dim)
    mixed = rng.normal(size=(units, n, dim)) @ (np.eye(dim) + rng.normal(size=(units, dim, dim)) / dim)
    scale = np.exp(rng.normal(size=(units, 1, dim)))
    vectors = (means[:, labels] + mixed) * scale + rng.normal(size=(units, 1, dim))
    return torch.tensor(vectors, dtype=torch.float32), labels


def problem(labels: NDArray[np.int64], selection: str = "dev", **changes: object) -> Problem:
    """Three fifths of the rows for train, a fifth each for dev and test."""
    n = len(labels)
    rows = np.arange(n)
    train, dev, test = np.split(rows, [3 * n // 5, 4 * n // 5])
    if selection != "dev":
        train, dev = np.concatenate([train, dev]), dev[:0]
    made = Problem(labels, int(labels.max()) + 1, train, dev, test, selection, 4, "accuracy", 7)  # type: ignore[arg-type]
    return replace(made, **changes)  # type: ignore[arg-type]
