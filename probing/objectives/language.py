"""Language modelling: how well a model tells the tokens of the task's texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from probing.models.family import language_kind
from probing.objectives.corrupt import IGNORED, Corruption
from probing.objectives.objective import Batch, Output, Ready, Setting
from probing.tasks.task import Task, Unit
from probing.validation.ranges import InnerShare, check_ranges

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Language:
    """Judge a model by its language-model loss on the texts; labels are of no use.

    Causal models predict every token but the first; masked ones a share of the tokens, the same in every
    run and whatever the batch; encoder-decoder models the second text of a pair from the first, or else
    what was masked in a text.

    Attributes:
        share: Of the tokens of a text, how many are masked; at least one is.
    """

    share: InnerShare = 0.15

    def __post_init__(self) -> None:
        """Refuse a share that masks nothing, or everything."""
        check_ranges(self, "objective")

    @property
    def name(self) -> str:
        """As on the command line."""
        return "lm"

    @property
    def pools(self) -> bool:
        """Every token is read."""
        return False

    def check(self, task: Task) -> None:
        """Any task has texts."""

    def prepare(self, setting: Setting) -> Ready:
        """Load the model with its language-model head, and choose what it must predict."""
        from probing.objectives.items import make_batches

        loaded = setting.load("lm", setting.attention)
        kind = language_kind(loaded.model.config.to_dict())
        corruption = Corruption(loaded, self.share, setting.seed)
        seconds = _seconds(setting.task) if kind == "seq2seq" else None

        def finish(batch: Batch) -> Batch:
            if kind == "causal":
                return corruption.shifted(batch)
            if kind == "masked":
                return corruption.masked(batch)
            if seconds is not None:
                return corruption.translated(batch, [seconds[row] for row in batch.rows])
            return corruption.denoised(batch)

        units = _texts(setting.task, with_seconds=seconds is None)
        batches = make_batches(loaded, setting, setting.task, units, finish, distinct=True)
        return _Language(loaded, setting.task, batches)


class _Language(Ready):
    @property
    def metrics(self) -> tuple[str, ...]:
        """Nats for each token that is predicted, and the share of them that is right."""
        return ("loss", "accuracy")

    def run(self, batch: Batch) -> Output:
        logits: Tensor = self.forward(batch).logits
        labels = batch.extra["labels"]
        wanted = labels != IGNORED
        chosen = logits[wanted].float()  # those of other tokens, with the whole vocabulary, are never copied
        losses = cross_entropy(chosen, labels[wanted], reduction="none")
        right = (chosen.argmax(-1) == labels[wanted]).to(losses)
        rows = wanted.nonzero()[:, 0]
        zeros = torch.zeros(len(labels), dtype=losses.dtype, device=losses.device)
        return Output(zeros.index_add(0, rows, losses), zeros.index_add(0, rows, right))

    def score(
        self, rows: NDArray[np.int64], loss: NDArray[np.float64], answer: NDArray[np.float64]
    ) -> dict[str, float]:
        tokens = self.counts[rows].sum()
        return {"loss": float(loss.sum() / tokens), "accuracy": float(answer.sum() / tokens)}

    def terms(
        self, metric: str, rows: NDArray[np.int64], loss: NDArray[np.float64], answer: NDArray[np.float64]
    ) -> NDArray[np.float64] | None:
        """Losses, and how many tokens are right."""
        return loss if metric == "loss" else answer

    def lone_tokens(self, _: Batch) -> Iterator[Tensor]:
        """None: all tokens are read."""
        yield from ()


def _seconds(task: Task) -> list[str] | None:
    """The second texts of pairs, if there are any."""
    if task.partners is not None and not any(unit.span for unit in task.units):
        return [unit.text for unit in task.partners]
    seconds = [unit.second for unit in task.units]
    return None if any(second is None for second in seconds) else [str(second) for second in seconds]


def _texts(task: Task, *, with_seconds: bool) -> tuple[Unit, ...]:
    """What is read for every example: the text that it is, or stands in; of pairs of texts both."""
    partners = task.partners if task.partners is not None and with_seconds else None
    if partners is not None and not any(unit.span for unit in task.units):
        pairs = zip(task.units, partners, strict=True)
        return tuple(Unit(unit.text, second=partner.text) for unit, partner in pairs)
    return tuple(Unit(unit.text, second=unit.second if with_seconds else None) for unit in task.units)
