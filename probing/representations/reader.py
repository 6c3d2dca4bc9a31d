"""Cached vectors of a list of units, read a layer at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.representations.cache import ShardPart
from probing.validation.shortened import some


@dataclass(frozen=True)
class Representations:
    """The vectors of `size` units at every head of a model, read from disk on demand.

    Attributes:
        key: Cache key of the request.
        layout: Number of heads and head dimension of each layer; layer -1 is the embeddings.
        size: Number of rows, in the order of the requested units.
        parts: The shards with the rows that each contains.
    """

    key: str
    layout: Mapping[int, tuple[int, int]]
    size: int
    parts: tuple[ShardPart, ...]

    def __repr__(self) -> str:
        """Return the number of rows and layers, the shapes of the vectors, and the key."""
        shapes = some(dict.fromkeys(f"{heads} x {dim}" for heads, dim in self.layout.values()))
        return f"Representations({self.size} rows, {len(self.layout)} layers of {shapes}; key {self.key})"

    @property
    def layers(self) -> tuple[int, ...]:
        """Readable layers, ascending."""
        return tuple(sorted(self.layout))

    @property
    def complete(self) -> bool:
        """Return whether every row is in some shard."""
        return sum(len(part.places) for part in self.parts) == self.size

    def layer(self, layer: int, heads: Sequence[int] | None = None) -> NDArray[np.float32]:
        """Read one layer, or some of its heads.

        Returns:
            float32 (heads, size, head_dim); NaN in the rows of `missing`.

        Raises:
            CorruptFileError: If a file of the cache is damaged; the message names it.
            ProbingError: If no shard holds some of the rows.
        """
        self._check_complete()
        count, dim = self.layout[layer]
        heads = range(count) if heads is None else heads
        vectors = np.empty((len(heads), self.size, dim), dtype=np.float32)
        for part in self.parts:
            for place, values in enumerate(part.shard.vectors(layer, heads)):
                vectors[place, part.places] = values[part.rows]
        return vectors

    def blocks(self, layer: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """Read one layer a shard at a time, so that memory does not grow with the number of rows.

        Yields:
            The rows that one shard holds, int64 (k,), and their vectors, float64 (k, heads, head_dim).

        Raises:
            CorruptFileError: If a file of the cache is damaged; the message names it.
            ProbingError: If no shard holds some of the rows.
        """
        self._check_complete()
        heads = range(self.layout[layer][0])
        for part in self.parts:
            columns = [values[part.rows] for values in part.shard.vectors(layer, heads)]
            yield part.places, np.stack(columns, axis=1).astype(np.float64, copy=False)

    def _check_complete(self) -> None:
        if not self.complete:
            raise ProbingError(f"the vectors of request {self.key} are not all cached; run probing again")

    @property
    def truncated(self) -> int:
        """Number of rows whose text was truncated to the model's limit, including those of `missing`."""
        return len(self._marked("truncated"))

    @cached_property
    def missing(self) -> NDArray[np.int64]:
        """Rows without a vector, ascending: words that were cut off with their text's end or have no token.

        Raises:
            CorruptFileError: If a file of the cache is damaged; the message names it.
        """
        return self._marked("missing")

    @property
    def silent(self) -> NDArray[np.int64]:
        """Rows of `missing` whose text was not truncated: words to which the tokenizer assigns no token."""
        return np.setdiff1d(self.missing, self._marked("truncated"))

    def _marked(self, name: Literal["truncated", "missing"]) -> NDArray[np.int64]:
        places = [part.places[part.shard.marked(name)[part.rows]] for part in self.parts]
        return np.sort(np.concatenate([np.empty(0, dtype=np.int64), *places]))
