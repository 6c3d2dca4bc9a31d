"""Which tokens are a word's own, by character offsets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tokenizers import Encoding

SPACE_MARKS = "▁Ġ "  # what sentencepiece and byte-level vocabularies write for a space


def span_tokens(
    text: str, spans: Sequence[tuple[int, int]], kept: Encoding, whole: Encoding | None = None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Find the tokens of words and spans of one text.

    A token belongs to a span if both hold the same character, spaces left aside: whether a tokenizer counts
    the space before a word to the word's first piece makes no difference. A piece that is only the mark of
    a space is not a word's, although some tokenizers give it the offsets of the word's first character.
    Where a span has no other token, as a span of spaces, such pieces count, and spaces do.

    Args:
        text: The first text of the input; offsets are characters of it.
        spans: Offsets [start, end) of each span.
        kept: The input's tokens; those of a second text are never a span's.
        whole: The same before it was cut; None where nothing was.

    Returns:
        bool (spans, seq), the tokens of each span among `kept`; and bool (spans,), which spans have no
        vector: some of their tokens were cut off, so that what is left may be neither its last piece nor
        all for a mean, or they have none in the whole text either, as a single combining accent has.
    """
    own, loose = _overlaps(text, spans, kept)
    all_own, all_loose = (own, loose) if whole is None else _overlaps(text, spans, whole)
    strict = all_own.any(1, keepdims=True)
    tokens: NDArray[np.bool_] = np.where(strict, own, loose)
    count = np.where(strict, all_own, all_loose).sum(1)
    return tokens, (tokens.sum(1) < count) | (count == 0)


def _overlaps(
    text: str, spans: Sequence[tuple[int, int]], encoding: Encoding
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tokens that share a visible character with each span, and those that share any; bool (spans, seq)."""
    offsets = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
    # special tokens belong to no sequence; those of a second text have offsets of their own
    offsets[[sequence != 0 for sequence in encoding.sequence_ids]] = 0
    ends = np.array(spans, dtype=np.int64)
    loose = _shared(offsets, ends)
    # counted in visible characters, a space has no width, before a word or after it
    visible = np.cumsum([0] + [not character.isspace() for character in text])
    narrow = visible[offsets]
    narrow[[not token.strip(SPACE_MARKS) for token in encoding.tokens]] = 0
    return _shared(narrow, visible[ends]), loose


def _shared(tokens: NDArray[np.int64], spans: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which intervals (seq, 2) meet which (spans, 2); bool (spans, seq)."""
    first, last = tokens.T
    met: NDArray[np.bool_] = (first < spans[:, 1:]) & (last > spans[:, :1]) & (last > first)
    return met
