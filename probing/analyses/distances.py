"""Distances between heads from a cached statistic across layers: pairs, and means over all other heads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probing.analyses.read_texts import Average, averaged
from probing.representations.reader import Representations
from probing.statistics.ratios import per_text, ratio_of_blocks

_Numbers = NDArray[np.float64]
_Places = NDArray[np.int64]


@dataclass(frozen=True)
class Distances:
    """Sums of distances over the queries of each text, read a shard at a time.

    Attributes:
        read: A statistic `AcrossLayers` of each text.
        queries: float64 (texts,), the number of queries of each text.
        average: Mean over all queries, or over texts of the mean of each.
    """

    read: Representations
    queries: _Numbers
    average: Average

    def heads(self) -> _Places:
        """Return layer and head of each head that is read, int64 (heads, 2), ascending."""
        layers = self.read.layers
        counts = [self.read.layout[layer][0] for layer in layers]
        return np.stack([np.repeat(layers, counts), np.concatenate([*map(np.arange, counts)])], 1)

    def pairs(self, layer: int) -> tuple[_Places, _Places, _Numbers]:
        """Return every pair of an earlier head and a head of a layer.

        Returns:
            The places of both in `heads`, int64 (pairs,), and float64 (3, pairs): the mean distance and the
            ends of its 95 % interval over texts.

        Raises:
            CorruptFileError: If the layer is damaged in the cache.
        """
        found = np.stack(ratio_of_blocks(self._counted(*block) for _, *block in self._blocks(layer)))
        own, upto = found.shape[1:]
        second, first = np.nonzero(np.tri(own, upto, upto - own - 1))
        return first, upto - own + second, found[:, second, first]

    def to_others(self) -> tuple[_Numbers, _Numbers, _Numbers]:
        """Return the mean distance of each head to all others, and its interval; float64 (heads,) each.

        Raises:
            CorruptFileError: If a layer is damaged in the cache.
        """
        count = len(self.heads())
        sums = np.zeros((self.read.size, count))
        for layer in self.read.layers:
            for places, own, _ in self._blocks(layer):
                upto, heads = own.shape[2], own.shape[1]
                sums[places, upto - heads : upto] += own.sum(2)
                sums[places, : upto - heads] += own[:, :, : upto - heads].sum(1)
        queries = np.broadcast_to(self.queries[:, None], sums.shape)
        return averaged(sums / (count - 1), queries, self.average)

    def _blocks(self, layer: int) -> Iterator[tuple[_Places, _Numbers, _Numbers]]:
        """Yield texts, sums (texts, heads, heads so far) and queries (texts, 1, 1) of each shard."""
        kept = np.concatenate([
            np.arange(upto - heads, upto)
            for other, (heads, upto) in sorted(self.read.layout.items())
            if other <= layer
        ])  # fmt: skip
        for places, sums in self.read.blocks(layer):
            yield places, sums[:, :, kept], self.queries[places, None, None]

    def _counted(self, sums: _Numbers, queries: _Numbers) -> tuple[_Numbers, _Numbers]:
        counts = np.broadcast_to(queries, sums.shape)
        return per_text(sums, counts) if self.average == "document" else (sums, counts)
