"""Character spans of all syntactic words of a sentence."""

from __future__ import annotations

from typing import Literal

from probing.datasets.joining import Span, joined
from probing.datasets.treebank.sentence import Sentence

WordStyle = Literal["words", "tokens", "raw"]
"""Syntactic words joined by spaces, tokens as written joined by spaces, or the original text."""


def words_of(sentence: Sentence, style: WordStyle) -> tuple[str, tuple[Span, ...]]:
    """Return the text of a sentence, and the span [start, end) of each of its words.

    The words of a multiword token divide it if they spell it, as `don't` is `do` and `n't`. Otherwise each
    of them has the span of the whole token, as `du` in French has for `de` and `le`.

    Args:
        sentence: The sentence.
        style: Style of the text. `words` writes each word separately, `do n't`.
    """
    if style == "words":
        return joined(word.form for word in sentence.words)
    spans: list[Span] = []
    for token, span in enumerate(sentence.spans(style)):
        parts = [word.form for word in sentence.words if word.token == token]
        spans += _parts(sentence.tokens[token], span, parts)
    return sentence.text(style), tuple(spans)


def _parts(token: str, span: Span, parts: list[str]) -> list[Span]:
    if "".join(parts).lower() != token.lower() or len("".join(parts)) != len(token):
        return [span] * len(parts)
    found, start = [], span[0]
    for part in parts:
        found.append((start, start + len(part)))
        start += len(part)
    return found
