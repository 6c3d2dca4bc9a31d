"""A sequence-classification checkpoint on the task that it was trained for."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probing.errors import ProbingError
from probing.io.lazy import torch
from probing.objectives.answers import Judge, Judged
from probing.objectives.objective import Batch, Evaluator, ObjectiveContext, Output
from probing.objectives.texts import joint_units
from probing.tasks.target import Classes, one_answer
from probing.tasks.task import Task

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

    from probing.models.loading import LoadedModel
    from probing.objectives.items import Batches


class OwnAnswers:
    """Common part of the objectives that use a checkpoint's own predictions."""

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "classifier"

    @property
    def pools(self) -> bool:
        """Return False, since the checkpoint pools by itself."""
        return False

    def check(self, task: Task) -> None:
        """Reject several labels: a checkpoint gives one answer for each example."""
        one_answer(task.target, "objective=classifier", "objective=lm, or analysis=probe")


@dataclass(frozen=True)
class Classifier(OwnAnswers):
    """Evaluate a checkpoint such as `BertForSequenceClassification` by its own predictions."""

    def check(self, task: Task) -> None:
        """Reject several labels, and words: such a checkpoint gives one answer for a whole text."""
        super().check(task)
        if any(unit.span for unit in task.units):
            raise ProbingError(
                f"objective=classifier: the examples of task {task.name} are words; use objective=readout"
            )

    def prepare(self, setting: ObjectiveContext) -> Evaluator:
        """Load the checkpoint, and match its labels to the task's."""
        from probing.objectives.items import make_batches

        loaded = setting.load("classify", setting.attention)
        judge = Judge(setting.task)
        units = joint_units(setting.task)
        batches = make_batches(loaded, setting, setting.task, units, judge.finish)
        return _Classifier(loaded, judge, batches, label_order(loaded.model.config, setting.task))


class _Classifier(Judged):
    def __init__(self, loaded: LoadedModel, judge: Judge, batches: Batches, order: list[int]) -> None:
        super().__init__(loaded, judge, batches)
        self._order = torch.tensor(order, device=loaded.model.device)

    def run(self, batch: Batch) -> Output:
        logits = self.forward(batch).logits[:, self._order]
        return Output(*self.judge.loss(logits, batch.extra["gold"]))


def label_order(config: PreTrainedConfig, task: Task) -> list[int]:
    """Return the output of the checkpoint that corresponds to each class of the task.

    Raises:
        ProbingError: If the labels differ.
    """
    names = {int(number): str(name) for number, name in dict(config.id2label or {}).items()}
    if not isinstance(task.target, Classes) and len(names) == 1:
        return [0]
    return order_of([names[number] for number in sorted(names)], task)


def order_of(names: Sequence[str] | None, task: Task) -> list[int]:
    """Return the output that corresponds to each class of the task.

    Args:
        names: Names of the outputs; None for a single output that is a score.
        task: The task.

    Raises:
        ProbingError: If the labels differ.
    """
    target = task.target
    if names is None and not isinstance(target, Classes):
        return [0]
    if names is None or not isinstance(target, Classes):
        has, asks = ("scores", "classes") if names is None else (f"{len(names)} classes", "scores")
        raise ProbingError(f"the model predicts {has}, but task {task.name} has {asks}")
    if len(names) != len(target.names):
        raise ProbingError(
            f"the model has {len(names)} classes, but task {task.name} has {len(target.names)}; use a "
            "checkpoint that was trained on it, or objective=readout"
        )
    place = {name.lower(): number for number, name in enumerate(names)}
    wanted = [name.lower() for name in target.names]
    if set(wanted) == set(place) and len(place) == len(names):
        return [place[name] for name in wanted]
    if all(name == f"label_{number}" for name, number in place.items()):
        log.warning("the model does not name its classes; assuming the order %s", ", ".join(target.names))
        return list(range(len(names)))
    raise ProbingError(
        f"the model's classes are {', '.join(names)}, but those of task {task.name} are "
        f"{', '.join(target.names)}; rename id2label in its config.json"
    )
