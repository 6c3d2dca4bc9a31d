"""The words that the attention of a word singles out (Clark et al. 2019, section 4.2; Voita et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from probing.io.lazy import torch
from probing.representations.reductions.token_batch import NOWHERE
from probing.representations.reductions.word_level import (
    Rows,
    first_and_last,
    last_word,
    seen_words,
    word_attention,
)

if TYPE_CHECKING:  # a cached statistic needs none of what computes it
    from torch import Tensor

    from probing.representations.reductions.statistic import AttentionBatch

OF_HEADS = ("to", "from", "to_earlier", "from_earlier")
SEEN = ("sees_from", "sees_to", "seen_from", "seen_to")
COLUMNS = (*OF_HEADS, *SEEN)
"""The numbers of each word; the last four are equal for all heads of a layer."""


@dataclass(frozen=True)
class WordTargets:
    """For one word of a text, the words that it attends to most, and those that attend to it most.

    The unit is a word: its span is one of `Unit.words`. Any annotation of the words can be scored from these
    numbers, so none is in the cache. Special tokens and other tokens outside of words are left out.

    - `to`: the index in `Unit.words` of the other word that the word attends to most.
    - `from`: the index of the other word that attends to it most.
    - `to_earlier`, `from_earlier`: the same among the words before it.
    - `sees_from`, `sees_to`: the first and last word that the word can see: those of the text, those before
      it, or a window.
    - `seen_from`, `seen_to`: the first and last word that can see it.

    The first of equal words counts. An index is -1 if no such word gets any attention, as for the first word
    of a causal model, or if the unit is not a word. A token that two words share belongs to the first.

    Attributes:
        rows: Query of a word: the mean over its pieces, or that of its first piece; see `word_attention`.
        weighted: Whether attention is weighted by the values that it moves.
    """

    rows: Rows = "mean"
    weighted: bool = False

    @property
    def name(self) -> str:
        """The name in the key of the cache."""
        return "word_targets"

    @property
    def columns(self) -> tuple[str, ...]:
        """The indices of words."""
        return COLUMNS

    def reduce(self, attention: AttentionBatch) -> Tensor:
        """Reduce one batch; float64 (units, heads, columns).

        Raises:
            ProbingError: If queries and keys are not the tokens of the texts.
        """
        words, inputs = last_word(attention), attention.read()
        # one word more, which has no tokens, is that of units without words
        weights = torch.nn.functional.pad(word_attention(attention, self.rows), (0, 1, 0, 1))
        seen = seen_words(attention.visible.keys, inputs)
        seen = torch.nn.functional.pad(seen, (0, 1, 0, 1))
        ends = torch.cat([first_and_last(seen), first_and_last(seen.transpose(1, 2))])  # (4, texts, words)
        of_layer = ends.permute(1, 2, 0).unsqueeze(1).expand(-1, weights.shape[1], -1, -1).double()
        return torch.cat([torch.stack(_targets(weights), 3), of_layer], 3)[attention.rows, :, words]


def singled_out(weights: Tensor) -> tuple[Tensor, Tensor]:
    """Return the other word that each word attends to most, and the other word that attends to it most.

    This is the one rule by which a head finds related words. The first of equal words counts. A word that
    neither gets nor gives any attention has none.

    Args:
        weights: (..., words, words), the attention between the words of a text.

    Returns:
        Two tensors of indices of words, int64 (..., words), -1 for none.
    """
    others = weights.clone()
    others.diagonal(dim1=-2, dim2=-1).zero_()
    return _first(others), _first(others.mT)


def _targets(weights: Tensor) -> list[Tensor]:
    """Return the columns `OF_HEADS` of every word, float64 (texts, heads, words) each."""
    to, to_it = singled_out(weights)
    # a word before another is its key in the lower triangle, and its query in the upper one
    before, _ = singled_out(weights.tril())
    _, before_it = singled_out(weights.triu())
    return [found.double() for found in (to, to_it, before, before_it)]


def _first(weights: Tensor) -> Tensor:
    """Return the first index of the largest weight of each row, -1 for a row of zeros; int64."""
    if not weights.shape[-1]:  # a text without words has no largest weight
        return weights.new_zeros(weights.shape[:-1], dtype=torch.int64)
    largest, places = weights.max(-1)  # of equal values, torch gives the first
    return places.masked_fill(largest <= 0, NOWHERE)
