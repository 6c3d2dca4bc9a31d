"""Comparison of two passes over the same texts, which must give the same vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from probing.errors import ProbingError
from probing.models.broken import AT_RANDOM, SAME
from probing.representations.shard import Vectors


def check_same(first: Sequence[dict[int, Vectors]], second: Sequence[dict[int, Vectors]]) -> None:
    """Refuse vectors that differ between two passes.

    Args:
        first: The vectors of each layer, for each batch of one pass.
        second: Those of the same batches in the other pass.

    Raises:
        ProbingError: If some differ by more than rounding.
    """
    for before, after in zip(first, second, strict=True):
        for layer, vectors in before.items():
            apart = np.abs(vectors - after[layer]).max(initial=0)
            size = np.abs(vectors).max(initial=0)
            if apart > SAME * size:
                raise ProbingError(
                    f"layer {layer}: two passes over the same texts give vectors that differ by "
                    f"{apart / size:.1e} relative to their size: {AT_RANDOM}"
                )
