"""Combination of the two vectors of a pair into the one that a probe reads."""

from __future__ import annotations

from probing.io.lazy import torch
from probing.tasks.task import Features


def combine(u: torch.Tensor, v: torch.Tensor, how: Features) -> torch.Tensor:
    """Combine the vectors of pairs as the literature does.

    Args:
        u: Vectors of the first unit of each pair, float32 (…, n, dim).
        v: Vectors of the second unit, float32 (…, n, dim).
        how: `concat` gives [u, v], as in edge probing (Tenney et al. 2019); `compare` gives [|u−v|, u·v]
            (Tai, Socher & Manning 2015, equation 15); `all` gives [u, v, u·v, |u−v|], as in SentEval's SNLI.

    Returns:
        float32 (…, n, 2 dim), or (…, n, 4 dim) for `all`.
    """
    if how == "concat":
        return torch.cat([u, v], -1)
    distance, product = (u - v).abs_(), u * v
    return torch.cat([distance, product] if how == "compare" else [u, v, product, distance], -1)


def blocks(how: Features) -> int:
    """Return the number of consecutive parts of equal width that `combine` makes of a pair."""
    return 4 if how == "all" else 2
