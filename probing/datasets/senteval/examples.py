"""From lines of SentEval's files to the columns of a task."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from probing.datasets.lines import read_lines
from probing.errors import ProbingError
from probing.tasks.target import Classes, Scores
from probing.tasks.task import SPLITS, Pair, Unit

log = logging.getLogger(__name__)
HINT = (
    "task.root must be SentEval's data folder, the one with probing/ and downstream/; "
    "leave task.root out to have the files fetched"
)
# what SentEval's encoders are given for a sentence without tokens
EMPTY = "."
_RANKS = {split: rank for rank, split in enumerate(SPLITS)}


class Place(NamedTuple):
    """A line of a file, for messages; written out only where there is one."""

    path: Path
    line: int

    def __str__(self) -> str:
        """File and line."""
        return f"{self.path}, line {self.line}"


@dataclass(frozen=True, slots=True)
class Example:
    """What one line of a data file, or of several that belong together, says.

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


class Columns(TypedDict):
    """Those fields of a task that its examples fill."""

    units: tuple[Unit, ...]
    partners: tuple[Unit, ...] | None
    split: NDArray[np.str_]


def in_order(examples: Iterable[Example]) -> list[Example]:
    """Examples by split, then by number of tokens (of the first text, then the second), then by answer.

    SentEval sorts every split so, keeping the order of the file among equals; it matters, because folds and
    batches are drawn by position.
    """
    return sorted(
        examples,
        key=lambda e: (_RANKS[e.split], length(e.text), length(e.second or ""), e.answer),
    )


def length(text: str) -> int:
    """Number of tokens of a text in which one space stands between them."""
    return text.count(" ") + bool(text)


def columns(examples: Sequence[Example], pair: Pair = "vectors") -> Columns:
    """Units, partners and splits of examples; a sentence without tokens is read as ".", as by SentEval.

    Args:
        examples: All with a second text, or none.
        pair: Whether the two texts of an example get a vector each, or are read in one input.
    """
    paired = bool(examples) and examples[0].second is not None
    joint = paired and pair == "joint"
    empty = sum((not e.text) + (e.second == "") for e in examples)
    if empty:
        log.warning("sentences that are empty: %d; each is read as %r, as by SentEval", empty, EMPTY)
    seconds = [(e.second or EMPTY) if paired else None for e in examples]
    return Columns(
        units=tuple(
            Unit(e.text or EMPTY, second=second if joint else None)
            for e, second in zip(examples, seconds, strict=True)
        ),
        partners=tuple(Unit(second or EMPTY) for second in seconds) if paired and not joint else None,
        split=np.array([e.split for e in examples], dtype=np.str_),
    )


def classes(examples: Sequence[Example], names: tuple[str, ...]) -> Classes:
    """The classes of examples."""
    return Classes(np.array([e.answer for e in examples], dtype=np.int64), names)


def scores(examples: Sequence[Example], lowest: int, highest: int) -> Scores:
    """The scores of examples, with every whole number of the scale as an anchor."""
    anchors = tuple(float(anchor) for anchor in range(lowest, highest + 1))
    return Scores(np.array([e.answer for e in examples], dtype=np.float64), anchors)


def rows(
    path: Path, encoding: str, least: int, expected: str, header: str = ""
) -> Iterator[tuple[Place, list[str]]]:
    """Yield place and fields of every line of a tab-separated file; quotes have no meaning.

    Args:
        path: The file.
        encoding: Its encoding.
        least: The fewest fields that a line may have.
        expected: What a line should hold, for messages.
        header: How the first line starts, which is no example; empty for none.

    Raises:
        ProbingError: If the file cannot be read or a line has too few fields.
    """
    for number, line in read_lines(path, encoding, HINT):
        place = Place(path, number)
        if header and number == 1:
            if not line.lower().startswith(header.lower()):
                raise ProbingError(f"{place}: expected a header that starts with {header}; put it back")
            continue
        fields = line.rstrip().split("\t")
        if len(fields) < least:
            raise ProbingError(f"{place}: expected {expected}, between tabs; mend the line")
        yield place, fields


def clean(text: str) -> str:
    """Tokens joined by one space, as SentEval hands them to an encoder; "" if there are none."""
    return " ".join(text.split())


def filled(text: str, place: Place) -> str:
    """The same, of a file in which SentEval could not read a sentence without tokens.

    Raises:
        ProbingError: If there are none.
    """
    tokens = clean(text)
    if not tokens:
        raise ProbingError(f"{place}: the sentence is empty; remove the line")
    return tokens


def one_of(label: str, names: Sequence[str], place: Place) -> int:
    """The index of a label among those that there are."""
    if label not in names:
        raise ProbingError(f"{place}: the label is {label!r}; expected one of {', '.join(names)}")
    return names.index(label)


def score(text: str, lowest: float, highest: float, place: Place) -> float:
    """A score within its scale."""
    try:
        value = float(text)
    except ValueError as error:
        raise ProbingError(f"{place}: the score is {text!r}, which is no number; mend the line") from error
    if not lowest <= value <= highest:
        raise ProbingError(
            f"{place}: the score is {text.strip()}, outside {lowest:g} to {highest:g}; mend the line"
        )
    return value
