"""The input and the interface of an objective."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from probing.io.lazy import torch
from probing.models.heads import Heads
from probing.representations.reductions.pooling import Pooling, first_token, last_token
from probing.representations.settings import ExtractConfig
from probing.tasks.task import Task, Unit

if TYPE_CHECKING:  # a cached answer needs neither the model nor the library that runs it
    from torch import Tensor

    from probing.models.loading import Attention, LoadedModel, Purpose


@dataclass(frozen=True)
class ObjectiveContext:
    """Everything that an objective may need to prepare an evaluator.

    Attributes:
        task: The task, with train, dev and test.
        load: Loads the model for a purpose.
        extract: Device, batches and length limit.
        pooling: Pooling of the tokens of a text into one vector.
        vectors: Returns cached vectors of a layer (hidden states) for some units, float32 (n, dim), NaN where
            a word is beyond the model's limit.
        seed: Seed of everything random.
        attention: Attention implementation that the model runs.
    """

    task: Task
    load: Callable[[Purpose, Attention], LoadedModel]
    extract: ExtractConfig
    pooling: Pooling
    vectors: Callable[[Sequence[Unit], int], NDArray[np.float32]]
    seed: int
    attention: Attention = "sdpa"


@dataclass(frozen=True)
class Batch:
    """Some examples as model inputs, one per row.

    Attributes:
        inputs: Keyword arguments of the forward pass, batch first.
        rows: int64 (b,), indices of the examples in the task.
        tokens: bool (b, seq), the tokens of each example that are pooled.
        extra: Further inputs of the objective, batch first: labels, positions, ...
        counts: float64 (b,), number of predictions for each example.
    """

    inputs: Mapping[str, Tensor]
    rows: NDArray[np.int64]
    tokens: Tensor
    counts: NDArray[np.float64]
    extra: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of tokens, including padding."""
        return self.tokens.numel()

    def repeated(self, copies: int) -> Batch:
        """Return copies of the batch one after the other; `rows` and `counts` remain those of one copy."""
        return replace(
            self,
            inputs={name: _copies(tensor, copies) for name, tensor in self.inputs.items()},
            tokens=_copies(self.tokens, copies),
            extra={name: _copies(tensor, copies) for name, tensor in self.extra.items()},
        )

    def to(self, device: torch.device) -> Batch:
        """Return the same batch with its tensors on a device."""
        return replace(
            self,
            inputs={name: tensor.to(device) for name, tensor in self.inputs.items()},
            tokens=self.tokens.to(device),
            extra={name: tensor.to(device) for name, tensor in self.extra.items()},
        )


@dataclass(frozen=True)
class Output:
    """Losses and predictions of a model for the rows of a batch.

    Attributes:
        loss: (b,), summed over all predictions for a row: nats, or squared errors of scores.
        answer: (b,), the predicted class or score, or the number of correct tokens of a language model.
    """

    loss: Tensor
    answer: Tensor


class Evaluator(ABC):
    """An evaluator: a loaded model, ready to be scored by an objective; its parameters are frozen."""

    def __init__(self, loaded: LoadedModel, task: Task, batches: Mapping[str, Sequence[Batch]]) -> None:
        """Store the model and its batches; called by objectives.

        Args:
            loaded: The model with its task head, if it has one, and its tokenizer.
            task: The examples, without those that have no vector.
            batches: Batches of dev and test, and of train if a model is trained.
        """
        model = loaded.model
        self.model = model
        self.tokenizer = loaded.tokenizer
        self.task = task
        self._batches = dict(batches)
        caches = "use_cache" in inspect.signature(model.forward).parameters
        self._options = {"use_cache": False} if caches else {}

    def forward(self, batch: Batch) -> Any:  # noqa: ANN401
        """Return the model's output, without the keys and values of past tokens, which are not used here."""
        return self.model(**batch.inputs, **self._options)

    @property
    def reads_heads(self) -> bool:
        """Return whether predictions read single heads, which pruning renumbers."""
        return False

    @cached_property
    def heads(self) -> Heads:
        """All heads of the model.

        Raises:
            ProbingError: If it has none.
        """
        from probing.models.trace import find_sites

        return Heads(find_sites(self.model).heads)

    def batches(self, split: str) -> Sequence[Batch]:
        """Return all examples of a split, longest first."""
        return self._batches[split]

    @property
    @abstractmethod
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics of `score`; the first is the one that the model is evaluated by."""

    @abstractmethod
    def run(self, batch: Batch) -> Output:
        """Run the model; gradients flow where they are enabled."""

    @abstractmethod
    def score(
        self, rows: NDArray[np.int64], loss: NDArray[np.float64], answer: NDArray[np.float64]
    ) -> dict[str, float]:
        """Return scores of some examples by metric.

        Args:
            rows: int64 (n,), indices of the examples in the task.
            loss: float64 (n,), as in `Output`.
            answer: float64 (n,), as in `Output`.
        """

    @abstractmethod
    def terms(
        self, metric: str, rows: NDArray[np.int64], loss: NDArray[np.float64], answer: NDArray[np.float64]
    ) -> NDArray[np.float64] | None:
        """Return the terms of a score that is a mean over all predictions; None for other scores.

        Args:
            metric: Name of the score.
            rows: As in `score`.
            loss: float64 (…, n).
            answer: float64 (…, n).

        Returns:
            float64 (…, n), whose sum over the sum of `counts` is the score.
        """

    @cached_property
    def counts(self) -> NDArray[np.float64]:
        """Number of predictions for each example of the task, 0 for those in no batch."""
        counts = np.zeros(len(self.task))
        for batches in self._batches.values():
            for batch in batches:
                counts[batch.rows] = batch.counts
        return counts

    def lone_tokens(self, batch: Batch) -> Iterator[Tensor]:
        """Yield guesses of the only token of every row that is read from the last layer; int64 (b,) each."""
        yield first_token(batch.tokens)
        yield last_token(batch.tokens)


class Objective(Protocol):
    """An objective in conf/objective: a frozen dataclass that prepares an evaluator."""

    @property
    def name(self) -> str:
        """Name on the command line, such as `readout`."""

    @property
    def pools(self) -> bool:
        """Return whether the pooling has an effect."""

    def check(self, task: Task) -> None:
        """Reject a task that it cannot be used for, before anything is loaded.

        Raises:
            ProbingError: Saying what to choose instead.
        """

    def prepare(self, setting: ObjectiveContext) -> Evaluator:
        """Load the model and make the batches.

        Raises:
            ProbingError: If the model cannot be used with this objective.
        """


def _copies(tensor: Tensor, copies: int) -> Tensor:
    return tensor if copies == 1 else tensor.repeat(copies, *[1] * (tensor.ndim - 1))


def plain(values: Any) -> NDArray[np.float64]:  # noqa: ANN401
    """Return a tensor as float64 in NumPy."""
    found: NDArray[np.float64] = values.detach().double().cpu().numpy()
    return found
