"""Vectors in half precision: those out of its range, and the features that it blurs."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from probing.representations.shard import Vectors

log = logging.getLogger(__name__)
LARGEST = float(np.finfo(np.float16).max)
STEPS = 64  # a feature that spreads over fewer steps is blurred
# relative to the mean, a spread this small is the rounding of float32: the feature is constant
ROUNDING = 8 * float(np.finfo(np.float32).eps)


class Half:
    """Conversion of vectors to float16, with a record of the loss of precision.

    A vector with a value beyond the range of float16 stays float32. All others are rounded to float16, even
    if the array stays float32 because of such a vector, so that each stored vector depends only on itself.
    """

    def __init__(self, layout: Mapping[int, tuple[int, int]]) -> None:
        """Prepare for vectors of these layers, (heads, head_dim) each."""
        self._features = {layer: _Moments(heads, dim) for layer, (heads, dim) in layout.items()}
        self._wide = dict.fromkeys(layout, 0)

    def narrow(self, layer: int, vectors: Vectors) -> Vectors:
        """Round vectors (units, heads, head_dim); return float32 if one of them exceeds float16.

        Args:
            layer: The layer of the vectors.
            vectors: Vectors that the model computed, float32; NaN where a unit has no vector.
        """
        largest = np.abs(vectors).max(2, initial=0)
        wide = largest > LARGEST
        self._wide[layer] += int(wide.sum())
        self._features[layer].add(vectors, largest <= LARGEST)
        with np.errstate(over="ignore"):  # values that overflow are not used
            half = vectors.astype(np.float16)
        return np.where(wide[..., None], vectors, half.astype(np.float32)) if wide.any() else half

    def blurred(self) -> tuple[int, int]:
        """Return the number of features that spread over fewer than 64 float16 steps, and of all features."""
        marks = [moments.blurred() for moments in self._features.values()]
        return sum(int(mark.sum()) for mark in marks), sum(mark.size for mark in marks)

    def report(self) -> None:
        """Warn about features that are blurred, and about vectors that stay float32."""
        blurred, total = self.blurred()
        if blurred:
            log.warning(
                "extract.storage=float16: %s of %s features spread over fewer than %d steps of float16, too "
                "few for a probe to decode them; extract.storage=float32 keeps their precision",
                f"{blurred:,}",
                f"{total:,}",
                STEPS,
            )
        layers = [str(layer) for layer, count in self._wide.items() if count]
        if layers:
            log.warning(
                "extract.storage=float16: %s vectors exceed its range and stay float32 (layers %s)",
                f"{sum(self._wide.values()):,}",
                ", ".join(layers),
            )


class _Moments:
    """Mean and variance of every feature, batch by batch (Chan, Golub & LeVeque 1979, eq. 2.1)."""

    def __init__(self, heads: int, dim: int) -> None:
        self._count = np.zeros((heads, 1))
        self._mean = np.zeros((heads, dim))
        self._squares = np.zeros((heads, dim))

    def add(self, vectors: Vectors, used: NDArray[np.bool_]) -> None:
        """Add the vectors (units, heads, dim) that are `used`, bool (units, heads)."""
        weight = used[..., None]
        count = weight.sum(0)
        values = np.where(weight, vectors, 0).astype(np.float64)
        mean = values.sum(0) / np.maximum(count, 1)
        total = self._count + count
        gap, share = mean - self._mean, count / np.maximum(total, 1)
        apart = np.where(weight, values - mean, 0)
        self._squares += np.square(apart).sum(0) + gap**2 * self._count * share
        self._mean += gap * share
        self._count = total

    def blurred(self) -> NDArray[np.bool_]:
        """Mark features that vary, but over fewer than 64 float16 steps at their mean; bool (heads, dim)."""
        size = np.abs(self._mean)
        spread = np.sqrt(self._squares / np.maximum(self._count, 1))
        step = np.spacing(size.astype(np.float16)).astype(np.float64)
        found: NDArray[np.bool_] = (spread > ROUNDING * size) & (spread < STEPS * step)
        return found
