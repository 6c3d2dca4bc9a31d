"""Words joined to one text, with the place of each in it."""

from __future__ import annotations

from collections.abc import Iterable

Span = tuple[int, int]


def joined(words: Iterable[str]) -> tuple[str, tuple[Span, ...]]:
    """Return words joined by single blanks, and the characters [start, end) of each."""
    forms, spans, start = list(words), list[Span](), 0
    for form in forms:
        spans.append((start, start + len(form)))
        start += len(form) + 1
    return " ".join(forms), tuple(spans)
