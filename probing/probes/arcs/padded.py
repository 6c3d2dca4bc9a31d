"""Sentences with the attention between their words, padded to batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from probing.io.lazy import torch

ROOT = 0
"""The candidate of a word without a head word; candidate j + 1 is word j of the sentence."""
UNKNOWN = -1
"""The candidate of a word whose head word is not known, and of padding."""
PAIRS = 1 << 12
"""Pairs of words in a batch, whose maps fit into the cache of a processor."""


@dataclass(frozen=True)
class Tree:
    """The words of a sentence with their head words.

    Attributes:
        governors: int64 (n,), the candidate that is the head word of each word: 0 for ROOT, j + 1 for word j,
            -1 where it is not known.
        scored: bool (n,), the words that count in scores.
        words: int64 (n,), the row of each word in a table of vectors.
        relations: int64 (n,), the class of the relation to the head word; -1 where it is not known.
    """

    governors: NDArray[np.int64]
    scored: NDArray[np.bool_]
    words: NDArray[np.int64]
    relations: NDArray[np.int64]

    def __len__(self) -> int:
        """Number of words."""
        return len(self.governors)


@dataclass(frozen=True)
class Batch:
    """Sentences of similar length, padded on the right.

    Attributes:
        maps: float32 (sentences, n, n, heads), the attention of word i to word j.
        root: float32 (sentences, n, 2, 2 · heads), the attention of each word to the first token and to
            separators, of all heads; then that of the first token and of separators to each word.
        governors: int64 (sentences, n); see `Tree`, -1 for padding.
        scored: bool (sentences, n).
        words: int64 (sentences, n); 0 for padding.
        relations: int64 (sentences, n); -1 for padding.
        lengths: int64 (sentences,), numbers of words.
        numbers: int64 (sentences,), positions in the list of sentences.
    """

    maps: torch.Tensor
    root: torch.Tensor
    governors: torch.Tensor
    scored: torch.Tensor
    words: torch.Tensor
    relations: torch.Tensor
    lengths: torch.Tensor
    numbers: torch.Tensor

    @cached_property
    def real(self) -> torch.Tensor:
        """The words that are not padding, bool (sentences, n)."""
        return torch.arange(self.maps.shape[1], device=self.maps.device) < self.lengths.unsqueeze(1)

    def sentence(self, row: int) -> Batch:
        """Return one sentence without padding."""
        n = int(self.lengths[row])
        one = slice(row, row + 1)
        return Batch(
            maps=self.maps[one, :n, :n],
            root=self.root[one, :n],
            governors=self.governors[one, :n],
            scored=self.scored[one, :n],
            words=self.words[one, :n],
            relations=self.relations[one, :n],
            lengths=self.lengths[one],
            numbers=self.numbers[one],
        )

    def double(self) -> Batch:
        """Return the same batch with maps in float64."""
        return replace(self, maps=self.maps.double(), root=self.root.double())

    def to(self, device: torch.device) -> Batch:
        """Return the same batch on a device."""
        return Batch(**{name: value.to(device) for name, value in self._fields().items()})

    def permuted(self, seed: int) -> Batch:
        """Return the batch with its words in another order in the maps, and their trees unchanged.

        What a head says about a pair of words is then said about another pair of the same sentence. Attention
        of a word to itself stays so.

        Args:
            seed: Seed of the orders; that of a sentence depends on its number too, and not on its batch.
        """
        order = torch.arange(self.maps.shape[1]).repeat(len(self.maps), 1)
        for row, (number, n) in enumerate(zip(self.numbers.tolist(), self.lengths.tolist(), strict=True)):
            order[row, :n] = torch.from_numpy(np.random.default_rng([seed, number]).permutation(n))
        order = order.to(self.maps.device)
        rows = torch.arange(len(order), device=order.device).unsqueeze(1)
        maps = self.maps[rows.unsqueeze(2), order.unsqueeze(2), order.unsqueeze(1)]
        return replace(self, maps=maps, root=self.root[rows, order])

    def _fields(self) -> dict[str, torch.Tensor]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class Corpus:
    """All sentences of a split in batches.

    Attributes:
        batches: The batches.
        places: For each sentence in order its batch and its row there.
    """

    batches: tuple[Batch, ...]
    places: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, trees: Sequence[Tree], heads: int, pairs: int = PAIRS) -> Corpus:
        """Return trees in batches with maps of zeros, which are filled in place.

        Args:
            trees: The sentences, each with at least one word.
            heads: Number of heads of all layers together.
            pairs: Maximum number of pairs of words in a batch, unless it has one sentence.
        """
        places: list[tuple[int, int]] = [(0, 0)] * len(trees)
        batches: list[Batch] = []
        for group in _groups([len(tree) for tree in trees], pairs):
            for row, number in enumerate(group):
                places[number] = (len(batches), row)
            batches.append(_empty([trees[number] for number in group], group, heads))
        return cls(tuple(batches), tuple(places))

    def __len__(self) -> int:
        """Number of sentences."""
        return len(self.places)

    @property
    def heads(self) -> int:
        """Number of heads of all layers together."""
        return self.batches[0].maps.shape[3]

    @property
    def scored(self) -> int:
        """Number of words that count in scores."""
        return sum(int(batch.scored.sum()) for batch in self.batches)

    @cached_property
    def governed(self) -> int:
        """Number of words whose head word is known."""
        return sum(int((batch.governors != UNKNOWN).sum()) for batch in self.batches)

    def sentence(self, number: int) -> Batch:
        """Return one sentence without padding."""
        batch, row = self.places[number]
        return self.batches[batch].sentence(row)

    def to(self, device: torch.device) -> Corpus:
        """Return the same sentences on a device."""
        return replace(self, batches=tuple(batch.to(device) for batch in self.batches))

    def permuted(self, seed: int) -> Corpus:
        """Return the sentences with the words of their maps in another order; see `Batch.permuted`."""
        return replace(self, batches=tuple(batch.permuted(seed) for batch in self.batches))


def _groups(lengths: Sequence[int], pairs: int) -> list[list[int]]:
    """Return the numbers of sentences in groups of similar length, which fit into batches."""
    groups: list[list[int]] = []
    for number in sorted(range(len(lengths)), key=lambda number: lengths[number]):
        if not groups or (len(groups[-1]) + 1) * lengths[number] ** 2 > pairs:
            groups.append([])
        groups[-1].append(number)
    return groups


def _empty(trees: Sequence[Tree], numbers: Sequence[int], heads: int) -> Batch:
    size = (len(trees), max(map(len, trees)))
    columns = {
        "governors": np.full(size, UNKNOWN),
        "scored": np.zeros(size, dtype=bool),
        "words": np.zeros(size, dtype=np.int64),
        "relations": np.full(size, UNKNOWN),
    }
    for row, tree in enumerate(trees):
        for name, column in columns.items():
            column[row, : len(tree)] = getattr(tree, name)
    return Batch(
        maps=torch.zeros(*size, size[1], heads),
        root=torch.zeros(*size, 2, 2 * heads),
        lengths=torch.tensor([len(tree) for tree in trees]),
        numbers=torch.tensor(numbers),
        **{name: torch.from_numpy(column) for name, column in columns.items()},
    )
