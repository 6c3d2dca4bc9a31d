"""The governors that each head finds in a sentence, next to those of its tree (Clark et al. 2019, 4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from probing.io.lazy import torch
from probing.looking.passages import Tree
from probing.looking.pieces import Array, Pieces
from probing.representations.reductions.word_targets import singled_out

Direction = Literal["dependent", "governor"]
"""Word that attends: the dependent to its governor (rows), or the governor to its dependent (columns)."""
DIRECTIONS: tuple[Direction, ...] = ("dependent", "governor")


@dataclass(frozen=True)
class Arcs:
    """The dependencies between the words that a model read, and what every head finds.

    Attributes:
        words: Place of each word among `Pieces`; w in total.
        heads: int64 (w,), the word that governs each word; -1 for the root, -2 if it is unknown or was cut.
        relations: Relation of each word to its governor.
        found: int64 (heads, w) for each layer and direction: the word that each head finds; -1 for none.
    """

    words: tuple[int, ...]
    heads: NDArray[np.int64]
    relations: tuple[str, ...]
    found: Mapping[Direction, Mapping[int, NDArray[np.int64]]]

    @property
    def findable(self) -> NDArray[np.bool_]:
        """The words whose governor a head can find, bool (w,): all but the root."""
        return self.heads >= 0

    def right(self, direction: Direction) -> dict[int, NDArray[np.int64]]:
        """Return the number of governors that each head finds, int64 (heads,) for each layer."""
        layers = self.found[direction]
        return {
            layer: ((found == self.heads) & self.findable).sum(1).astype(np.int64)
            for layer, found in layers.items()
        }


def arcs_of(tree: Tree, pieces: Pieces, weights: Mapping[int, Array]) -> Arcs:
    """Compare a tree with the words that every head singles out, by the rule of `singled_out`.

    Special tokens are left out.

    Args:
        tree: Dependencies between the words of the first text.
        pieces: The words that the model read.
        weights: For each layer, float32 (heads, words, words), queries and keys.
    """
    at = [place for place, word in enumerate(pieces.words) if word >= 0]
    numbers = {pieces.words[place]: row for row, place in enumerate(at)}
    governors = [tree.heads[pieces.words[place]] for place in at]
    heads = [-2 if head is None else head if head < 0 else numbers.get(head, -2) for head in governors]
    chosen = {layer: singled_out(torch.from_numpy(each[:, at][:, :, at])) for layer, each in weights.items()}
    return Arcs(
        tuple(at),
        np.array(heads, dtype=np.int64),
        tuple(tree.relations[pieces.words[place]] for place in at),
        {
            direction: {layer: found[place].numpy() for layer, found in chosen.items()}
            for place, direction in enumerate(DIRECTIONS)
        },
    )
