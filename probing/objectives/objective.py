"""What an objective is given, and what it must do."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from probing.models.heads import Heads
from probing.representations.reductions.pooling import Pooling, first_token, last_token
from probing.representations.settings import ExtractConfig
from probing.tasks.task import Task, Unit

if TYPE_CHECKING:  # a cached answer needs neither the model nor the library that runs it
    from probing.models.loading import Attention, LoadedModel, Purpose


@dataclass(frozen=True)
class Setting:
    """All that an objective may need to be made ready.

    Attributes:
        task: With train, dev and test.
        load: The model that is asked, for a purpose.
        extract: Device, batches, length limit.
        pooling: How a text becomes one vector.
        vectors: Cached vectors of a layer (hidden states) for some units, float32 (n, dim), NaN where a word
            lies beyond the model's limit.
        seed: Seed of all that is random.
        attention: The implementation that the model shall run.
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
    """Some examples, a row each, ready for the model.

    Attributes:
        inputs: Keyword arguments of the forward pass, batch first.
        rows: int64 (b,), which examples of the task.
        tokens: bool (b, seq), what is pooled of each.
        extra: What the objective needs beside them, batch first: labels, positions, ...
        counts: float64 (b,), how many things are predicted of each.
    """

    inputs: Mapping[str, Tensor]
    rows: NDArray[np.int64]
    tokens: Tensor
    counts: NDArray[np.float64]
    extra: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Tokens, padding included."""
        return self.tokens.numel()

    def repeated(self, copies: int) -> Batch:
        """Copies of the batch one after the other; `rows` and `counts` stay those of one."""
        return replace(
            self,
            inputs={name: _copies(tensor, copies) for name, tensor in self.inputs.items()},
            tokens=_copies(self.tokens, copies),
            extra={name: _copies(tensor, copies) for name, tensor in self.extra.items()},
        )

    def to(self, device: torch.device) -> Batch:
        """The same batch with its tensors on a device."""
        return replace(
            self,
            inputs={name: tensor.to(device) for name, tensor in self.inputs.items()},
            tokens=self.tokens.to(device),
            extra={name: tensor.to(device) for name, tensor in self.extra.items()},
        )


@dataclass(frozen=True)
class Output:
    """How a model did on the rows of a batch.

    Attributes:
        loss: (b,), summed over all that is predicted of a row: nats, or squared errors of scores.
        answer: (b,), the predicted class or score; of language models how many tokens were right.
    """

    loss: Tensor
    answer: Tensor


class Ready(ABC):
    """A loaded model with what it is used for; its parameters are frozen."""

    def __init__(self, loaded: LoadedModel, task: Task, batches: Mapping[str, Sequence[Batch]]) -> None:
        """Made by an objective.

        Args:
            loaded: The model, task head included if it has one, and its tokenizer.
            task: The examples, those without a vector left out.
            batches: Of dev and test, and of train where a model is trained.
        """
        model = loaded.model
        self.model = model
        self.tokenizer = loaded.tokenizer
        self.task = task
        self._batches = dict(batches)
        caches = "use_cache" in inspect.signature(model.forward).parameters
        self._options = {"use_cache": False} if caches else {}

    def forward(self, batch: Batch) -> Any:  # noqa: ANN401
        """What the model returns; keys and values of past tokens are of no use here."""
        return self.model(**batch.inputs, **self._options)

    @property
    def reads_heads(self) -> bool:
        """True if answers are read from single heads, which a model without some of its heads renumbers."""
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
        """All examples of a split, the longest first."""
        return self._batches[split]

    @property
    @abstractmethod
    def metrics(self) -> tuple[str, ...]:
        """What `score` tells; the first is what the model is judged by."""

    @abstractmethod
    def run(self, batch: Batch) -> Output:
        """Run the model; gradients flow where they are enabled."""

    @abstractmethod
    def score(
        self, rows: NDArray[np.int64], loss: NDArray[np.float64], answer: NDArray[np.float64]
    ) -> dict[str, float]:
        """Scores of some examples by metric.

        Args:
            rows: int64 (n,), which examples of the task.
            loss: float64 (n,), as in `Output`.
            answer: float64 (n,), as in `Output`.
        """

    @abstractmethod
    def terms(
        self, metric: str, rows: NDArray[np.int64], loss: NDArray[np.float64], answer: NDArray[np.float64]
    ) -> NDArray[np.float64] | None:
        """What each example adds to a score that is a mean over all that is predicted; None for others.

        Args:
            metric: Which score.
            rows: As of `score`.
            loss: float64 (…, n).
            answer: float64 (…, n).

        Returns:
            float64 (…, n), whose sum over the sum of `counts` is the score.
        """

    @cached_property
    def counts(self) -> NDArray[np.float64]:
        """How many things are predicted of each example of the task, 0 of those that no batch holds."""
        counts = np.zeros(len(self.task))
        for batches in self._batches.values():
            for batch in batches:
                counts[batch.rows] = batch.counts
        return counts

    def lone_tokens(self, batch: Batch) -> Iterator[Tensor]:
        """Guesses which token of every row may be all that is read of the last layer; int64 (b,) each."""
        yield first_token(batch.tokens)
        yield last_token(batch.tokens)


class Objective(Protocol):
    """A choice in conf/objective: a frozen dataclass that makes a model ready to be judged."""

    @property
    def name(self) -> str:
        """As on the command line, `readout`."""

    @property
    def pools(self) -> bool:
        """Whether the pooling matters."""

    def check(self, task: Task) -> None:
        """Refuse a task that it cannot be used for, before anything is loaded.

        Raises:
            ProbingError: Saying what to choose instead.
        """

    def prepare(self, setting: Setting) -> Ready:
        """Load the model and make the batches.

        Raises:
            ProbingError: If the model cannot be used so.
        """


def _copies(tensor: Tensor, copies: int) -> Tensor:
    return tensor if copies == 1 else tensor.repeat(copies, *[1] * (tensor.ndim - 1))


def plain(values: Any) -> NDArray[np.float64]:  # noqa: ANN401
    """A tensor as float64 in NumPy."""
    found: NDArray[np.float64] = values.detach().double().cpu().numpy()
    return found
