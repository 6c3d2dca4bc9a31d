"""The attention between a word and all words of its text, and special tokens, for probes of trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from probing.errors import ProbingError
from probing.io.lazy import torch
from probing.representations.reductions.word_level import Rows, last_word, word_attention

if TYPE_CHECKING:  # a cached statistic needs none of what computes it
    from torch import Tensor

    from probing.representations.reductions.statistic import AttentionBatch

SPECIAL = ("to_first", "to_separators", "from_first", "from_separators")
"""Attention of a word to the first token and to separators, and of these to the word."""
NUMBER = "word"


@dataclass(frozen=True)
class WordRows:
    """For each unit, which is a word, its row of the attention between the words of its text.

    The rows of all words of a text are its map, and the columns of the map are the rows of its transpose. So
    a text of n words costs n rows of `width` numbers instead of one of width². The first token is [CLS], a
    start token, or the first piece of the first word where the tokenizer adds none. Separators are the
    special tokens after it. Without any, their columns are 0. With several, a word has the sum of what it
    gives to them, and the mean of what they give to it.

    Attributes:
        width: Maximum number of words of a text; columns beyond its words are 0.
        rows: `mean` averages the queries of all pieces of a word; `first` takes the first piece.
        weighted: Whether attention is weighted by the values that it moves.
    """

    width: int = 64
    rows: Rows = "mean"
    weighted: bool = False

    @property
    def name(self) -> str:
        """The name in the key of the cache."""
        return "word_rows"

    @property
    def columns(self) -> tuple[str, ...]:
        """The number of the word in its text, attention to and from special tokens, and to each word.

        The number is that of the last word which tokens of the unit belong to. It is another one for a word
        without a token of its own, which shares its tokens with the word before it.
        """
        return (NUMBER, *SPECIAL, *(f"to_{number}" for number in range(self.width)))

    def reduce(self, attention: AttentionBatch) -> Tensor:
        """Reduce one batch; float64 (units, heads, 5 + width).

        Raises:
            ProbingError: If a text has more words, or queries and keys are not the tokens of the texts.
        """
        inputs = attention.read()
        if inputs.word_count > self.width:
            raise ProbingError(
                f"statistic {self.name}: a text has {inputs.word_count} words; leave it out, or raise the "
                f"width from {self.width}"
            )
        between = torch.cat(
            [special_attention(attention, self.rows), word_attention(attention, self.rows)], 3
        )
        # a text may have no words, as one that is read to estimate the time
        between = torch.nn.functional.pad(between, (0, 0, 0, int(not inputs.word_count)))
        numbers = last_word(attention)
        own = between[attention.rows, :, numbers.clamp_min(0)].double()
        own = torch.nn.functional.pad(own, (0, self.width - inputs.word_count))
        return torch.cat([numbers.to(own).view(-1, 1, 1).expand(-1, own.shape[1], 1), own], 2)


def special_attention(attention: AttentionBatch, rows: Rows = "mean") -> Tensor:
    """Return the attention between words and special tokens.

    Args:
        attention: The weights of one layer, with their tokens.
        rows: See `WordRows`.

    Returns:
        (texts, heads, words, 4), the columns `SPECIAL`, at least float32.

    Raises:
        ProbingError: If queries and keys are not the tokens of the texts.
    """
    inputs = attention.read()
    wide = torch.promote_types(attention.weights.dtype, torch.float32)
    weights = attention.weights.to(wide).masked_fill(~inputs.real[:, None, :, None], 0)
    members = inputs.members.to(wide).unsqueeze(1)
    kinds = torch.stack([inputs.first, inputs.separators], 2).to(wide).unsqueeze(1)
    firsts = members * (members.cumsum(2) == 1) if rows == "first" else members
    queries = firsts / firsts.sum(2, keepdim=True).clamp_min(1)
    sources = kinds / kinds.sum(2, keepdim=True).clamp_min(1)
    to_kinds = queries.transpose(2, 3) @ (weights @ kinds)
    from_kinds = sources.transpose(2, 3) @ weights @ members
    return torch.cat([to_kinds, from_kinds.transpose(2, 3)], 3)
