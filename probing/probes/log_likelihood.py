"""The objective of multinomial logistic regression, for many problems at once."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from probing.io.lazy import torch
from probing.probes.active import Rectangle

# up to this many classes, the curvature between all pairs of them is measured
MOST_CLASSES = 128
# bytes of the logits of one chunk: enough to fit a CPU's cache, or to keep an accelerator busy
CHUNK_BYTES = {"cpu": 2 << 20, "accelerator": 512 << 20}


@dataclass(frozen=True)
class Value:
    """The objective at one point of each problem, float64.

    Attributes:
        loss: (u, l), mean negative log likelihood plus penalty.
        gradient: (u, l, k, d).
        rounding: (u, l), the size of errors in the loss due to the precision of the features.
        curvature: (u, l, k, k), mean of diag(p) − ppᵀ over the rows, or its diagonal (u, l, k) where k is
            large; None unless requested.
    """

    loss: torch.Tensor
    gradient: torch.Tensor
    rounding: torch.Tensor
    curvature: torch.Tensor | None = None


@dataclass(frozen=True)
class LogLikelihood:
    """f(W) = mean over i of −yᵢᵀ log softmax(W xᵢ) + (λ/2)‖W‖², for u units × l values of λ.

    yᵢ is one-hot, or any shares of the k outputs that add up to 1. Since Σᵢ yᵢᵀ W xᵢ is linear in W, they
    are used only once, for `moments`. A sweep over the data is then a product, a softmax over classes and
    another product, chunk by chunk of rows. The last feature is the constant 1. Its weight, the bias, is not
    penalised.

    Attributes:
        features: float32 or float64 (u, n, d), the last of the d being 1.
        variance: float64 (u, d), mean square of each feature.
        moments: float64 (u, 1, k, d), mean of y xᵀ.
        penalty: float64 (u, l, 1, d), λ for weights and 0 for the bias.
    """

    features: torch.Tensor
    variance: torch.Tensor
    moments: torch.Tensor
    penalty: torch.Tensor

    @classmethod
    def of(cls, features: torch.Tensor, target: torch.Tensor, l2: torch.Tensor, k: int) -> LogLikelihood:
        """Set up the problems.

        Args:
            features: (u, n, d), the last of the d being 1.
            target: Classes, int64 (n,), below `k`; or shares, float64 (n, k).
            l2: float64 (l,), the values of λ.
            k: Number of classes.
        """
        units, _, dim = features.shape
        variance = torch.stack([torch.linalg.vecdot(x, x, dim=0) for x in features]) / features.shape[1]
        penalty = l2.view(1, -1, 1, 1).repeat(units, 1, 1, dim)
        penalty[..., -1] = 0
        moments = _moments(features, target, k).unsqueeze(1)
        return cls(features, variance.double(), moments, penalty)

    def take(self, kept: Rectangle) -> LogLikelihood:
        """Return the problems of a part of the grid."""
        units, penalty = kept.units, kept.pick(self.penalty)
        if len(units) == len(self.features):
            return replace(self, penalty=penalty)
        return LogLikelihood(self.features[units], self.variance[units], self.moments[units], penalty)

    def origin(self) -> tuple[torch.Tensor, Value]:
        """Return zero weights and the value there, where every class has probability 1/k, without a sweep."""
        (units, values), (k, dim) = self.penalty.shape[:2], self.moments.shape[2:]
        start = self.penalty.new_zeros(units, values, k, dim)
        gradient = self.moments.mean(2, keepdim=True) - self.moments
        between = (torch.eye(k, dtype=start.dtype, device=start.device) - 1 / k) / k
        if k > MOST_CLASSES:
            between = between.diagonal()
        loss = start.new_full((units, values), math.log(k))
        rounding = torch.finfo(self.features.dtype).eps * loss
        between = between.expand(units, values, *between.shape)
        return start, Value(loss, gradient.expand_as(start), rounding, between)

    def __call__(self, weights: torch.Tensor, curvature: bool = False) -> Value:
        """Sweep once over the data.

        Args:
            weights: float64 (u, l, k, d).
            curvature: Whether to also measure the curvature between classes.
        """
        (units, values, k, dim), n = weights.shape, self.features.shape[1]
        flat = weights.to(self.features.dtype).view(units, values * k, dim)
        loss = weights.new_zeros(units, values)
        gradient = torch.zeros_like(weights)
        squares = torch.zeros(())
        width = self._chunk(units * values * k)
        # memory for all chunks: allocating it again for each would cost as much as the softmax
        shape = (units * values, k, min(width, n))
        buffers = [self.features.new_empty(math.prod(shape) // size) for size in (1, k, k)]
        for rows in torch.split(self.features, width, 1):
            logits, norm, top = _cut(buffers, shape, rows.shape[1])
            torch.bmm(flat, rows.mT, out=logits.view(units, values * k, -1))
            loss += _softmax_(logits, norm, top).view_as(loss)
            gradient += torch.bmm(logits.view(units, values * k, -1), rows).view_as(gradient)
            if curvature:
                squares = squares + _squares(logits).double()
        between = None
        if curvature:
            mean = gradient[..., -1]
            mean = mean if k > MOST_CLASSES else torch.diag_embed(mean)
            between = (mean - squares.view_as(mean)) / n
        gradient.div_(n).sub_(self.moments).addcmul_(self.penalty, weights)
        linear = (weights * (self.moments - self.penalty * weights / 2)).sum((2, 3))
        rounding = torch.finfo(flat.dtype).eps * (1 + linear.abs())
        return Value(loss.div_(n).sub_(linear), gradient, rounding, between)

    def _chunk(self, columns: int) -> int:
        kind = "cpu" if self.features.device.type == "cpu" else "accelerator"
        return max(64, CHUNK_BYTES[kind] // (columns * self.features.element_size()))


def _cut(
    buffers: list[torch.Tensor], shape: tuple[int, int, int], n: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return views for logits (p, k, n) and two reductions (p, 1, n) of them."""
    p, k, _ = shape
    whole, first, second = buffers
    return (
        whole[: p * k * n].view(p, k, n),
        first[: p * n].view(p, 1, n),
        second[: p * n].view(p, 1, n),
    )


def _softmax_(logits: torch.Tensor, norm: torch.Tensor, top: torch.Tensor) -> torch.Tensor:
    """Turn logits (p, k, n) into probabilities in place; return Σₙ log Σₖ exp (p,).

    Args:
        logits: (p, k, n), where n is last so that sums over classes run along whole vectors.
        norm: Buffer for (p, 1, n).
        top: Buffer for (p, 1, n).
    """
    torch.amax(logits, 1, keepdim=True, out=top)
    torch.sum(logits.sub_(top).exp_(), 1, keepdim=True, out=norm)
    logits.div_(norm)
    return norm.log_().add_(top).sum((1, 2))


def _squares(shares: torch.Tensor) -> torch.Tensor:
    """Return Σₙ p pᵀ (p, k, k) of probabilities (p, k, n), or its diagonal where k is large."""
    if shares.shape[1] > MOST_CLASSES:
        return shares.square().sum(2)
    return torch.bmm(shares, shares.mT)


def _moments(features: torch.Tensor, target: torch.Tensor, k: int) -> torch.Tensor:
    """Return the mean of y xᵀ; float64 (u, k, d)."""
    total = torch.zeros(len(features), k, features.shape[2], dtype=torch.float64, device=features.device)
    step = max(1, CHUNK_BYTES["accelerator"] // (8 * k))
    for rows, part in zip(torch.split(features, step, 1), torch.split(target, step), strict=True):
        shares = torch.nn.functional.one_hot(part, k) if part.dim() == 1 else part
        total += torch.matmul(shares.to(rows.dtype).T, rows)
    return total / len(target)
