"""Attention between the leaves of a syntax tree, from attention between tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from probing.datasets.code.leaf_distances import leaf_distances
from probing.datasets.code.syntax import parse
from probing.io.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

    from probing.representations.reductions.statistic import AttentionBatch
    from probing.tasks.task import Unit

KEPT_DISTANCES = 256
"""Number of matrices of distances that are kept in memory; all layers of a batch need those of its texts."""


@dataclass(frozen=True)
class LeafMaps:
    """Attention of one text between the n leaves that have tokens.

    Attributes:
        maps: float64 (heads, n, n), the mean over all pairs of tokens of two leaves that the model lets see
            each other; 0 where there is none.
        visible: bool (n, n), the pairs of leaves with such tokens: for a causal model those with j <= i.
        distances: int64 (n, n), between the same leaves.
        types: The type of each leaf, str (n,).
        places: The place of each leaf among all leaves of the code, int64 (n,).
    """

    maps: NDArray[np.float64]
    visible: NDArray[np.bool_]
    distances: NDArray[np.int64]
    types: NDArray[np.str_]
    places: NDArray[np.int64]

    def of_types(self, types: tuple[str, ...] | None) -> LeafMaps:
        """Return the maps between the leaves of some types; None keeps all leaves."""
        if types is None:
            return self
        rows = np.flatnonzero(np.isin(self.types, types))
        square = np.ix_(rows, rows)
        maps = self.maps[:, rows][:, :, rows]
        return LeafMaps(
            maps, self.visible[square], self.distances[square], self.types[rows], self.places[rows]
        )

    @property
    def of_heads(self) -> NDArray[np.float64]:
        """The visible entries of the map of each head, (heads, pairs)."""
        entries: NDArray[np.float64] = self.maps[:, self.visible]
        return entries

    @property
    def of_layer(self) -> NDArray[np.float64]:
        """The visible entries of the mean over heads, (1, pairs)."""
        entries: NDArray[np.float64] = self.of_heads.mean(0, keepdims=True)
        return entries

    @property
    def of_position(self) -> NDArray[np.float64]:
        """The visible entries of a map that falls with the distance in the text alone, (1, pairs)."""
        apart = np.abs(self.places[:, None] - self.places)
        entries: NDArray[np.float64] = (1 / (1 + apart))[self.visible][None]
        return entries


def leaf_maps(attention: AttentionBatch, language: str) -> Iterator[LeafMaps]:
    """Yield the attention between leaves for each text of a batch.

    The words of a unit are the leaves of its `origin`, or of its text.

    Raises:
        ProbingError: If queries and keys are not the tokens of the texts, or code has other leaves.
    """
    inputs = attention.read()
    seen = attention.visible.keys
    for row, unit in enumerate(inputs.units):
        present, maps, visible = _blocks(attention.weights[row], seen[row], inputs.words[row])
        if not len(present):  # without words, as in a trial of the speed
            yield LeafMaps(maps, visible, np.zeros((0, 0), np.int64), np.empty(0, np.str_), present)
            continue
        code = _code(unit)
        types = np.array(parse(code, language).types)[present]
        distances = _distances(code, language, present.tobytes())
        yield LeafMaps(maps, visible, distances, types, present)


def _code(unit: Unit) -> str:
    return unit.text if unit.origin is None else unit.origin


@lru_cache(maxsize=KEPT_DISTANCES)
def _distances(code: str, language: str, present: bytes) -> NDArray[np.int64]:
    return leaf_distances(parse(code, language), np.frombuffer(present, dtype=np.int64))


def _blocks(
    weights: Tensor, seen: Tensor, words: Tensor
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return the leaves that have tokens, (n,), the means of their blocks, and which of these are visible."""
    tokens = (words >= 0).nonzero().squeeze(1)
    present = torch.unique(words[tokens])
    members = (words[tokens].unsqueeze(0) == present.unsqueeze(1)).double()
    visible = seen[tokens][:, tokens].double()
    counts = members @ visible @ members.T
    sums = members @ (weights[:, tokens][:, :, tokens].double() * visible) @ members.T
    maps = sums / counts.clamp_min(1)
    return present.cpu().numpy(), maps.cpu().numpy(), (counts > 0).cpu().numpy()
