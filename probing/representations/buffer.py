"""A buffer for the vectors of the next shard, in memory that is allocated once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from probing.representations.forward import PooledRows
from probing.representations.half import Half
from probing.representations.settings import Kept
from probing.representations.shard import Vectors


class Buffer:
    """A buffer of batches of vectors, with one contiguous array per layer.

    Many small arrays, kept between the passes of a model, would fragment the heap and let it grow with the
    corpus. These arrays are allocated once and reused.
    """

    def __init__(
        self, layout: Mapping[int, tuple[int, int]], capacity: int, storage: Kept = "float32"
    ) -> None:
        """Allocate `capacity` units of every layer, (heads, head_dim) each, in this precision."""
        self._arrays: dict[int, Vectors] = {
            layer: np.empty((capacity, heads, dim), dtype=storage) for layer, (heads, dim) in layout.items()
        }
        self._half = Half(layout) if storage == "float16" else None
        self._capacity = capacity
        self._places: list[int] = []
        self._truncated: list[int] = []
        self._missing: list[int] = []

    def __len__(self) -> int:
        """Return the number of units held."""
        return len(self._places)

    def has_room(self, rows: PooledRows) -> bool:
        """Return whether a batch fits in the remaining space."""
        return len(self) + len(rows.places) <= self._capacity

    def add(self, rows: PooledRows) -> None:
        """Copy a batch of vectors; a layer becomes float32 if a vector exceeds half precision."""
        start, end = len(self), len(self) + len(rows.places)
        for layer, values in rows.vectors.items():
            kept = values if self._half is None else self._half.narrow(layer, values)
            array = self._arrays[layer]
            if end > len(array):
                array = np.resize(array, (end, *array.shape[1:]))
            if kept.dtype == np.float32 != array.dtype:
                array = array.astype(np.float32)
            array[start:end] = kept
            self._arrays[layer] = array
        self._places += rows.places
        self._truncated += rows.truncated
        self._missing += rows.missing

    def take(self) -> PooledRows:
        """Empty the buffer and return its content, as views that the next `add` overwrites."""
        held = len(self)
        vectors = {layer: array[:held] for layer, array in self._arrays.items()}
        rows = PooledRows(tuple(self._places), vectors, tuple(self._truncated), tuple(self._missing))
        self._places, self._truncated, self._missing = [], [], []
        return rows

    def report(self) -> None:
        """Warn about what half precision has lost, if it is configured."""
        if self._half is not None:
            self._half.report()
