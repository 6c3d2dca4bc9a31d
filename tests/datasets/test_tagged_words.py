"""One rule reads every scheme of tags."""

from __future__ import annotations

import numpy as np
import pytest

from probing.datasets.tagged_words import TaggedSpan, tagged_spans
from probing.errors import ProbingError


def written(spans: list[TaggedSpan], words: int, scheme: str) -> list[str]:
    """The tags of some spans, by the definition of a scheme."""
    tags = ["O"] * words
    for place, span in enumerate(spans):
        inner = range(span.start, span.end)
        for at in inner:
            tags[at] = f"I-{span.label}"
        before = spans[place - 1] if place else None
        touches = before is not None and (before.end, before.label) == (span.start, span.label)
        if scheme != "IOB1" or touches:
            tags[span.start] = f"B-{span.label}"
        if scheme in {"BIOES", "BILOU"}:
            tags[span.end - 1] = f"{'E' if scheme == 'BIOES' else 'L'}-{span.label}"
            if len(inner) == 1:
                tags[span.start] = f"{'S' if scheme == 'BIOES' else 'U'}-{span.label}"
    return tags


def drawn(seed: int) -> tuple[list[TaggedSpan], int]:
    """Random spans, many of which touch a span of the same type."""
    rng = np.random.default_rng(seed)
    spans, at = [], 0
    while at < 30:
        at += int(rng.integers(0, 2))
        size = int(rng.integers(1, 4))
        spans.append(TaggedSpan(at, at + size, str(rng.choice(["LOC", "PER-X"]))))
        at += size
    return spans, at + 1


@pytest.mark.parametrize("scheme", ["IOB1", "IOB2", "BIOES", "BILOU"])
def test_spans_survive_every_scheme(scheme: str) -> None:
    for seed in range(50):
        spans, words = drawn(seed)
        assert tagged_spans(written(spans, words, scheme), ["?"] * words) == spans


def test_the_schemes_differ_where_spans_touch() -> None:
    spans = [TaggedSpan(0, 2, "LOC"), TaggedSpan(2, 3, "LOC")]
    assert written(spans, 3, "IOB1") == ["I-LOC", "I-LOC", "B-LOC"]
    assert written(spans, 3, "IOB2") == ["B-LOC", "I-LOC", "B-LOC"]
    assert written(spans, 3, "BIOES") == ["B-LOC", "E-LOC", "S-LOC"]


@pytest.mark.parametrize("tag", ["NNP", "B", "B-", "X-LOC", "b-LOC", ""])
def test_another_column_is_named(tag: str) -> None:
    with pytest.raises(ProbingError, match=r"a\.txt, line 7: .* is not a tag of a span"):
        tagged_spans(["O", tag], ["a.txt, line 6", "a.txt, line 7"])
