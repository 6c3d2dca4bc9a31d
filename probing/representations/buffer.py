"""Vectors on their way to a shard, in memory that is claimed once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from probing.representations.forward import Rows
from probing.representations.half import Half
from probing.representations.settings import Kept
from probing.representations.shard import Vectors


class Buffer:
    """Gathers batches of vectors, a contiguous array for each layer.

    Many small arrays, kept between the passes of a model, would scatter over the heap and make it grow with
    the corpus; these arrays are claimed once and filled again and again.
    """

    def __init__(
        self, layout: Mapping[int, tuple[int, int]], capacity: int, storage: Kept = "float32"
    ) -> None:
        """Claim room for `capacity` units of every layer, (heads, head_dim) each, in this precision."""
        self._arrays: dict[int, Vectors] = {
            layer: np.empty((capacity, heads, dim), dtype=storage) for layer, (heads, dim) in layout.items()
        }
        self._half = Half(layout) if storage == "float16" else None
        self._capacity = capacity
        self._places: list[int] = []
        self._truncated: list[int] = []
        self._missing: list[int] = []

    def __len__(self) -> int:
        """The number of units held."""
        return len(self._places)

    def has_room(self, rows: Rows) -> bool:
        """Whether a batch fits beside what is held."""
        return len(self) + len(rows.places) <= self._capacity

    def add(self, rows: Rows) -> None:
        """Copy a batch of vectors; where half precision cannot hold one, its layer is widened."""
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

    def take(self) -> Rows:
        """What is held, as views that the next `add` overwrites; the buffer is empty afterwards."""
        held = len(self)
        vectors = {layer: array[:held] for layer, array in self._arrays.items()}
        rows = Rows(tuple(self._places), vectors, tuple(self._truncated), tuple(self._missing))
        self._places, self._truncated, self._missing = [], [], []
        return rows

    def report(self) -> None:
        """Warn of what half precision has cost, if it was asked for."""
        if self._half is not None:
            self._half.report()
