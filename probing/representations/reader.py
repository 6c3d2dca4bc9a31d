"""Cached vectors of a list of units, read a layer at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probing.representations.store import Part


@dataclass(frozen=True)
class Representations:
    """What every head of a model holds for `size` units; nothing is in memory before it is asked for.

    Attributes:
        key: The cache key of the request that these vectors answer.
        layout: For each layer its number of heads and head dimension; layer -1 is the embeddings.
        size: Number of rows, in the order of the units that were asked for.
        parts: Which shard holds which rows.
    """

    key: str
    layout: Mapping[int, tuple[int, int]]
    size: int
    parts: tuple[Part, ...]

    @property
    def layers(self) -> tuple[int, ...]:
        """The layers that can be read, ascending."""
        return tuple(sorted(self.layout))

    @property
    def complete(self) -> bool:
        """Whether every row is in some shard."""
        return sum(len(part.places) for part in self.parts) == self.size

    def layer(self, layer: int, heads: Sequence[int] | None = None) -> NDArray[np.float32]:
        """Read one layer, or some of its heads.

        Returns:
            float32 (heads, size, head_dim).

        Raises:
            CorruptFileError: If a file of the cache is damaged; the message names it.
        """
        count, dim = self.layout[layer]
        heads = range(count) if heads is None else heads
        vectors = np.empty((len(heads), self.size, dim), dtype=np.float32)
        for part in self.parts:
            for place, values in enumerate(part.shard.vectors(layer, heads)):
                vectors[place, part.places] = values[part.rows]
        return vectors

    @property
    def truncated(self) -> int:
        """How many of the rows stand for a text that was cut to the model's limit."""
        count = 0
        for part in self.parts:
            cut = set(part.shard.meta["truncated"])
            if cut:
                ids = part.shard.ids()
                count += sum(ids[row] in cut for row in part.rows.tolist())
        return count
