"""A linear classifier on the pooled last layer, for models that have no head for a task."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.io.lazy import torch
from probing.models.sites import Site
from probing.objectives.answers import Judge, Judged
from probing.objectives.objective import (
    Batch,
    Evaluator,
    ObjectiveContext,
    Output,
)
from probing.objectives.texts import joint_units, refuse_without_train, with_vectors
from probing.probes.linear import Linear
from probing.probes.logistic import Logistic
from probing.probes.ridge import Ridge
from probing.representations.reductions.pooling import Pooling, first_token, last_token, pool
from probing.tasks.problem import make_problem
from probing.tasks.target import Classes, one_answer
from probing.tasks.task import Task
from probing.validation.ranges import Penalties, check_ranges

log = logging.getLogger(__name__)
_LONE = {"first": first_token, "last": last_token}

if TYPE_CHECKING:
    from torch import Tensor

    from probing.models.loading import LoadedModel
    from probing.objectives.items import Batches


@dataclass(frozen=True)
class Readout:
    """Fit a linear classifier to the pooled last layer and evaluate the model by it; for scores, a ridge.

    The classifier is fitted on train, with L2 selected on dev, using the unmodified model's cached vectors.
    It is not changed afterwards.

    Attributes:
        l2: Candidate values.
    """

    l2: Penalties = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

    def __post_init__(self) -> None:
        """Reject values that cannot be used in a fit."""
        check_ranges(self, "objective")

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "readout"

    @property
    def pools(self) -> bool:
        """Return True, since it reads the pooled last layer."""
        return True

    def check(self, task: Task) -> None:
        """Reject a task without anything to fit a classifier to."""
        refuse_without_train(task, self.name)
        one_answer(task.target, "objective=readout", "objective=lm, or analysis=probe")
        joint_units(task)

    def prepare(self, setting: ObjectiveContext) -> Evaluator:
        """Fit the classifier."""
        from probing.models.trace import find_sites
        from probing.objectives.items import make_batches

        loaded = setting.load("read", setting.attention)
        hidden = find_sites(loaded.model).hidden
        if not hidden:
            raise ProbingError("objective=readout: the model returns no hidden states; use another objective")
        units = joint_units(setting.task)
        vectors = setting.vectors(units, hidden[-1].layer)
        there = np.flatnonzero(np.isfinite(vectors).all(1))
        task = setting.task
        if len(there) < len(task):
            task, vectors = with_vectors(task, there), vectors[there]
            units = tuple(units[row] for row in there)
        judge = Judge(task)
        batches = make_batches(loaded, setting, task, units, judge.finish)
        read = _Read(hidden[-1], setting.pooling, *self._fit(task, vectors, setting))
        return _Readout(loaded, judge, batches, read)

    def _fit(
        self, task: Task, vectors: NDArray[np.float32], setting: ObjectiveContext
    ) -> tuple[Tensor, Tensor]:
        kind: type[Linear] = Logistic if isinstance(task.target, Classes) else Ridge
        device = setting.extract.torch_device()
        fit = kind(l2=self.l2).fit(
            torch.from_numpy(vectors)[None].to(device), make_problem(task, setting.seed)
        )
        log.info("objective: readout of the last layer, L2 %g, dev %.3f", fit.l2[0], fit.dev[0])
        return torch.from_numpy(fit.weights[0]).to(device), torch.from_numpy(fit.bias[0]).to(device)


@dataclass(frozen=True)
class _Read:
    """The site, pooling and classifier of a readout; weights (outputs, dim), bias (outputs,)."""

    site: Site
    pooling: Pooling
    weights: Tensor
    bias: Tensor


class _Readout(Judged):
    def __init__(self, loaded: LoadedModel, judge: Judge, batches: Batches, read: _Read) -> None:
        super().__init__(loaded, judge, batches)
        self._read = read

    def lone_tokens(self, batch: Batch) -> Iterator[Tensor]:
        """Yield the single token that is read, if the pooling reads only one."""
        if self._read.pooling in _LONE:
            yield _LONE[self._read.pooling](batch.tokens)

    def run(self, batch: Batch) -> Output:
        from probing.models.capture import capture

        pooled: list[Tensor] = []

        def read(_: Site, states: Tensor) -> None:
            pooled.append(pool(states, batch.tokens, self._read.pooling))

        with capture(self.model, [self._read.site], read, stop_early=False):
            self.forward(batch)
        outputs = pooled[0].float() @ self._read.weights.T + self._read.bias
        return Output(*self.judge.loss(outputs, batch.extra["gold"]))
