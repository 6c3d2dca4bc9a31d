"""The model inputs of a task's examples."""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.tasks.task import Task, Unit

log = logging.getLogger(__name__)


def joint_units(task: Task) -> tuple[Unit, ...]:
    """Return one input for each example; both texts of a pair go into one input, as in fine-tuning.

    Raises:
        ProbingError: If the examples are pairs of words.
    """
    if task.partners is None:
        return task.units
    if any(unit.span for unit in task.units):
        raise ProbingError(f"task {task.name}: its examples are pairs of words; use analysis=probe for them")
    return tuple(
        Unit(unit.text, second=partner.text) for unit, partner in zip(task.units, task.partners, strict=True)
    )


def with_vectors(task: Task, rows: NDArray[np.int64]) -> Task:
    """Return the examples of a task that have vectors, and log the number of others as a warning.

    Args:
        task: The task.
        rows: int64 (n,), the examples with vectors, ascending.
    """
    log.warning(
        "%d examples are dropped because their words are cut off or have no token", len(task) - len(rows)
    )
    return task.take(rows)


def refuse_without_train(task: Task, name: str) -> None:
    """Reject a task that has nothing to train on.

    Raises:
        ProbingError: Naming another objective.
    """
    if task.selection == "none":
        raise ProbingError(f"objective={name}: task {task.name} has no train examples; use objective=lm")
