"""From the two vectors of a pair to the one that a probe reads."""

from __future__ import annotations

from probing.io.lazy import torch
from probing.tasks.task import Features


def combine(u: torch.Tensor, v: torch.Tensor, how: Features) -> torch.Tensor:
    """Put the vectors of pairs together as the literature does.

    Args:
        u: float32 (…, n, dim), of the first unit of each pair.
        v: float32 (…, n, dim), of the second.
        how: `concat` gives [u, v], as edge probing has it (Tenney et al. 2019); `compare` [|u−v|, u·v]
            (Tai, Socher & Manning 2015, equation 15); `all` [u, v, u·v, |u−v|], as SentEval has SNLI.

    Returns:
        float32 (…, n, 2 dim), or (…, n, 4 dim) for `all`.
    """
    if how == "concat":
        return torch.cat([u, v], -1)
    distance, product = (u - v).abs_(), u * v
    return torch.cat([distance, product] if how == "compare" else [u, v, product, distance], -1)


def blocks(how: Features) -> int:
    """How many parts of equal width, one after the other, `combine` makes of a pair."""
    return 4 if how == "all" else 2
