"""CAT scores: whether attention between leaves of code is high where the tree is near (Chen et al. 2022)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from probing.io.lazy import torch
from probing.representations.reductions.leaf_maps import LeafMaps, leaf_maps
from probing.statistics.overlap import high_entries, overlaps

if TYPE_CHECKING:  # a cached statistic needs none of what computes it
    from torch import Tensor

    from probing.representations.reductions.statistic import AttentionBatch

Kept = tuple[tuple[int, tuple[str, ...]], ...]
"""Layers, each with the types of its leaves that are scored."""
OF = ("", "layer_", "position_")
"""Prefixes of columns: those of each head, and those of all heads of a layer, which are equal for all."""
_Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class CatScores:
    """The CAT score of every text and head, and of the mean over the heads of the layer (equation 3).

    With attention A and distances D between leaves, the score is the share of pairs with both A above its
    upper quartile and D below its lower quartile, among pairs with either. Chance is the mean score of A with
    its entries in random order. The score by position is that of A = 1 / (1 + |i - j|) for the i-th and j-th
    leaf, which knows the order of the leaves and nothing of the tree. Only pairs that the model lets see
    each other count, so for causal models j <= i. A text is skipped, with 0 in all columns, where A is 0 or
    no pair has either.

    Attributes:
        language: Name of the tree-sitter grammar.
        grammar: Version of the grammar.
        kept: The types of leaves to score, for each layer; a layer that is not named keeps all leaves.
        weighted: Whether attention is weighted by the values that it moves.
    """

    language: str
    grammar: str = ""
    kept: Kept = ()
    weighted: bool = False

    @property
    def name(self) -> str:
        """The name in the key of the cache."""
        return "cat"

    @property
    def columns(self) -> tuple[str, ...]:
        """Score, chance level, and 1 where defined: of each head, of the mean over heads, and by position."""
        return tuple(f"{of}{name}" for of in OF for name in ("score", "chance", "texts"))

    def reduce(self, attention: AttentionBatch) -> Tensor:
        """Reduce one batch; float64 (units, heads, 9).

        Raises:
            ProbingError: If queries and keys are not the tokens of the texts.
        """
        types = dict(self.kept).get(attention.layer)
        rows = [_scores(maps.of_types(types)) for maps in leaf_maps(attention, self.language)]
        return attention.per_unit(torch.from_numpy(np.stack(rows)).to(attention.weights.device))


@dataclass(frozen=True)
class TypeRates:
    """Counts of leaves of each type in pairs of high attention, after the mean over heads.

    Attributes:
        language: Name of the tree-sitter grammar.
        grammar: Version of the grammar.
        types: The types that are counted.
        weighted: Whether attention is weighted by the values that it moves.
    """

    language: str
    grammar: str = ""
    types: tuple[str, ...] = ()
    weighted: bool = False

    @property
    def name(self) -> str:
        """The name in the key of the cache."""
        return "cat_types"

    @property
    def columns(self) -> tuple[str, ...]:
        """For each type, its ends of pairs above the upper quartile, and then its ends of all pairs."""
        return (*(f"high {name}" for name in self.types), *(f"all {name}" for name in self.types))

    def reduce(self, attention: AttentionBatch) -> Tensor:
        """Reduce one batch; float64 (units, heads, columns), equal for all heads.

        Raises:
            ProbingError: If queries and keys are not the tokens of the texts.
        """
        rows = [self._ends(maps) for maps in leaf_maps(attention, self.language)]
        found = torch.from_numpy(np.stack(rows)).to(attention.weights.device)
        return attention.per_unit(found.unsqueeze(1).expand(-1, attention.weights.shape[1], -1))

    def _ends(self, leaves: LeafMaps) -> _Numbers:
        high = np.zeros_like(leaves.visible)
        high[leaves.visible] = high_entries(leaves.of_layer)[0]
        of_type = leaves.types == np.array(self.types, dtype=np.str_)[:, None]
        ends = [of_type @ (pairs.sum(0) + pairs.sum(1)) for pairs in (high, leaves.visible)]
        return np.concatenate(ends).astype(np.float64)


def _scores(leaves: LeafMaps) -> _Numbers:
    """Return the columns of one text, float64 (heads, 9)."""
    near = leaves.distances[leaves.visible].astype(np.float64)
    kinds = (leaves.of_heads, leaves.of_layer, leaves.of_position)
    found = [np.stack(overlaps(maps, near), 1).astype(np.float64) for maps in kinds]
    return np.concatenate([np.broadcast_to(each, (len(leaves.maps), 3)) for each in found], 1)
