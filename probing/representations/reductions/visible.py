"""The keys that each query can see, read from the weights: all, those before it, or a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from probing.io.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


def visible_keys(weights: Tensor, real: Tensor) -> Tensor:
    """Return the keys that some head of the layer gives any weight, and the query itself.

    A single head may give a key a weight that is too small for its precision. A key that no head of the layer
    gives any weight is outside the mask of the model, as later tokens of a causal model are.

    Args:
        weights: (texts, heads, length, length).
        real: bool (texts, length), the tokens that are not padding.

    Returns:
        bool (texts, length, length); False in rows and columns of padding.
    """
    seen = weights.amax(1) > 0
    seen.diagonal(dim1=1, dim2=2).fill_(value=True)
    return seen & real.unsqueeze(2) & real.unsqueeze(1)


def uniform_over(visible: Tensor) -> Tensor:
    """Return attention that is spread evenly over visible keys, float32 (texts, 1, queries, keys)."""
    shares = visible.float()
    return (shares / shares.sum(2, keepdim=True).clamp_min(1)).unsqueeze(1)


def by_chance(name: str) -> str:
    """Return the column with the same number for attention that is uniform over the visible keys."""
    return f"{name}_by_chance"


def next_to(found: Tensor, *of_texts: Tensor) -> Tensor:
    """Return the numbers of heads, (texts, heads, ...), then those that all heads share, (texts, 1, ...)."""
    return torch.cat([found, *(part.expand(-1, found.shape[1], -1) for part in of_texts)], 2)
