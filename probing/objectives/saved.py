"""The classifier that fine-tuning saved next to a model, on the task that it was trained for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from probing.errors import ProbingError
from probing.io.lazy import torch
from probing.models.model_files import ModelFiles
from probing.models.sites import Site
from probing.objectives.answers import Judge, Judged
from probing.objectives.classifier import Classifier, OwnAnswers, order_of
from probing.objectives.objective import Batch, Evaluator, Objective, ObjectiveContext, Output
from probing.objectives.texts import with_vectors
from probing.representations.reductions.pooling import pool
from probing.tasks.task import Task

if TYPE_CHECKING:
    from torch import Tensor

    from probing.models.loading import LoadedModel
    from probing.objectives.items import Batches
    from probing.objectives.saved_head import SavedHead


@dataclass(frozen=True)
class SavedClassifier(OwnAnswers):
    """Evaluate a checkpoint of `experiments.finetune` by the predictions of its own linear layer.

    Attributes:
        digest: Digest of the files that contain the layer and its settings.
    """

    digest: str

    def check(self, task: Task) -> None:
        """Reject several labels, and pairs, whose vectors come from two inputs: an objective has one."""
        super().check(task)
        if task.partners is not None:
            raise ProbingError(
                f"objective=classifier: the two texts of an example of task {task.name} are read separately; "
                "fine-tune with task.pair=joint, or use objective=readout"
            )

    def prepare(self, setting: ObjectiveContext) -> Evaluator:
        """Load the model and its classifier, and match its classes to the task's."""
        from probing.objectives.items import make_batches
        from probing.objectives.saved_head import read_saved_head

        loaded = setting.load("read", setting.attention)
        assert loaded.folder is not None
        head = read_saved_head(loaded.folder)
        if head.pairs:
            raise ProbingError(
                f"{loaded.folder}: its classifier reads the texts of a pair separately; use objective=readout"
            )
        limits = [limit for limit in (loaded.max_length, head.max_length) if limit]
        loaded = replace(loaded, max_length=min(limits, default=None))
        task = setting.task
        order = order_of(head.classes, task)
        batches = make_batches(loaded, setting, task, task.units, Judge(task).finish)
        there = sorted(row for split in batches.values() for batch in split for row in batch.rows.tolist())
        if len(there) < len(task):
            task = with_vectors(task, np.array(there))
            batches = make_batches(loaded, setting, task, task.units, Judge(task).finish)
        return _Saved(loaded, Judge(task), batches, _Reading.of(loaded, head, order))


@dataclass(frozen=True)
class _Reading:
    """The sites of a model that a classifier reads.

    Attributes:
        head: The classifier as it was saved.
        sites: The site at which each layer is read.
        weights: float32 (outputs, width), outputs in the order of the task's classes.
        bias: float32 (outputs,).
    """

    head: SavedHead
    sites: Mapping[int, Site]
    weights: Tensor
    bias: Tensor

    @classmethod
    def of(cls, loaded: LoadedModel, head: SavedHead, order: list[int]) -> _Reading:
        """Find the sites that the classifier reads.

        Raises:
            ProbingError: If the model does not have them.
        """
        from probing.models.trace import find_sites

        sites = {site.layer: site for site in find_sites(loaded.model).read(head.site)}
        wanted = {layer: sites.get(layer) for layer, _ in head.places}
        there = {layer: site for layer, site in wanted.items() if site is not None}
        width = sum(there[layer].head_dim for layer, _ in head.places if layer in there)
        if len(there) < len(wanted) or width != head.weights.shape[1]:
            raise ProbingError(
                f"{loaded.folder}: its classifier was trained on another model; train it again"
            )
        device = loaded.model.device
        rows = torch.tensor(order)
        return cls(head, there, head.weights[rows].float().to(device), head.bias[rows].float().to(device))


class _Saved(Judged):
    def __init__(self, loaded: LoadedModel, judge: Judge, batches: Batches, reading: _Reading) -> None:
        super().__init__(loaded, judge, batches)
        self._reading = reading

    @property
    def reads_heads(self) -> bool:
        """Return whether the classifier reads single heads."""
        return self._reading.head.site == "head"

    def lone_tokens(self, batch: Batch) -> Iterator[Tensor]:
        """Yield nothing, since the classifier may read layers below the last."""
        yield from ()

    def run(self, batch: Batch) -> Output:
        from probing.models.capture import capture

        reading = self._reading
        pooled: dict[int, Tensor] = {}

        def read(site: Site, states: Tensor) -> None:
            states = states if states.dim() == 4 else states.unsqueeze(2)
            pooled[site.layer] = pool(states, batch.tokens, reading.head.pooling)

        with capture(self.model, list(reading.sites.values()), read, stop_early=False):
            self.forward(batch)
        together = torch.cat([pooled[layer][:, head] for layer, head in reading.head.places], 1)
        outputs = together.float() @ reading.weights.T + reading.bias
        return Output(*self.judge.loss(outputs, batch.extra["gold"]))


def with_saved_head(objective: Objective, files: ModelFiles) -> Objective:
    """Return the same objective, or the saved classifier in place of `classifier` if there is one."""
    if not isinstance(objective, Classifier) or not files.config.pretrained:
        return objective
    from probing.objectives.saved_head import saved_head_identity

    found = saved_head_identity(files.folder)
    return objective if found is None else SavedClassifier(found)
