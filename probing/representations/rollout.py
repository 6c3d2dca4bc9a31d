"""Attention rollout: the share of each input token in each position of each layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from probing.errors import ProbingError
from probing.validation.arguments import checked

_TOLERANCE = 1e-2


@checked()
def rollout(maps: Sequence[ArrayLike]) -> NDArray[np.float64]:
    """Multiply the attention of all layers, each with its residual connection (Abnar & Zuidema 2020).

    Heads are averaged, A = (mean + I) / 2 with rows normalised to 1, and R_l = A_l R_{l-1} (equation 1) from
    R_0 = A_0 on. R_l[i, j] estimates the share of input token j in position i after layer l.

    Args:
        maps: For each layer from 0, attention weights (texts, heads, n, n) of one stack, any float type. Rows
            may sum to less than 1, as with a sink. Maps that are weighted by values must first be divided by
            the sums of their rows. Keys that are padding have no weight and stay without.

    Returns:
        (texts, layers, n, n); every row sums to 1.

    Raises:
        ProbingError: If there is no layer, if layers differ in shape, if queries and keys are not the same
            positions, or if the numbers are not weights.

    Example:
        >>> import numpy as np
        >>> from probing import rollout
        >>> causal = np.array([[1.0, 0.0], [0.5, 0.5]])
        >>> rollout([causal[None, None]] * 2)[0, -1]
        array([[1.    , 0.    ],
               [0.4375, 0.5625]])
    """
    means = [_mean(layer, weights) for layer, weights in enumerate(maps)]
    if len({mean.shape for mean in means}) != 1:
        raise ProbingError("rollout: give maps of at least one layer, all of one shape (texts, heads, n, n)")
    rolled: list[NDArray[np.float64]] = []
    for mean in means:
        mixed = mean + np.eye(mean.shape[-1])
        mixed /= mixed.sum(-1, keepdims=True)
        rolled.append(mixed @ rolled[-1] if rolled else mixed)
    return np.stack(rolled, axis=1)


def _mean(layer: int, weights: ArrayLike) -> NDArray[np.float64]:
    """Return the mean over heads (texts, n, n)."""
    array = np.asarray(weights, dtype=np.float64)
    if array.ndim != 4 or array.shape[2] != array.shape[3] or not array.shape[1]:
        raise ProbingError(
            f"rollout: the map of layer {layer} has shape {array.shape}; it must be (texts, heads, n, n), "
            "with the same positions as queries and keys"
        )
    mean: NDArray[np.float64] = array.mean(1)
    if not (array >= 0).all() or not (mean.sum(-1) <= 1 + _TOLERANCE).all():
        raise ProbingError(
            f"rollout: the rows of layer {layer} are not weights that sum to 1 at most; divide weighted maps "
            "by the sums of their rows"
        )
    return mean
