"""Logarithms and entropies of attention weights, which take most of the time of statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from probing.io.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

TINY = 1e-30
"""A weight that stands for 0: its product with its logarithm is lost in the sum of a row."""
_FEW = 2
"""Threads up to which numpy, which uses one, is faster than torch; its logarithm takes 0.4 of the time."""


def log(weights: Tensor, out: Tensor) -> Tensor:
    """Write the natural logarithms of positive weights to another tensor of the same shape, and return it.

    Args:
        weights: float32 or float64, above 0.
        out: Memory of the same shape and dtype, other than that of `weights`.
    """
    if weights.device.type == "cpu" and torch.get_num_threads() <= _FEW:
        np.log(weights.numpy(), out=out.numpy())
        return out
    return torch.log(weights, out=out)


def nats(weights: Tensor, logs: Tensor) -> Tensor:
    """Return the entropy −Σ_j A_ij ln A_ij of rows of positive weights, in nats.

    Args:
        weights: float32 or float64 (..., queries, keys), above 0.
        logs: Memory of the same shape and dtype, which is overwritten.

    Returns:
        (..., queries).
    """
    return -log(weights, logs).mul_(weights).sum(-1)


def entropy(weights: Tensor) -> Tensor:
    """Return −Σ_j A_ij ln A_ij of attention weights, in nats.

    Args:
        weights: (..., queries, keys).

    Returns:
        (..., queries).
    """
    exact = weights.to(torch.promote_types(weights.dtype, torch.float32)).clamp_min(TINY)
    return nats(exact, torch.empty_like(exact))
