"""Problems that are made up for tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from probing.probes.scaling import Scaling
from probing.tasks.problem import Problem
from probing.tasks.target import Classes, Scores, Target

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


def graded(units: int, n: int, dim: int, seed: int = 0, noise: float = 0.25) -> tuple[torch.Tensor, Scores]:
    """Scores of 0 to 5 that vectors tell with noise, in steps of a fifth."""
    rng = np.random.default_rng(seed)
    values = rng.integers(26, size=n) / 5
    direction = rng.normal(size=(units, 1, dim))
    vectors = (values[:, None] - 2.5) * direction / 2.5 + rng.normal(size=(units, n, dim)) * noise * dim**0.5
    scale = np.exp(rng.normal(size=(units, 1, dim)))
    return torch.tensor(vectors * scale, dtype=torch.float32), Scores(values, tuple(map(float, range(6))))


def problem(target: NDArray[np.int64] | Target, selection: str = "dev", **changes: object) -> Problem:
    """Three fifths of the rows for train, a fifth each for dev and test; all rows for nested folds."""
    if isinstance(target, np.ndarray):
        target = classes(target)
    rows = np.arange(len(target))
    train, dev, test = np.split(rows, [3 * len(rows) // 5, 4 * len(rows) // 5])
    if selection != "dev":
        train, dev = np.concatenate([train, dev]), dev[:0]
    if selection == "nested":
        train = test = rows
    metric = "accuracy" if isinstance(target, Classes) else "pearson"
    made = Problem(target, train, dev, test, selection, 4, metric, 7)  # type: ignore[arg-type]
    return replace(made, **changes)  # type: ignore[arg-type]


def classes(labels: NDArray[np.int64], k: int | None = None) -> Classes:
    """Labels whose classes are named by number."""
    return Classes(labels, tuple(map(str, range(k or int(labels.max()) + 1))))


def loss_and_gradient(
    vectors: torch.Tensor,
    target: NDArray[Any],
    weights: torch.Tensor,
    l2: tuple[float, ...],
    standardize: bool = True,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Float64 autograd on standardised vectors: the definition itself, (u, l) and (u, l, k, d).

    The target is classes (n,) or shares (n, k).
    """
    scaling = Scaling.of(vectors, standardize)
    features = scaling.apply(vectors).double()
    at = scaling.from_raw(weights).requires_grad_()
    logits = torch.einsum("uld,und->uln", at.flatten(1, 2), features).view(*at.shape[:3], -1)
    shares = torch.from_numpy(np.eye(weights.shape[2])[target] if target.ndim == 1 else target)
    data = -(torch.log_softmax(logits, 2) * shares.T).sum(2).mean(2)
    loss = data + torch.tensor(l2, dtype=torch.float64) / 2 * at[..., :-1].square().sum((2, 3))
    (gradient,) = torch.autograd.grad(loss.sum(), at)
    return loss.detach(), gradient
