"""Cosine similarity of two vectors without training, as SentEval scores the STS tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.io.lazy import torch
from probing.probes.contract import Fit
from probing.probes.scaling import check_finite
from probing.statistics.metrics import score
from probing.tasks.problem import Problem
from probing.tasks.target import Classes, one_answer
from probing.tasks.task import Features, Task


@dataclass(frozen=True)
class Cosine:
    """The cosine of the two vectors of each pair, 0 if one of them is zero; nothing is trained."""

    features: ClassVar[Features | None] = "concat"

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "cosine"

    def check(self, task: Task) -> None:
        """Reject classes, and examples that are not pairs of vectors; see `Probe.check`."""
        if isinstance(one_answer(task.target, "probe=cosine", "probe=logistic"), Classes):
            raise ProbingError(
                f"probe=cosine predicts graded scores, but {task.name} has classes; use probe=logistic"
            )
        if task.partners is None:
            raise ProbingError(
                f"probe=cosine compares two vectors, but {task.name} has no pairs of vectors; use probe=ridge"
            )

    def fit(self, vectors: torch.Tensor, problem: Problem, *, log_probabilities: bool = False) -> Fit:
        """Score the pairs of test, and of dev where there are any.

        Args:
            vectors: float32 (u, n, 2 dim), the two vectors of each pair side by side.
            problem: Scores and splits of the n pairs.
            log_probabilities: Has no effect: a cosine has no probability.

        Raises:
            ProbingError: If a vector contains NaN or infinity, naming its unit.
        """
        del log_probabilities
        check_finite(vectors)
        units, _, width = vectors.shape
        dev = np.full(units, np.nan)
        if len(problem.dev):
            gold = torch.from_numpy(problem.gold[problem.dev])
            dev = score(_cosines(vectors, problem.dev), gold, problem.metric).numpy()
        return Fit(
            dev=dev,
            l2=np.full(units, np.nan),
            predictions=_cosines(vectors, problem.test).numpy(),
            weights=np.zeros((units, 0, width), dtype=np.float32),
            bias=np.zeros((units, 0), dtype=np.float32),
        )


def _cosines(vectors: torch.Tensor, rows: NDArray[np.int64]) -> torch.Tensor:
    """Return the cosines of the halves of some rows, float64 (u, n), on the CPU."""
    found, index = [], torch.from_numpy(rows).to(vectors.device)
    for unit in vectors:
        pairs = unit.index_select(0, index).double()
        first, second = (half / _size(half) for half in pairs.chunk(2, 1))
        found.append(torch.linalg.vecdot(first, second).cpu())
    return torch.stack(found)


def _size(vectors: torch.Tensor) -> torch.Tensor:
    """Return lengths (n, 1), and 1 for zero vectors, so that these stay zero."""
    length = torch.linalg.vector_norm(vectors, dim=1, keepdim=True)
    return torch.where(length > 0, length, 1)
