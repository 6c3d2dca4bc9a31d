"""Mini-batch training with early stopping, for a batch of probes that each stop at their own time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from probing.io.lazy import torch
from probing.probes.active import Rectangle
from probing.probes.losses import Loss
from probing.probes.nets import LinearNet, Net, seeded_linear

# PyTorch's defaults: (learning rate, smoothing of squares)
RMSPROP = (1e-2, 0.99)
# PyTorch's defaults: (learning rate, smoothing of gradients, smoothing of squares)
ADAM = (1e-3, 0.9, 0.999)
EPSILON = 1e-8


@dataclass(frozen=True)
class Schedule:
    """SentEval's training schedule; see `probing.probes.senteval.SentEval` for the fields."""

    optimizer: Literal["rmsprop", "adam"]
    batch_size: int
    epoch_size: int
    tenacity: int
    max_epochs: int


@dataclass(frozen=True)
class TrainingRows:
    """Examples: float32 features (u, n, d), the last of the d being 1, and classes or scores (n,)."""

    features: torch.Tensor
    gold: torch.Tensor


def initial(k: int, dim: int, seed: int) -> torch.Tensor:
    """Return the weights of `torch.manual_seed(seed); nn.Linear(dim, k)`; float32 (k, dim + 1), bias last."""
    return seeded_linear(k, dim, torch.Generator().manual_seed(seed))


def train(
    rows: TrainingRows,
    dev: TrainingRows,
    decay: torch.Tensor,
    start: torch.Tensor | Net,
    loss: Loss,
    order: np.random.RandomState,
    schedule: Schedule,
) -> torch.Tensor:
    """Train every probe until its own early stopping.

    Args:
        rows: Training examples.
        dev: Examples for early stopping.
        decay: float32 (u, l), weight decay, which also acts on the biases.
        start: The net to train, with the initial weights of every probe; for linear probes only these, (k,
            d).
        loss: The loss to minimise.
        order: Source of the permutations of the examples.
        schedule: The training schedule.

    Returns:
        Weights of each probe at its best evaluation on dev, float32 (u, l, …).
    """
    net = LinearNet(start) if isinstance(start, torch.Tensor) else start
    batch = _Batch(rows, dev, decay, net, loss, schedule)
    found = batch.weights.clone().flatten(0, 1)
    epochs = 0
    while batch.ids.numel() and epochs <= schedule.max_epochs:
        for _ in range(schedule.epoch_size):
            batch.epoch(torch.from_numpy(order.permutation(len(rows.gold))))
        epochs += schedule.epoch_size
        batch.look()
        found[batch.ids.flatten()] = batch.best.flatten(0, 1)
        if not bool(batch.going.any()):
            break
        batch.compact()
    return found.view(*decay.shape, *net.start.shape)


class _Batch:
    """The state of all probes still in training, on a rectangular grid of u units × l slots."""

    def __init__(
        self,
        rows: TrainingRows,
        dev: TrainingRows,
        decay: torch.Tensor,
        net: Net,
        loss: Loss,
        schedule: Schedule,
    ) -> None:
        self.features, self.targets = rows.features, loss.targets(rows.gold)
        self.dev, self.dev_gold = dev.features, dev.gold
        self.net, self.loss, self.schedule = net, loss, schedule
        self.random = net.generator()
        self.each = (..., *(None for _ in net.start.shape))  # broadcasts numbers of probes over their weights
        self.decay = decay[self.each]
        self.weights = net.start.to(rows.features.device).repeat(*decay.shape, *(1 for _ in net.start.shape))
        self.best = self.weights.clone()
        self.average, self.square = torch.zeros_like(self.weights), torch.zeros_like(self.weights)
        self.steps = 0
        self.record = torch.full_like(decay, -1, dtype=torch.float64)
        self.misses = torch.zeros_like(decay)
        self.going = torch.ones_like(decay, dtype=torch.bool)
        self.ids = torch.arange(decay.numel(), device=decay.device).view_as(decay)

    def epoch(self, permutation: torch.Tensor) -> None:
        """Go through the examples once, in the given order."""
        permutation = permutation.to(self.targets.device)
        shuffled, targets = self.features[:, permutation], self.targets[permutation].T
        size = self.schedule.batch_size
        for features, target in zip(
            torch.split(shuffled, size, 1), torch.split(targets, size, 1), strict=True
        ):
            self._step(self._gradient(features, target))

    def look(self) -> None:
        """Score dev: keep the weights of probes that improve, count the misses of the others, stop some."""
        merit = self.loss.merit(self.net.outputs(self.weights, self.dev), self.dev_gold).to(self.record.dtype)
        better = self.going & (merit > self.record)
        self.best = torch.where(better[self.each], self.weights, self.best)
        self.record = torch.where(better, merit, self.record)
        self.going = self.going & (better | (self.misses < self.schedule.tenacity))
        self.misses = self.misses + (~better).to(self.misses.dtype)

    def compact(self) -> None:
        """Drop stopped probes, as far as the grid stays rectangular."""
        kept = Rectangle.around(self.going)
        if kept is None:
            return
        if len(kept.units) < len(self.features):
            self.features, self.dev = self.features[kept.units], self.dev[kept.units]
        self.weights, self.best = kept.pick(self.weights), kept.pick(self.best)
        self.average, self.square = kept.pick(self.average), kept.pick(self.square)
        self.decay, self.record = kept.pick(self.decay), kept.pick(self.record)
        self.misses, self.going, self.ids = (
            kept.pick(self.misses),
            kept.pick(self.going),
            kept.pick(self.ids),
        )

    def _gradient(self, features: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the gradient of mean loss plus (decay/2)‖W‖², for features (u, b, d) and targets (k, b)."""

        def slope(outputs: torch.Tensor) -> torch.Tensor:
            return self.loss.slope(outputs, target)

        gradient = self.net.gradient(self.weights, features, slope, self.random)
        return gradient.addcmul_(self.weights, self.decay)

    def _step(self, gradient: torch.Tensor) -> None:
        """Take one step as in torch.optim."""
        self.steps += 1
        if self.schedule.optimizer == "rmsprop":
            rate, smooth = RMSPROP
            self.square.mul_(smooth).addcmul_(gradient, gradient, value=1 - smooth)
            self.weights.addcdiv_(gradient, self.square.sqrt().add_(EPSILON), value=-rate)
            return
        rate, first, second = ADAM
        self.average.lerp_(gradient, 1 - first)
        self.square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
        size = self.square.sqrt().div_(math.sqrt(1 - second**self.steps)).add_(EPSILON)
        self.weights.addcdiv_(self.average, size, value=-rate / (1 - first**self.steps))
