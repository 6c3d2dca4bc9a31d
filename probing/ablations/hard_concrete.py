"""The hard concrete distribution (Louizos, Welling & Kingma 2018, section 2.2), a gate from 0 to 1.

A concrete variable s in (0, 1) is stretched to (γ, ζ) and clipped. 0 and 1 therefore have positive
probability, while gradients reach its location log α. The constants are those of Voita et al. (2019).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

BETA = 0.33
"""Temperature."""
GAMMA, ZETA = -0.1, 1.1
"""Ends of the stretched variable."""
EPSILON = 1e-6
"""Smallest distance of the uniform noise from 0 and 1."""
CLOSED = math.log(-GAMMA / ZETA)
"""The largest log alpha whose test gate is 0: -2.398."""


def noise(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Return uniform noise, u ~ U(ε, 1 - ε); float32."""
    return EPSILON + (1 - 2 * EPSILON) * torch.rand(shape, generator=generator)


def sample(log_alpha: Tensor, u: Tensor) -> Tensor:
    """Return gates g = clip(s̄, 0, 1), s̄ = (ζ - γ)·s + γ, s = σ((logit u + log α) / β); equations 10 and 11.

    Args:
        log_alpha: (N,).
        u: Uniform noise, (..., N).
    """
    return _hard((u.logit() + log_alpha) / BETA)


def p_open(log_alpha: Tensor) -> Tensor:
    """Return P(g > 0) = σ(log α - β·ln(-γ / ζ)); equation 12."""
    return (log_alpha - BETA * CLOSED).sigmoid()


def gate_at_test(log_alpha: Tensor) -> Tensor:
    """Return the gate without noise, clip((ζ - γ)·σ(log α) + γ, 0, 1), equation 13; 0 up to `CLOSED`."""
    return _hard(log_alpha)


def _hard(logit: Tensor) -> Tensor:
    return ((ZETA - GAMMA) * logit.sigmoid() + GAMMA).clip(0, 1)
