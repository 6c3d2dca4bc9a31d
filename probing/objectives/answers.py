"""Losses and scores of predicted classes and graded scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from probing.io.lazy import torch
from probing.objectives.objective import Batch, Evaluator
from probing.statistics.metrics import score
from probing.tasks.target import Classes
from probing.tasks.task import Task

if TYPE_CHECKING:
    from torch import Tensor

    from probing.models.loading import LoadedModel


@dataclass(frozen=True)
class Judge:
    """Losses and scores of predictions for a task.

    Attributes:
        task: The examples.
    """

    task: Task

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the task's own metric and the mean loss."""
        return (self.task.metric, "loss")

    @property
    def gold(self) -> NDArray[Any]:
        """Class or score of every example of the task."""
        return self.task.target.gold

    def finish(self, batch: Batch) -> Batch:
        """Return the batch with the classes or scores of its rows."""
        return replace(batch, extra={"gold": torch.from_numpy(self.gold[batch.rows])})

    def loss(self, outputs: Tensor, gold: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss and the prediction of every example.

        The loss is cross-entropy in nats for classes, and squared error for scores.

        Args:
            outputs: (b, classes), or (b, 1) for scores.
            gold: (b,).

        Returns:
            Loss and prediction, (b,) each.
        """
        outputs = outputs.float()
        if isinstance(self.task.target, Classes):
            return torch.nn.functional.cross_entropy(outputs, gold, reduction="none"), outputs.argmax(-1)
        answers = outputs[:, 0]
        return (answers - gold.to(answers)).square(), answers

    def score(
        self, rows: NDArray[np.int64], loss: NDArray[np.float64], answer: NDArray[np.float64]
    ) -> dict[str, float]:
        """Return scores by metric; data sets within the task are scored separately, as the task defines."""
        gold = self.gold[rows]
        given = answer.astype(gold.dtype)
        return {self.task.metric: self._over_groups(rows, given, gold), "loss": float(loss.mean())}

    def _over_groups(self, rows: NDArray[np.int64], given: NDArray[Any], gold: NDArray[Any]) -> float:
        groups = np.zeros(len(rows)) if self.task.groups is None else self.task.groups[rows]
        parts = [np.flatnonzero(groups == name) for name in np.unique(groups)]
        sizes = [len(part) if self.task.average == "weighted" else 1 for part in parts]
        scores = [_score(given[part], gold[part], self.task.metric) for part in parts]
        return float(np.average(scores, weights=sizes))


class Judged(Evaluator):
    """An evaluator whose model predicts a class or a score."""

    def __init__(self, loaded: LoadedModel, judge: Judge, batches: Mapping[str, Sequence[Batch]]) -> None:
        """Store the model and its batches; called by objectives, see `Evaluator`."""
        super().__init__(loaded, judge.task, batches)
        self.judge = judge

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the task's own metric and the mean loss."""
        return self.judge.metrics

    def score(
        self, rows: NDArray[np.int64], loss: NDArray[np.float64], answer: NDArray[np.float64]
    ) -> dict[str, float]:
        """Return scores by metric."""
        return self.judge.score(rows, loss, answer)

    def terms(
        self, metric: str, rows: NDArray[np.int64], loss: NDArray[np.float64], answer: NDArray[np.float64]
    ) -> NDArray[np.float64] | None:
        """Return losses or, for accuracy, which predictions are right."""
        if metric == "loss":
            return loss
        if metric != "accuracy" or self.task.groups is not None:
            return None
        right: NDArray[np.float64] = (answer == self.judge.gold[rows]).astype(np.float64)
        return right


def _score(given: NDArray[Any], gold: NDArray[Any], metric: str) -> float:
    return float(score(torch.from_numpy(given), torch.from_numpy(gold), metric))  # type: ignore[arg-type]
