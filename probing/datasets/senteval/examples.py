"""Examples in SentEval's order, and the fields of a task that they fill."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from probing.tasks.task import SPLITS, PairInput, Unit

log = logging.getLogger(__name__)
# SentEval gives this to its encoders for a sentence without tokens
EMPTY = "."
_RANKS = {split: rank for rank, split in enumerate(SPLITS)}


@dataclass(frozen=True, slots=True)
class SentEvalExample:
    """One text or a pair of texts, with its answer.

    Attributes:
        split: train, dev or test.
        text: Tokens joined by one space; "" for none, which sorts before one token.
        answer: Index of the class, or the score.
        second: The second text of a pair.
    """

    split: str
    text: str
    answer: float
    second: str | None = None


SplitOrder = Callable[[SentEvalExample], tuple[int, int, float | str]]


class Fields(TypedDict):
    """Fields of a task that its examples fill."""

    units: tuple[Unit, ...]
    partners: tuple[Unit, ...] | None
    split: NDArray[np.str_]


def by_lengths(example: SentEvalExample) -> tuple[int, int, float | str]:
    """Return the number of tokens of the first text, that of the second text, and the answer."""
    return length(example.text), length(example.second or ""), example.answer


def in_order(examples: Iterable[SentEvalExample], order: SplitOrder = by_lengths) -> list[SentEvalExample]:
    """Sort examples by split and, within a split, by `order`; equal ones stay in the order of the file.

    SentEval sorts every split so. The order matters because folds and batches are drawn by position.
    """
    return sorted(examples, key=lambda example: (_RANKS[example.split], *order(example)))


def length(text: str) -> int:
    """Return the number of tokens of a text with one space between them."""
    return text.count(" ") + bool(text)


def task_fields(examples: Sequence[SentEvalExample], pair: PairInput = "vectors") -> Fields:
    """Return units, partners and splits; a sentence without tokens is read as ".", as by SentEval.

    Args:
        examples: Examples, either all with a second text or none.
        pair: Whether the two texts of an example get a vector each or are read in one input.
    """
    paired = bool(examples) and examples[0].second is not None
    joint = paired and pair == "joint"
    empty = sum((not e.text) + (e.second == "") for e in examples)
    if empty:
        log.warning("sentences that are empty: %d; each is read as %r, as by SentEval", empty, EMPTY)
    seconds = [(e.second or EMPTY) if paired else None for e in examples]
    return Fields(
        units=tuple(
            Unit(e.text or EMPTY, second=second if joint else None)
            for e, second in zip(examples, seconds, strict=True)
        ),
        partners=tuple(Unit(second or EMPTY) for second in seconds) if paired and not joint else None,
        split=np.array([e.split for e in examples], dtype=np.str_),
    )
