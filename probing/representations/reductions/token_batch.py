"""The tokens of a batch of texts, as a statistic of attention sees them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from probing.io.lazy import torch
from probing.representations.reductions.visible import Visible

if TYPE_CHECKING:  # the settings of a statistic need none of what computes it
    from torch import Tensor

    from probing.tasks.task import Unit

MASKS = 2
"""Number of masks that are kept; models have one, or a window and the whole text."""
NOWHERE = -1
"""The number of a token that belongs to no segment, or to no word."""


@dataclass(frozen=True)
class TokenBatch:
    """The tokens of a batch of texts, the same for all layers.

    Attributes:
        ids: int64 (texts, length), the token ids.
        real: bool (texts, length), the tokens that are not padding.
        special: bool (texts, length), the tokens that the tokenizer adds, such as [CLS] and [SEP].
        segments: int64 (texts, length), 0 or 1 for the tokens of the first and the second text; -1 for
            special tokens and padding.
        words: int64 (texts, length), the index in `Unit.words` of the word that a token belongs to; -1 for
            all other tokens, and for all pieces of a word that was cut off.
        offsets: int64 (texts, length, 2), the characters [start, end) of each token in its own text.
        pieces: The tokens as the vocabulary writes them, for each text without padding.
        units: The unit of each text; units that share a text share its row.
    """

    ids: Tensor
    real: Tensor
    special: Tensor
    segments: Tensor
    words: Tensor
    offsets: Tensor
    pieces: tuple[tuple[str, ...], ...]
    units: tuple[Unit, ...]

    @cached_property
    def first(self) -> Tensor:
        """The first token of each text, bool (texts, length): [CLS], a start token, or the first piece."""
        return self.real & (self.real.cumsum(1) == 1)

    @cached_property
    def last(self) -> Tensor:
        """The last token of each text, bool (texts, length)."""
        return last_tokens(self.real)

    @cached_property
    def separators(self) -> Tensor:
        """The special tokens after the first other token, bool (texts, length): [SEP], or an end token.

        Special tokens before it begin the text, such as the two at which the decoder of BART starts.
        """
        plain = self.real & ~self.special
        return self.special & self.real & ~self.first & (plain.cumsum(1) > 0)

    def spelled(self, spellings: Collection[str]) -> Tensor:
        """Return the tokens with one of these spellings, bool (texts, length).

        Args:
            spellings: Spellings without the marks of a space or of the inside of a word.
        """
        return self._spelled[frozenset(spellings)]

    def visible(self, keys: Tensor) -> Visible:
        """Return the visible keys of a layer, the same object for all layers with the same mask.

        The last masks are kept, since weights in half precision may leave each layer with its own.

        Args:
            keys: bool (texts, queries, keys).
        """
        for known in self._masks:
            if torch.equal(known.keys, keys):
                return known
        self._masks.append(Visible(keys))
        del self._masks[:-MASKS]
        return self._masks[-1]

    @cached_property
    def _masks(self) -> list[Visible]:
        return []

    @cached_property
    def _spelled(self) -> _Spelled:
        return _Spelled(self)

    @cached_property
    def word_count(self) -> int:
        """The largest number of words of a text of the batch."""
        return max((len(unit.words or ()) for unit in self.units), default=0)

    @cached_property
    def members(self) -> Tensor:
        """The words that tokens belong to, float32 (texts, length, word_count), 1 or 0."""
        places = torch.arange(self.word_count, device=self.words.device)
        return (self.words.unsqueeze(2) == places).float()


def last_tokens(real: Tensor) -> Tensor:
    """Return the last token of each text, bool (texts, length), of those that are not padding."""
    return real & (real.flip(1).cumsum(1).flip(1) == 1)


class _Spelled(dict[frozenset[str], "Tensor"]):
    """Masks of spellings; all layers of a batch ask for the same ones."""

    def __init__(self, batch: TokenBatch) -> None:
        super().__init__()
        self._batch = batch

    def __missing__(self, spellings: frozenset[str]) -> Tensor:
        found = torch.zeros_like(self._batch.real, device="cpu")
        for row, pieces in enumerate(self._batch.pieces):
            places = [at for at, piece in enumerate(pieces) if bare(piece) in spellings]
            found[row, places] = True
        self[spellings] = found.to(self._batch.real.device)
        return self[spellings]


def bare(piece: str) -> str:
    """Return a token without the marks by which vocabularies write spaces and the inside of words."""
    for mark in ("##", "▁", "Ġ"):
        if piece != mark:
            piece = piece.removeprefix(mark)
    return piece.strip() or piece
