"""Examples of a task as batches for training and scoring a classifier."""

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
from probing.tasks.problem import Problem, make_problem
from probing.tasks.target import Classes, one_answer
from probing.tasks.task import Task

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Rows of a task; int64 each.

    Attributes:
        train: Rows for training.
        dev: Rows that monitor training and are not trained on.
        test: Rows that are only scored.
    """

    train: Rows
    dev: Rows
    test: Rows


def split(problem: Problem) -> Split:
    """Return the task's own splits; without dev, a stratified tenth of train is held out for it.

    Raises:
        ProbingError: If the task has no train or no test split.
    """
    if problem.selection in {"nested", "none"}:
        lacks = "is tested by nested folds" if problem.selection == "nested" else "has nothing to train on"
        raise ProbingError(f"the task {lacks}; choose a task with a train and a test split")
    held = problem if problem.selection == "dev" else replace(problem, selection="holdout")
    train, dev = inner_splits(held)[0]
    return Split(train, dev, problem.test)


@dataclass(frozen=True)
class Examples:
    """Conversion of rows of a task to the arguments of `ReadOut.forward`.

    Attributes:
        task: The examples, without words past the model's limit.
        encoder: The tokenizer, with a budget that fits any batch.
        seed: Seed of the held-out tenth.
    """

    task: Task
    encoder: Encoder
    seed: int

    @property
    def problem(self) -> Problem:
        """Problem for scoring."""
        return make_problem(self.task, self.seed)

    def __call__(self, rows: Sequence[int]) -> dict[str, Any]:
        """Return one batch on the CPU, with examples in the order of the rows."""
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
        return target.gold if isinstance(target, Classes) else target.gold.astype(np.float32)


def encoder_of(loaded: LoadedModel, max_length: int | None) -> Encoder:
    """Return the tokenizer with the same limits as for probing, and all texts of a call in one batch."""
    limits = [limit for limit in (max_length, loaded.max_length) if limit]
    arguments = frozenset(inspect.signature(loaded.model.forward).parameters)
    limit = min(limits, default=None)
    return Encoder(loaded.tokenizer, arguments, limit, token_budget=1 << 40, padding=loaded.padding)


def examples(task: Task, encoder: Encoder, seed: int) -> Examples:
    """Return the task's examples without those whose word is past the model's limit.

    Raises:
        ProbingError: If a text has no tokens, or too little is left.
    """
    lost = {place % len(task) for batch in encoder.batches(task.all_units) for place in batch.missing}
    kept = task.take([row for row in range(len(task)) if row not in lost]) if lost else task
    return Examples(kept, encoder, seed)
