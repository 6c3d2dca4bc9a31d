"""The tokens of a word, by character offsets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tokenizers import Encoding

SPACE_MARKS = "▁Ġ "  # how sentencepiece and byte-level vocabularies write a space


def span_tokens(
    text: str,
    spans: Sequence[tuple[int, int]],
    kept: Encoding,
    whole: Encoding | None = None,
    *,
    sequence: int = 0,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Find the tokens of words and spans of one text.

    A token belongs to a span if both contain the same character, ignoring spaces. It therefore makes no
    difference whether a tokenizer counts the space before a word as part of the word's first piece. A piece
    that is only the mark of a space does not belong to a word, although some tokenizers give it the offsets
    of the word's first character. Where a span has no other token, such as a span of spaces, such pieces and
    spaces count.

    Args:
        text: A text of the input; offsets are characters of it.
        spans: Offsets [start, end) of each span.
        kept: The input's tokens; those of another text are never a span's.
        whole: The same before truncation; None if nothing was truncated.
        sequence: Number of the text in the input, 0 or 1.

    Returns:
        bool (spans, seq), the tokens of each span among `kept`; and bool (spans,), the spans without a
        vector. Either some of their tokens were cut off, so that the rest may lack the last piece or some of
        the tokens of a mean, or they have no token even in the whole text, such as a single combining accent.
    """
    own, loose = _overlaps(text, spans, kept, sequence)
    all_own, all_loose = (own, loose) if whole is None else _overlaps(text, spans, whole, sequence)
    strict = all_own.any(1, keepdims=True)
    tokens: NDArray[np.bool_] = np.where(strict, own, loose)
    count = np.where(strict, all_own, all_loose).sum(1)
    return tokens, (tokens.sum(1) < count) | (count == 0)


def _overlaps(
    text: str, spans: Sequence[tuple[int, int]], encoding: Encoding, text_number: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return tokens that share a visible character with each span, and any character; bool (spans, seq)."""
    offsets = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
    # special tokens belong to no sequence; tokens of another text have offsets into that text
    offsets[[sequence != text_number for sequence in encoding.sequence_ids]] = 0
    ends = np.array(spans, dtype=np.int64)
    loose = _shared(offsets, ends)
    # measured in visible characters, a space before or after a word has no width
    visible = np.cumsum([0] + [not character.isspace() for character in text])
    narrow = visible[offsets]
    narrow[[not token.strip(SPACE_MARKS) for token in encoding.tokens]] = 0
    return _shared(narrow, visible[ends]), loose


def _shared(tokens: NDArray[np.int64], spans: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which intervals (seq, 2) overlap which (spans, 2); bool (spans, seq)."""
    first, last = tokens.T
    met: NDArray[np.bool_] = (first < spans[:, 1:]) & (last > spans[:, :1]) & (last > first)
    return met
