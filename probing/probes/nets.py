"""The networks that SentEval trains: a linear layer, or one hidden layer before it, in batches."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from probing.io.lazy import torch

# bytes of the hidden units of one chunk of examples in evaluation
CHUNK_BYTES = 32 << 20
Slope = Callable[["torch.Tensor"], "torch.Tensor"]


class Net(Protocol):
    """A classifier of k outputs for u units × l slots that all start from the same weights.

    Features are float32 (u, b, d), the last of the d being 1. Weights are (u, l, …), each shaped like
    `start`.
    """

    @property
    def start(self) -> torch.Tensor:
        """Initial weights of every probe, float32."""

    def generator(self) -> torch.Generator | None:
        """Return a new random generator for one training, or None if none is used."""

    def outputs(self, weights: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """Return outputs (u, l, k, b) without dropout."""

    def gradient(
        self,
        weights: torch.Tensor,
        features: torch.Tensor,
        slope: Slope,
        random: torch.Generator | None,
    ) -> torch.Tensor:
        """Return the gradient of a loss with respect to the weights, in their shape.

        Args:
            weights: Weights at which the gradient is taken.
            features: Features of the examples of one step.
            slope: Turns outputs (u, l, k, b) into the loss's gradient with respect to them.
            random: The generator that `generator` returned, in its state after all earlier steps.
        """


@dataclass(frozen=True)
class LinearNet:
    """Outputs W x.

    Attributes:
        start: float32 (k, d), the bias last.
    """

    start: torch.Tensor

    def generator(self) -> None:
        """See `Net`."""

    def outputs(self, weights: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """See `Net`."""
        return torch.bmm(weights.flatten(1, 2), features.mT).view(*weights.shape[:3], -1)

    def gradient(
        self,
        weights: torch.Tensor,
        features: torch.Tensor,
        slope: Slope,
        random: torch.Generator | None,
    ) -> torch.Tensor:
        """See `Net`."""
        steep = slope(self.outputs(weights, features))
        return torch.bmm(steep.flatten(1, 2), features).view_as(weights)


@dataclass(frozen=True)
class HiddenNet:
    """SentEval's MLP: W₂ σ(m ∘ W₁ x), where dropout's mask m, before the sigmoid, is 1 outside training.

    All units and slots get the same masks, as they do in SentEval, which seeds again for each classifier.

    Attributes:
        start: float32 (h d + k (h + 1),): W₁ (h, d) and W₂ (k, h + 1), biases last.
        k: Number of outputs.
        nhid: h, the number of hidden units.
        dropout: Probability that a hidden unit is zeroed, below 1.
        state: State of the generator after initialisation, from which the masks are drawn.
    """

    start: torch.Tensor
    k: int
    nhid: int
    dropout: float
    state: torch.Tensor

    @classmethod
    def seeded(cls, k: int, dim: int, nhid: int, dropout: float, seed: int) -> HiddenNet:
        """Return a net with the initial weights that SentEval draws after `torch.manual_seed(seed)`.

        They are those of two `nn.Linear`, the hidden one first.
        """
        generator = torch.Generator().manual_seed(seed)
        first, second = seeded_linear(nhid, dim, generator), seeded_linear(k, nhid, generator)
        start = torch.cat([first.flatten(), second.flatten()])
        return cls(start, k, nhid, dropout, generator.get_state())

    def generator(self) -> torch.Generator:
        """See `Net`."""
        generator = torch.Generator()
        generator.set_state(self.state)
        return generator

    def split(self, weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return W₁ (u, l, h, d) and W₂ (u, l, k, h + 1), as views."""
        last = self.k * (self.nhid + 1)
        first, second = torch.split(weights, [weights.shape[-1] - last, last], -1)
        return first.view(*first.shape[:-1], self.nhid, -1), second.view(*second.shape[:-1], self.k, -1)

    def outputs(self, weights: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """See `Net`. Chunks of examples bound the memory that hidden units of a large dev split take."""
        first, second = self.split(weights)
        step = max(1, CHUNK_BYTES // (4 * first[..., 0].numel()))
        parts = [
            self._read(second, self._hidden(first, rows).sigmoid_())
            for rows in torch.split(features, step, 1)
        ]
        return torch.cat(parts, 3)

    def gradient(
        self,
        weights: torch.Tensor,
        features: torch.Tensor,
        slope: Slope,
        random: torch.Generator | None,
    ) -> torch.Tensor:
        """See `Net`."""
        first, second = self.split(weights)
        hidden = self._hidden(first, features)
        mask = self._mask(features, random) if self.dropout else None
        if mask is not None:
            hidden.mul_(mask)
        hidden.sigmoid_()
        steep = slope(self._read(second, hidden)).flatten(0, 1)
        flat = hidden.flatten(0, 1)
        later = torch.cat([torch.bmm(steep, flat.mT), steep.sum(2, keepdim=True)], 2)
        back = torch.bmm(second[..., :-1].flatten(0, 1).mT, steep).mul_(flat)
        # σ′ = σ (1 − σ)
        back.addcmul_(back, flat, value=-1)
        back = back.view_as(hidden)
        if mask is not None:
            back.mul_(mask)
        earlier = torch.bmm(back.flatten(1, 2), features)
        return torch.cat([earlier.view(*weights.shape[:2], -1), later.view(*weights.shape[:2], -1)], 2)

    def _hidden(self, first: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """Return W₁ x (u, l, h, b)."""
        return torch.bmm(first.flatten(1, 2), features.mT).view(*first.shape[:3], -1)

    def _read(self, second: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        """Return the outputs of W₂ for activations (u, l, h, b)."""
        flat = second.flatten(0, 1)
        outputs = torch.baddbmm(flat[..., -1:], flat[..., :-1], hidden.flatten(0, 1))
        return outputs.view(*second.shape[:3], -1)

    def _mask(self, features: torch.Tensor, random: torch.Generator | None) -> torch.Tensor:
        """Return the factors of nn.Dropout on a CPU, (h, b), drawn one example after another."""
        kept = torch.empty(features.shape[1], self.nhid).bernoulli_(1 - self.dropout, generator=random)
        return kept.div_(1 - self.dropout).mT.to(features.device)


def seeded_linear(k: int, dim: int, generator: torch.Generator) -> torch.Tensor:
    """Return the initial weights of `nn.Linear(dim, k)`; float32 (k, dim + 1), bias last."""
    weight, bias = torch.empty(k, dim), torch.empty(k)
    torch.nn.init.kaiming_uniform_(weight, a=math.sqrt(5), generator=generator)
    torch.nn.init.uniform_(bias, -1 / math.sqrt(dim), 1 / math.sqrt(dim), generator=generator)
    return torch.column_stack([weight, bias])
