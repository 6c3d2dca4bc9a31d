"""The choice of L2 without a look at test, for any way to fit all L2 values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.probes.metrics import score
from probing.probes.problem import Fit, Problem
from probing.probes.scaling import check_finite
from probing.probes.splits import inner_splits

# logits of one chunk of predictions
CHUNK_BYTES = 256 << 20
# what the training of one group of units may hold
GROUP_BYTES = 4 << 30


class Trainer(Protocol):
    """Fits every L2 value for every unit."""

    def __call__(
        self, vectors: torch.Tensor, labels: torch.Tensor, n_classes: int, start: torch.Tensor | None
    ) -> torch.Tensor:
        """Weights for vectors as given, the bias last; float64 (u, l, k, dim + 1).

        Args:
            vectors: float32 (u, n, dim).
            labels: int64 (n,); every class below `n_classes` has a row.
            n_classes: k.
            start: Weights of a similar problem to start from, or None.
        """


def fit_and_choose(train: Trainer, l2: Sequence[float], vectors: torch.Tensor, problem: Problem) -> Fit:
    """Fit on all of train, choose L2 on dev, folds or a held-out tenth, then predict test once.

    Among equal scores the stronger regularisation wins. Large batches are fitted group by group.

    Args:
        train: Fits all L2 values.
        l2: The values.
        vectors: float32 (u, n, dim).
        problem: Labels and splits of the n rows.

    Raises:
        ProbingError: If a vector holds NaN or infinity.
    """
    check_finite(vectors)
    numbers = len(problem.train) * (vectors.shape[2] + 1)
    weights = len(l2) * problem.n_classes * (vectors.shape[2] + 1)
    size = max(1, GROUP_BYTES // (12 * numbers + 320 * weights))
    groups = [_fit_group(train, l2, part, problem) for part in torch.split(vectors, size)]
    return groups[0] if len(groups) == 1 else _join(groups)


def _fit_group(train: Trainer, l2: Sequence[float], vectors: torch.Tensor, problem: Problem) -> Fit:
    device = vectors.device
    labels = torch.from_numpy(problem.labels).to(device)
    final = _train(train, vectors, labels, problem.train, problem.n_classes)
    scores = []
    for fit, held in inner_splits(problem):
        same = len(fit) == len(problem.train)
        weights = final if same else _train(train, vectors, labels, fit, problem.n_classes, final)
        guesses = predict(weights, _rows(vectors, held))
        scores.append(score(guesses, _rows(labels, held, 0), problem.n_classes, problem.metric))
    best, dev = choose(torch.stack(scores).mean(0), l2)
    chosen = final[torch.arange(len(final), device=device), best].unsqueeze(1)
    return Fit(
        dev=dev.cpu().numpy(),
        l2=np.asarray(l2, dtype=np.float64)[best.cpu().numpy()],
        predictions=predict(chosen, _rows(vectors, problem.test))[:, 0].cpu().numpy(),
        weights=chosen[:, 0, :, :-1].float().cpu().numpy(),
        bias=chosen[:, 0, :, -1].float().cpu().numpy(),
    )


def choose(scores: torch.Tensor, l2: Sequence[float]) -> tuple[torch.Tensor, torch.Tensor]:
    """Index of the best L2 value of each unit, the strongest among equals, and its score.

    Args:
        scores: float64 (u, l).
        l2: The l values.
    """
    order = torch.tensor(np.argsort(-np.asarray(l2), kind="stable"), device=scores.device)
    # means of the same fold scores in another order may differ in the last bit
    ranked = scores.round(decimals=12)[:, order]
    first = (ranked == ranked.amax(1, keepdim=True)).int().argmax(1)
    best = order[first]
    return best, scores.gather(1, best.unsqueeze(1)).squeeze(1)


def predict(weights: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
    """The class with the largest logit, in float64 so that no scale of vectors blurs it.

    Args:
        weights: float64 (u, l, k, dim + 1), the bias last.
        vectors: float32 (u, n, dim).

    Returns:
        int64 (u, l, n).
    """
    units, values, k, _ = weights.shape
    flat = weights.flatten(1, 2)
    step = max(1, CHUNK_BYTES // (8 * units * values * k))
    parts = []
    for rows in torch.split(vectors, step, 1):
        logits = torch.baddbmm(flat[..., -1:], flat[..., :-1], rows.double().mT)
        parts.append(logits.view(units, values, k, -1).argmax(2))
    return torch.cat(parts, 2)


def check_settings(l2: Sequence[float], **positive: float) -> None:
    """Refuse settings that no fit could use.

    Raises:
        ProbingError: Naming the setting as it is written on the command line.
    """
    if not l2 or any(not 0 < value < float("inf") for value in l2) or len(set(l2)) < len(l2):
        raise ProbingError(f"probe.l2 is {list(l2)}; give one or more different positive numbers")
    for name, value in positive.items():
        if not 0 < value < float("inf"):
            raise ProbingError(f"probe.{name} is {value}; give a positive number")


def _train(
    train: Trainer,
    vectors: torch.Tensor,
    labels: torch.Tensor,
    rows: NDArray[np.int64],
    n_classes: int,
    start: torch.Tensor | None = None,
) -> torch.Tensor:
    """Fit on some rows; a class without any gets weight 0 and bias −∞, as the optimum has it."""
    seen, target = torch.unique(_rows(labels, rows, 0), return_inverse=True)
    part = None if start is None else start[:, :, seen]
    weights = train(_rows(vectors, rows), target, len(seen), part)
    if len(seen) == n_classes:
        return weights
    full = weights.new_zeros(*weights.shape[:2], n_classes, weights.shape[3])
    full[..., -1] = -torch.inf
    full[:, :, seen] = weights
    return full


def _rows(values: torch.Tensor, rows: NDArray[np.int64], dim: int = 1) -> torch.Tensor:
    return values.index_select(dim, torch.from_numpy(np.asarray(rows, dtype=np.int64)).to(values.device))


def _join(fits: list[Fit]) -> Fit:
    names = ("dev", "l2", "predictions", "weights", "bias")
    return Fit(**{name: np.concatenate([getattr(fit, name) for fit in fits]) for name in names})
