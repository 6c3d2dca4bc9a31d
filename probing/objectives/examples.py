"""The inputs that the examples of a task are to a model that is judged."""

from __future__ import annotations

from probing.errors import ProbingError
from probing.tasks.task import Task, Unit


def joint_units(task: Task) -> tuple[Unit, ...]:
    """One input for each example; both texts of a pair go into one, as in fine-tuning.

    Raises:
        ProbingError: If the examples are pairs of words.
    """
    if task.partners is None:
        return task.units
    if any(unit.span for unit in task.units):
        raise ProbingError(f"task {task.name}: its examples are pairs of words; use analysis=probe for these")
    return tuple(
        Unit(unit.text, second=partner.text) for unit, partner in zip(task.units, task.partners, strict=True)
    )


def refuse_without_train(task: Task, name: str) -> None:
    """Refuse a task that nothing can be trained on.

    Raises:
        ProbingError: Naming another objective.
    """
    if task.selection == "none":
        raise ProbingError(f"objective={name}: task {task.name} has no train examples; use objective=lm")
