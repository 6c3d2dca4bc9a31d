"""Selection among L2 values without using test, and prediction with linear probes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from probing.errors import ProbingError
from probing.io.lazy import torch
from probing.probes.coding import largest
from probing.tasks.task import Selection

# bytes of the logits of one chunk of predictions
CHUNK_BYTES = 256 << 20


def choose(scores: torch.Tensor, l2: Sequence[float]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the index of the best L2 value of each unit, the strongest among equals, and its score.

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


def predict(
    weights: torch.Tensor, vectors: torch.Tensor, read: Callable[[torch.Tensor], torch.Tensor] = largest
) -> torch.Tensor:
    """Return the predictions of linear probes, in float64 so that the scale of vectors does not matter.

    Args:
        weights: float64 (u, l, k, dim + 1), the bias last.
        vectors: float32 (u, n, dim).
        read: Turns outputs (u, l, k, n) into predictions (u, l, n), see `Coding.read`; by default the
            largest. It may also return log-probabilities (u, l, n, k).

    Returns:
        (u, l, n): classes, int64, or scores, float64; or the log-probabilities that `read` returns.
    """
    units, values, k, _ = weights.shape
    flat = weights.flatten(1, 2)
    step = max(1, CHUNK_BYTES // (8 * units * values * k))
    parts = []
    for rows in torch.split(vectors, step, 1):
        outputs = torch.baddbmm(flat[..., -1:], flat[..., :-1], rows.double().mT)
        parts.append(read(outputs.view(units, values, k, -1)))
    return torch.cat(parts, 2)


def check_trains(selection: Selection) -> None:
    """Reject a task that has nothing to train on.

    Raises:
        ProbingError: Naming the probe that needs no training.
    """
    if selection == "none":
        raise ProbingError("the task has no train examples; use probe=cosine")
