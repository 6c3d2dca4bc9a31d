"""A model without task or tokenizer as something that can be judged: its states against fixed directions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedModel

from probing.models.loading import LoadedModel
from probing.objectives.objective import Batch, Evaluator, Output
from probing.tasks.target import Classes
from probing.tasks.task import Task, Unit


class Bare(Evaluator):
    """The loss of a row is a random linear function of its states, of real tokens only.

    Attributes:
        read: Which positions of a row are read, `all` real ones or the `first`.
    """

    def __init__(
        self, model: PreTrainedModel, inputs: Sequence[dict[str, Tensor]], read: str = "all"
    ) -> None:
        sizes = [_length(each) for each in inputs]
        starts = np.cumsum([0, *(rows for rows, _ in sizes)])
        batches = []
        for each, start, (rows, length) in zip(inputs, starts, sizes, strict=False):
            mask = each.get("attention_mask", torch.ones(rows, length))
            batches.append(Batch(each, np.arange(start, start + rows), mask.bool(), np.ones(rows)))
        count = int(starts[-1])
        task = Task(
            "bare",
            tuple(Unit(f"text {row}") for row in range(count)),
            Classes(np.arange(count) % 2, ("even", "odd")),
            np.array(["test"] * count),
            selection="none",
        )
        tokenizer: Any = None
        super().__init__(LoadedModel(model, tokenizer, None), task, {"dev": batches, "test": batches})
        self.read = read

    @property
    def metrics(self) -> tuple[str, ...]:
        return ("loss",)

    def run(self, batch: Batch) -> Output:
        torch.manual_seed(0)
        output = self.forward(batch)
        states = output[0] if getattr(output, "last_hidden_state", None) is None else output.last_hidden_state
        flat = states.reshape(len(states), -1, states.shape[-1])
        draw = torch.Generator().manual_seed(1)
        directions = torch.randn(states.shape[-1], generator=draw).to(states)
        told = flat @ directions
        if self.read == "first":
            told = told[:, :1]
        elif told.shape[1] == batch.tokens.shape[1]:
            told = told * batch.tokens
        loss = told.square().mean(1)
        return Output(loss, loss)

    def score(
        self, rows: NDArray[np.int64], loss: NDArray[np.float64], answer: NDArray[np.float64]
    ) -> dict[str, float]:
        return {"loss": float(loss.mean())}

    def terms(
        self, metric: str, rows: NDArray[np.int64], loss: NDArray[np.float64], answer: NDArray[np.float64]
    ) -> NDArray[np.float64] | None:
        return loss


def _length(inputs: dict[str, Tensor]) -> tuple[int, int]:
    first = next(iter(inputs.values()))
    return len(first), first.shape[1] if first.ndim == 2 else 1
