"""The words that the attention of a word singles out (Clark et al. 2019, section 4.2; Voita et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from probing.io.lazy import torch
from probing.representations.reductions.token_batch import NOWHERE
from probing.representations.reductions.visible import visible_keys
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

OF_HEADS = ("to", "from", "to_earlier", "from_earlier", "to_any", "largest")
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
    - `to_any`: the index of the word that it attends to most, which may be itself.
    - `largest`: the attention that `to_any` gets.
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
        """The indices of words, and the largest attention."""
        return COLUMNS

    def reduce(self, attention: AttentionBatch) -> Tensor:
        """Reduce one batch; float64 (units, heads, columns).

        Raises:
            ProbingError: If queries and keys are not the tokens of the texts.
        """
        words, inputs = last_word(attention), attention.read()
        # one word more, which has no tokens, is that of units without words
        weights = torch.nn.functional.pad(word_attention(attention, self.rows), (0, 1, 0, 1))
        seen = seen_words(visible_keys(attention.weights, inputs.real), inputs)
        seen = torch.nn.functional.pad(seen, (0, 1, 0, 1))
        ends = torch.cat([first_and_last(seen), first_and_last(seen.transpose(1, 2))])  # (4, texts, words)
        of_layer = ends.permute(1, 2, 0).unsqueeze(1).expand(-1, weights.shape[1], -1, -1).double()
        return torch.cat([torch.stack(_targets(weights), 3), of_layer], 3)[attention.rows, :, words]


def _targets(weights: Tensor) -> list[Tensor]:
    """Return the columns `OF_HEADS` of every word, float64 (texts, heads, words) each."""
    others = weights.clone()
    others.diagonal(dim1=2, dim2=3).zero_()
    before = others.tril()
    after = others.triu()
    columns = [
        _first(others),
        _first(others.transpose(2, 3)),
        _first(before),
        _first(after.transpose(2, 3)),
        _first(weights),
    ]
    return [*columns, weights.amax(3).double()]


def _first(weights: Tensor) -> Tensor:
    """Return the first index of the largest weight of each row, -1 for a row of zeros; float64."""
    largest, places = weights.max(3)  # of equal values, torch gives the first
    return places.masked_fill(largest <= 0, NOWHERE).double()
