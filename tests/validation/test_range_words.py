"""Hints in words, and words that agree with what the bounds refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from probing.errors import ProbingError
from probing.validation.ranges import (
    AtLeast,
    Count,
    Dropout,
    Entries,
    Folds,
    InnerShare,
    Most,
    Penalties,
    Positive,
    Range,
    Seed,
    Share,
    ZeroOrMore,
    check_bounds,
)
from probing.validation.words import in_words

WORDS: list[tuple[Any, str]] = [
    (bool, "true or false"),
    (str, "text"),
    (Path, "path"),
    (int, "whole number"),
    (float, "number"),
    (str | None, "text or null"),
    (bool | None, "true, false or null"),
    (Literal["a", "b", "c"], "a, b or c"),
    (Literal["a", "b"] | None, "a, b or null"),
    (Literal[12, 13], "12 or 13"),
    (Count, "whole number from 1"),
    (Count | None, "whole number from 1, or null"),
    (Folds, "whole number from 2 to 100"),
    (Seed, "whole number from 0 to 4,294,967,295"),
    (Annotated[int, AtLeast(2)], "whole number from 2"),
    (Annotated[int, Most(1000)], "whole number up to 1,000"),
    (Positive, "number above 0"),
    (ZeroOrMore, "number from 0"),
    (Share, "number above 0, up to 1"),
    (Dropout, "number from 0 to below 1"),
    (InnerShare, "number above 0, below 1"),
    (Annotated[float, Range(0.5, 2)], "number from 0.5 to 2"),
    (Penalties, "list of up to 100 different numbers above 0"),
    (tuple[str, ...] | None, "list of texts, or null"),
    (Annotated[tuple[Literal["a", "b"], ...], Entries(20)], "list of up to 20 of a or b"),
    (Annotated[tuple[Literal["a", "b"], ...], Entries()], "list of a or b"),
    (Any, "any value"),
]


@pytest.mark.parametrize(("hint", "words"), WORDS, ids=[words for _, words in WORDS])
def test_a_hint_in_words(hint: Any, words: str) -> None:  # noqa: ANN401
    assert in_words(hint) == words


@pytest.mark.parametrize(
    ("hint", "inside", "outside"),
    [
        (Folds, (2, 100), (1, 101)),
        (Share, (1e-9, 1), (0, 1.01)),
        (Dropout, (0, 0.99), (-0.1, 1)),
        (InnerShare, (0.01, 0.99), (0, 1)),
        (Positive, (1e-9,), (0,)),
    ],
)
def test_the_ends_in_the_words_are_those_that_are_enforced(
    hint: Any,  # noqa: ANN401
    inside: tuple[float, ...],
    outside: tuple[float, ...],
) -> None:
    for value in inside:
        check_bounds(hint, value, "x")
    for value in outside:
        with pytest.raises(ProbingError):
            check_bounds(hint, value, "x")
