"""A task's examples as batches that a classifier is trained and scored on."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.models.loading import LoadedModel
from probing.representations.encode import Encoder
from probing.statistics.folds import inner_splits
from probing.tasks.problem import Problem, pose
from probing.tasks.target import Classes, one_answer
from probing.tasks.task import Task

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Rows of a task; int64 each.

    Attributes:
        train: What is trained on.
        dev: What nothing is trained on and tells how training goes.
        test: What is scored and nothing else.
    """

    train: Rows
    dev: Rows
    test: Rows


def split(problem: Problem) -> Split:
    """The task's own splits; without one of dev, a stratified tenth of train is held out for it.

    Raises:
        ProbingError: If the task has no train or no test split.
    """
    if problem.selection in {"nested", "none"}:
        lacks = "is tested by nested folds" if problem.selection == "nested" else "has nothing to train on"
        raise ProbingError(f"the task {lacks}; fine-tuning needs a train and a test split, choose another")
    held = problem if problem.selection == "dev" else replace(problem, selection="holdout")
    train, dev = inner_splits(held)[0]
    return Split(train, dev, problem.test)


@dataclass(frozen=True)
class Examples:
    """Turns rows of a task into the arguments of `ReadOut.forward`.

    Attributes:
        task: The examples; words beyond the model's limit are left out before.
        encoder: The tokenizer, with a budget that any batch fits into.
        seed: Of held-out tenths.
    """

    task: Task
    encoder: Encoder
    seed: int

    @property
    def problem(self) -> Problem:
        """The task as it is scored."""
        return pose(self.task, self.seed)

    def __call__(self, rows: Sequence[int]) -> dict[str, Any]:
        """One batch, on the CPU, its examples in the order of the rows."""
        units = [self.task.units[row] for row in rows]
        units += [self.task.partners[row] for row in rows] if self.task.partners else []
        (batch,) = self.encoder.batches(units)
        order = torch.from_numpy(np.argsort(batch.units))  # the encoder sorts by length
        at = None if batch.texts is None else batch.texts[order]
        inputs = batch.inputs if at is not None else {k: v[order] for k, v in batch.inputs.items()}
        return {
            "inputs": inputs,
            "tokens": batch.tokens[order],
            "texts": at,
            "labels": torch.as_tensor(self._gold[list(rows)]),
        }

    @property
    def _gold(self) -> NDArray[Any]:
        target = one_answer(self.task.target, "fine-tuning", "probing, analysis=probe")
        return target.labels if isinstance(target, Classes) else target.values.astype(np.float32)


def encoder_of(loaded: LoadedModel, max_length: int | None) -> Encoder:
    """The tokenizer under the same limits as for probing, all texts of a call in one batch."""
    limits = [limit for limit in (max_length, loaded.max_length) if limit]
    arguments = frozenset(inspect.signature(loaded.model.forward).parameters)
    limit = min(limits, default=None)
    return Encoder(loaded.tokenizer, arguments, limit, token_budget=1 << 40, padding=loaded.padding)


def examples(task: Task, encoder: Encoder, seed: int) -> Examples:
    """The task's examples without those whose word lies beyond the model's limit.

    Raises:
        ProbingError: If a text has no tokens, or too little is left.
    """
    lost = {place % len(task) for batch in encoder.batches(task.all_units) for place in batch.missing}
    kept = task.take([row for row in range(len(task)) if row not in lost]) if lost else task
    return Examples(kept, encoder, seed)
