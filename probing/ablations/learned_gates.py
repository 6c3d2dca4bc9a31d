"""Gates on the outputs of heads, learned with a penalty on the number of open gates (Voita et al. 2019)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import PreTrainedModel

from probing.ablations.hard_concrete import gate_at_test, noise, p_open, sample
from probing.io.progress import Progress
from probing.models.heads import Heads
from probing.models.masking import gated
from probing.objectives.objective import Batch, Evaluator, plain

START = 2.5
"""Initial log alpha, just above the smallest value with a test gate of 1: the model starts unchanged."""
UNDECIDED = (0.05, 0.95)
"""Range of P(open) in which a gate is neither open nor closed."""


@dataclass(frozen=True)
class Training:
    """Settings of the training of gates.

    Attributes:
        penalty: λ, which multiplies the sum of P(open) over all heads.
        steps: Number of steps of Adam.
        batch: Maximum number of examples per step.
        rate: Learning rate of log α; all rates decay linearly to 0.
        weight_rate: Learning rate of the model's parameters; None does not train them.
    """

    penalty: float
    steps: int
    batch: int
    rate: float
    weight_rate: float | None = None


@dataclass(frozen=True)
class Gates:
    """The gates of some heads.

    Attributes:
        log_alpha: float64 (N,), the location parameter of each gate.
    """

    log_alpha: NDArray[np.float64]

    @property
    def levels(self) -> NDArray[np.float64]:
        """Gates without noise, 0 to 1; float64 (N,)."""
        return plain(gate_at_test(torch.from_numpy(self.log_alpha)))

    @property
    def p_open(self) -> NDArray[np.float64]:
        """Probability that each gate is not 0; float64 (N,)."""
        return plain(p_open(torch.from_numpy(self.log_alpha)))

    @property
    def undecided(self) -> int:
        """Number of gates that have not converged to open or closed."""
        low, high = UNDECIDED
        return int(((self.p_open > low) & (self.p_open < high)).sum())


@contextmanager
def own_weights(model: PreTrainedModel) -> Iterator[list[nn.Parameter]]:
    """Let the parameters of a model be trained, and restore them exactly when the context ends.

    Yields:
        All parameters of the model.
    """
    weights = list(model.parameters())
    before = [(weight.detach().clone(), weight.requires_grad) for weight in weights]
    for weight in weights:
        weight.requires_grad_(True)
    try:
        yield weights
    finally:
        for weight, (values, learning) in zip(weights, before, strict=True):
            weight.grad = None
            weight.requires_grad_(learning)
            with torch.no_grad():
                weight.copy_(values)


def learn_gates(
    ready: Evaluator,
    heads: Heads,
    training: Training,
    seed: int,
    weights: Sequence[nn.Parameter] = (),
    stages: int = 1,
) -> Iterator[tuple[Gates, float]]:
    """Minimise E_g[L] + λ·Σ P(open) by Adam, in stages (Voita et al. 2019, section 6.1).

    L is the mean of the objective's loss over all predictions for the train split (cross-entropy of an
    example, or nats of a token). Every example has its own gates in every step, which estimates the
    expectation better than one draw per batch at the same cost. Dropout stays off. The same seed gives the
    same batches and the same noise for every λ.

    Args:
        ready: The model and its objective; a readout is not refitted.
        heads: The heads that get a gate, N in all.
        training: Settings of the training.
        seed: Seed of the noise and of the order of batches.
        weights: Parameters of the model to train together with the gates, at `training.weight_rate`.
        stages: Number of equal parts into which the steps are divided, at least one step each.

    Yields:
        The gates, and the mean train loss of the stage without the penalty.
    """
    learner = _Learner(ready, heads, training, seed, weights)
    batches = _endless(_pieces(ready.batches("train"), training.batch), seed)
    with Progress(f"gates, lambda {training.penalty:g}", "examples", training.steps) as progress:
        for steps in np.array_split(np.arange(training.steps), min(stages, training.steps)):
            losses = []
            for _ in steps:
                batch = next(batches)
                losses.append(learner.step(batch))
                progress.add(len(batch.rows), 1)
            yield learner.gates, float(np.mean(losses))


class _Learner:
    def __init__(
        self, ready: Evaluator, heads: Heads, training: Training, seed: int, weights: Sequence[nn.Parameter]
    ) -> None:
        self._ready = ready
        self._heads = heads
        self._penalty = training.penalty
        self._draws = torch.Generator().manual_seed(seed)  # on the CPU, so that devices get the same noise
        pieces = _pieces(ready.batches("train"), training.batch)
        self._predicted = float(np.mean([batch.counts.sum() for batch in pieces]))
        self._log_alpha = torch.full((len(heads),), START, device=ready.model.device, requires_grad=True)
        self._learned: list[Tensor] = [self._log_alpha, *weights]
        rates = [training.rate, *[training.weight_rate or 0.0] * len(weights)]
        groups = [{"params": [each], "lr": rate} for each, rate in zip(self._learned, rates, strict=True)]
        self._optimizer = torch.optim.Adam(groups)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimizer, lambda step: 1 - step / training.steps
        )

    @property
    def gates(self) -> Gates:
        return Gates(plain(self._log_alpha))

    def step(self, batch: Batch) -> float:
        """Take one step; return the batch's mean loss."""
        u = noise((len(batch.rows), len(self._heads)), self._draws).to(self._log_alpha)
        with torch.enable_grad():
            with gated(self._ready.model, self._heads, sample(self._log_alpha, u)):
                loss = self._ready.run(batch).loss.sum()
            # divide by the mean count of all batches, so that each batch is weighted by its predictions
            objective = loss / self._predicted + self._penalty * p_open(self._log_alpha).sum()
            gradients = torch.autograd.grad(objective, self._learned, materialize_grads=True)
        for each, gradient in zip(self._learned, gradients, strict=True):
            each.grad = gradient
        self._optimizer.step()
        self._schedule.step()
        return float(loss.detach()) / float(batch.counts.sum())


def _pieces(batches: Sequence[Batch], size: int) -> list[Batch]:
    """Return the batches, cut into equal pieces of at most `size` examples."""
    pieces = []
    for batch in batches:
        count = len(batch.rows)
        ends = np.linspace(0, count, -(-count // size) + 1).astype(int).tolist()
        pieces += [_cut(batch, slice(*ends[place : place + 2])) for place in range(len(ends) - 1)]
    return pieces


def _cut(batch: Batch, rows: slice) -> Batch:
    return replace(
        batch,
        inputs={name: tensor[rows] for name, tensor in batch.inputs.items()},
        rows=batch.rows[rows],
        tokens=batch.tokens[rows],
        counts=batch.counts[rows],
        extra={name: tensor[rows] for name, tensor in batch.extra.items()},
    )


def _endless(batches: Sequence[Batch], seed: int) -> Iterator[Batch]:
    """Yield all batches endlessly, in a new order each time."""
    rng = np.random.default_rng(seed)
    while True:
        for place in rng.permutation(len(batches)):
            yield batches[place]
