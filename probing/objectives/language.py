"""Language modelling: how well a model predicts the tokens of the task's texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from probing.io.lazy import torch
from probing.models.family import language_kind
from probing.objectives.corrupt import IGNORED, Corruption
from probing.objectives.objective import Batch, Evaluator, ObjectiveContext, Output
from probing.tasks.task import Task, Unit
from probing.validation.ranges import InnerShare, check_ranges

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Language:
    """Evaluate a model by its language-model loss on the texts; labels are not used.

    Causal models predict every token but the first. Masked models predict a share of the tokens, which is the
    same in every run and for any batch size. Encoder-decoder models predict the second text of a pair from
    the first or, for single texts, the masked tokens.

    Attributes:
        share: Share of the tokens of a text that are masked; at least one is.
    """

    share: InnerShare = 0.15

    def __post_init__(self) -> None:
        """Reject a share that masks nothing or everything."""
        check_ranges(self, "objective")

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "lm"

    @property
    def pools(self) -> bool:
        """Return False, since every token is used."""
        return False

    def check(self, task: Task) -> None:
        """Accept any task, since any task has texts."""

    def prepare(self, setting: ObjectiveContext) -> Evaluator:
        """Load the model with its language-model head, and choose the tokens to predict."""
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


class _Language(Evaluator):
    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the loss in nats per predicted token, and of the share predicted correctly."""
        return ("loss", "accuracy")

    def run(self, batch: Batch) -> Output:
        logits: Tensor = self.forward(batch).logits
        labels = batch.extra["labels"]
        wanted = labels != IGNORED
        chosen = logits[wanted].float()  # logits of other tokens, over the whole vocabulary, are never copied
        losses = torch.nn.functional.cross_entropy(chosen, labels[wanted], reduction="none")
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
        """Return losses, or the numbers of tokens predicted correctly."""
        return loss if metric == "loss" else answer

    def lone_tokens(self, _: Batch) -> Iterator[Tensor]:
        """Yield nothing, since all tokens are read."""
        yield from ()


def _seconds(task: Task) -> list[str] | None:
    """Return the second texts of pairs, or None if there are none."""
    if task.partners is not None and not any(unit.span for unit in task.units):
        return [unit.text for unit in task.partners]
    seconds = [unit.second for unit in task.units]
    return None if any(second is None for second in seconds) else [str(second) for second in seconds]


def _texts(task: Task, *, with_seconds: bool) -> tuple[Unit, ...]:
    """Return the model's input for every example: its whole text, and both texts of a pair."""
    partners = task.partners if task.partners is not None and with_seconds else None
    if partners is not None and not any(unit.span for unit in task.units):
        pairs = zip(task.units, partners, strict=True)
        return tuple(Unit(unit.text, second=partner.text) for unit, partner in pairs)
    return tuple(Unit(unit.text, second=unit.second if with_seconds else None) for unit in task.units)
