"""Words joined by blanks are found again at their places."""

from __future__ import annotations

import pytest

from probing.datasets.joining import joined


@pytest.mark.parametrize(
    "words", [[], ["one"], ["do", "n't", "go"], ["", "empty", ""], ["two words", "é", "\N{SNOWMAN}", "a"]]
)
def test_every_word_is_at_its_span(words: list[str]) -> None:
    text, spans = joined(word for word in words)
    assert text == " ".join(words)
    assert [text[start:end] for start, end in spans] == words
