"""Attention between words instead of their pieces (Clark et al. 2019, section 4.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from probing.io.lazy import torch
from probing.representations.reductions.token_batch import NOWHERE

if TYPE_CHECKING:  # a cached statistic needs none of what computes it
    from torch import Tensor

    from probing.representations.reductions.statistic import AttentionBatch
    from probing.representations.reductions.token_batch import TokenBatch

Rows = Literal["mean", "first"]


def word_attention(attention: AttentionBatch, rows: Rows = "mean") -> Tensor:
    """Return the attention from words to words: keys summed over word pieces, queries averaged.

    A row sums to what its word does not give to special tokens and other tokens outside of words.

    Args:
        attention: The weights of one layer, with their tokens.
        rows: `mean` averages the queries of all pieces of a word, as in the paper. `first` takes the query of
            its first piece, as the code of the paper does.

    Returns:
        (texts, heads, words, words), at least float32, words in the order of `Unit.words`. Rows and columns
        are 0 for a word without tokens and beyond the words of a text.

    Raises:
        ProbingError: If queries and keys are not the tokens of the texts.
    """
    inputs = attention.read()
    weights = attention.weights
    wide = torch.promote_types(weights.dtype, torch.float32)
    keys = torch.matmul(weights.to(wide), inputs.members.to(wide).unsqueeze(1))
    # a query that is padding may be NaN, which would outlast a factor of 0
    keys = keys.masked_fill(~inputs.real[:, None, :, None], 0)
    return torch.matmul(_shares(inputs, rows).to(wide).transpose(1, 2).unsqueeze(1), keys)


def _shares(inputs: TokenBatch, rows: Rows) -> Tensor:
    """Return the share of each token in the row of its word, float (texts, length, words)."""
    members = inputs.members
    if rows == "first":
        return members * (members.cumsum(1) == 1)
    return members / members.sum(1, keepdim=True).clamp_min(1)


def last_word(attention: AttentionBatch) -> Tensor:
    """Return the last word that tokens of each unit belong to, int64 (units,); -1 for none.

    A token at the start of a word may belong to the word before.
    """
    words = attention.per_unit(attention.read().words)
    return words.masked_fill(~attention.tokens, NOWHERE).amax(1)


def seen_words(seen: Tensor, inputs: TokenBatch) -> Tensor:
    """Return the words of which a word sees some token, bool (texts, words, words), queries and keys.

    Args:
        seen: bool (texts, length, length), the keys that each query can see; see `visible_keys`.
        inputs: The tokens of the texts.
    """
    members = inputs.members
    tokens = torch.matmul(members.transpose(1, 2), seen.float()) > 0  # (texts, words, length)
    return torch.matmul(tokens.float(), members) > 0


def first_and_last(chosen: Tensor) -> Tensor:
    """Return the first and the last True of each row, 0 and -1 if there is none.

    Args:
        chosen: bool (..., words).

    Returns:
        int64 (2, ...).
    """
    places = torch.arange(chosen.shape[-1], device=chosen.device)
    none = ~chosen.any(-1)
    first = places.where(chosen, chosen.shape[-1]).amin(-1).masked_fill(none, 0)
    return torch.stack([first, places.where(chosen, NOWHERE).amax(-1)])
