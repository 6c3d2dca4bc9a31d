"""A linear classifier on the pooled last layer: for models that have no head for a task."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from probing.analyses.pose import pose
from probing.errors import ProbingError
from probing.models.capture import capture
from probing.models.sites import Site
from probing.models.trace import find_sites
from probing.objectives.answers import Judge
from probing.objectives.items import make_batches
from probing.objectives.objective import (
    Batch,
    Output,
    Ready,
    Setting,
    joint_units,
    refuse_without_train,
)
from probing.probes.linear import Linear
from probing.probes.logistic import Logistic
from probing.probes.ridge import Ridge
from probing.representations.pooling import pool
from probing.tasks.target import Classes
from probing.tasks.task import Task

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Readout:
    """Fit a linear classifier to the pooled last layer (of scores ridge regression), and judge the model by it.

    The classifier is fitted on train, its L2 chosen on dev, by the unmodified model's cached vectors; after
    that it stays as it is.

    Attributes:
        l2: Values to choose from.
    """

    l2: tuple[float, ...] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

    @property
    def name(self) -> str:
        """As on the command line."""
        return "readout"

    @property
    def pools(self) -> bool:
        """It reads the pooled last layer."""
        return True

    def check(self, task: Task) -> None:
        """Refuse a task that no classifier can be fitted to."""
        refuse_without_train(task, self.name)
        joint_units(task)

    def prepare(self, setting: Setting) -> Ready:
        """Fit the classifier."""
        loaded = setting.load("read", setting.attention)
        hidden = find_sites(loaded.model).hidden
        if not hidden:
            raise ProbingError("objective=readout: the model gives no hidden states; use another objective")
        units = joint_units(setting.task)
        vectors = setting.vectors(units, hidden[-1].layer)
        there = np.flatnonzero(np.isfinite(vectors).all(1))
        task = setting.task
        if len(there) < len(task):
            log.warning("%d examples are dropped: their words are cut off", len(task) - len(there))
            task, vectors = task.take(there), vectors[there]
            units = tuple(units[row] for row in there)
        weights, bias = self._fit(task, vectors, setting)
        batches = make_batches(loaded, setting, task, units, _with_gold(Judge(task)))
        return _Readout(loaded.model, task, batches, hidden[-1], setting.pooling, (weights, bias))

    def _fit(self, task: Task, vectors: NDArray[np.float32], setting: Setting) -> tuple[Tensor, Tensor]:
        kind: type[Linear] = Logistic if isinstance(task.target, Classes) else Ridge
        device = setting.extract.torch_device()
        # the embedded model is not at fault for how data sets are averaged
        problem = pose(replace(task, partners=None), setting.seed)
        fit = kind(l2=self.l2).fit(torch.from_numpy(vectors)[None].to(device), problem)
        log.info("objective: readout of the last layer, L2 %g, dev %.3f", fit.l2[0], fit.dev[0])
        return torch.from_numpy(fit.weights[0]).to(device), torch.from_numpy(fit.bias[0]).to(device)


class _Readout(Ready):
    def __init__(
        self,
        model: torch.nn.Module,
        task: Task,
        batches: dict[str, list[Batch]],
        site: Site,
        pooling: str,
        linear: tuple[Tensor, Tensor],
    ) -> None:
        super().__init__(model, task, batches)
        self._site = site
        self._pooling = pooling
        self._linear = linear
        self._judge = Judge(task)

    @property
    def metrics(self) -> tuple[str, ...]:
        return self._judge.metrics

    def run(self, batch: Batch) -> Output:
        pooled: list[Tensor] = []

        def read(_: Site, states: Tensor) -> None:
            pooled.append(pool(states, batch.tokens, self._pooling))

        with capture(self.model, [self._site], read, stop_early=False):
            self.forward(batch)
        weights, bias = self._linear
        loss, answer = self._judge.loss(pooled[0].float() @ weights.T + bias, batch.extra["gold"])
        return Output(loss, answer)

    def score(
        self, rows: NDArray[np.int64], loss: NDArray[np.float64], answer: NDArray[np.float64]
    ) -> dict[str, float]:
        return self._judge.score(rows, loss, answer)


def _with_gold(judge: Judge):
    def finish(batch: Batch) -> Batch:
        return replace(batch, extra={"gold": judge.gold_of(batch.rows)})

    return finish
