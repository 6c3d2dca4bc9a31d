"""From the rows of a table to units with their labels: texts, pairs, spans, and the words of sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from probing.datasets.table.columns import SPLIT_OF, Columns
from probing.datasets.table.values import Table, plain
from probing.errors import ProbingError
from probing.tasks.task import Unit
from probing.validation.suggestions import suggest

_NOT_ONE = (list, tuple, dict, set, bytes, np.ndarray)


@dataclass(frozen=True, slots=True)
class Example:
    """One example as the table has it.

    Attributes:
        table: Where it is from.
        row: Its row there.
        label: As a csv file has it; empty if there is none.
        split: Its split, or None if the table names none.
        unit: The unit, or the first of a pair.
        partner: The second.
    """

    table: Table
    row: int
    label: str
    split: str | None
    unit: Unit
    partner: Unit | None = None

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return self.table.place(self.row)

    @property
    def text(self) -> str:
        """All that is to be read for it; of two examples with the same text neither is news to a probe."""
        second = self.partner.text if self.partner else self.unit.second
        return self.unit.text if second is None else f"{self.unit.text}\0{second}"


def read_examples(table: Table, columns: Columns, split: str | None) -> Iterator[Example]:
    """The examples of a table, in its order.

    Args:
        table: The rows.
        columns: Which columns to take.
        split: The split of all rows, or None to look for `columns.split`.

    Raises:
        ProbingError: With the row, if something is missing or not as it should be.
    """
    if columns.tokens:
        yield from _listed_words(table, columns, columns.tokens, split)
    elif columns.word and columns.sentence:
        yield from _words(table, columns, columns.word, columns.sentence, split)
    else:
        yield from _texts(table, columns, split)


def _texts(table: Table, columns: Columns, split: str | None) -> Iterator[Example]:
    texts = table.column(columns.text, "task.text")
    labels = table.column(columns.label, "task.label")
    splits = _splits(table, columns, split)
    seconds = table.column(columns.second, "task.second") if columns.second else None
    first_spans = _Spans(table, columns.start, columns.end, "")
    second_spans = _Spans(table, columns.second_start, columns.second_end, "second_")
    for row in range(len(table)):
        label = _one(labels[row], table, row, columns.label)
        text = _text(texts[row], table, row, columns.text)
        second = _text(seconds[row], table, row, str(columns.second)) if seconds else None
        span = first_spans.at(row, text)
        if columns.pair == "joint":
            yield Example(table, row, label, splits[row], Unit(text, span, second))
            continue
        partner = None
        if second is not None or second_spans.given:
            other = text if second is None else second
            partner = Unit(other, second_spans.at(row, other))
        yield Example(table, row, label, splits[row], Unit(text, span), partner)


def _listed_words(table: Table, columns: Columns, name: str, split: str | None) -> Iterator[Example]:
    sentences = table.column(name, "task.tokens")
    labels = table.column(columns.label, "task.label")
    splits = _splits(table, columns, split)
    for row in range(len(table)):
        words, of_words = (
            _list(sentences[row], table, row, name),
            _list(labels[row], table, row, columns.label),
        )
        if len(words) != len(of_words):
            raise ProbingError(
                f"{table.place(row)}: {len(words)} tokens but {len(of_words)} labels; give every token one"
            )
        units = _units([_text(word, table, row, name) for word in words])
        for unit, label in zip(units, of_words, strict=True):
            yield Example(table, row, _one(label, table, row, columns.label), splits[row], unit)


def _words(table: Table, columns: Columns, word: str, sentence: str, split: str | None) -> Iterator[Example]:
    words = table.column(word, "task.word")
    sentences = table.column(sentence, "task.sentence")
    labels = table.column(columns.label, "task.label")
    splits = _splits(table, columns, split)
    rows_of: dict[str, list[int]] = {}
    for row, which in enumerate(sentences):
        key = _one(which, table, row, sentence)
        if not key:
            raise ProbingError(
                f"{table.place(row)}: column {sentence!r} is empty; say which sentence it is of"
            )
        rows_of.setdefault(key, []).append(row)
    for rows in rows_of.values():
        units = _units([_text(words[row], table, row, word) for row in rows])
        for row, unit in zip(rows, units, strict=True):
            if splits[row] != splits[rows[0]]:
                raise ProbingError(
                    f"{table.place(row)}: sentence {sentences[row]!r} has words in {splits[rows[0]]} too; "
                    "give every sentence another name and one split"
                )
            yield Example(table, row, _one(labels[row], table, row, columns.label), splits[row], unit)


def _units(words: Sequence[str]) -> list[Unit]:
    """Words as spans of the sentence that they make, joined by spaces."""
    text = " ".join(words)
    units, start = [], 0
    for word in words:
        units.append(Unit(text, (start, start + len(word))))
        start += len(word) + 1
    return units


@dataclass(frozen=True)
class _Spans:
    """The two columns of a span, if there are any."""

    table: Table
    start: str | None
    end: str | None
    prefix: str

    @property
    def given(self) -> bool:
        return self.start is not None

    def at(self, row: int, text: str) -> tuple[int, int] | None:
        if self.start is None or self.end is None:
            return None
        start = self._offset(row, self.start, "start")
        end = self._offset(row, self.end, "end")
        if not 0 <= start < end <= len(text):
            raise ProbingError(
                f"{self.table.place(row)}: span {start} to {end} is not inside its text of {len(text)} "
                "characters; count from 0, and the end is the character after the span"
            )
        if not text[start:end].strip():
            raise ProbingError(f"{self.table.place(row)}: span {start} to {end} is blank; mend its offsets")
        return start, end

    def _offset(self, row: int, name: str, key: str) -> int:
        value = self.table.column(name, f"task.{self.prefix}{key}")[row]
        try:
            offset = int(float(value))
        except (TypeError, ValueError, OverflowError):
            offset = None
        if offset is None or offset != float(value):
            raise ProbingError(
                f"{self.table.place(row)}: column {name!r} is {value!r}; give a whole number, the "
                "offset of a character"
            )
        return offset


def _splits(table: Table, columns: Columns, split: str | None) -> Sequence[str | None]:
    if split is not None or columns.split is None:
        return [split] * len(table)
    found = []
    for row, value in enumerate(table.column(columns.split, "task.split")):
        written = "" if value is None else str(value).strip()
        if written.lower() not in SPLIT_OF:
            there = suggest(written, ["train", "dev", "validation", "test"])
            raise ProbingError(f"{table.place(row)}: column {columns.split!r} is {written!r}; {there}")
        found.append(SPLIT_OF[written.lower()])
    return found


def _text(value: Any, table: Table, row: int, name: str) -> str:  # noqa: ANN401
    text = _one(value, table, row, name, strip=False)
    if not text.strip():
        raise ProbingError(f"{table.place(row)}: column {name!r} is empty; fill it or remove the row")
    return text


def _one(value: Any, table: Table, row: int, name: str, *, strip: bool = True) -> str:  # noqa: ANN401
    """A single value as a csv file has it; empty if there is none."""
    if isinstance(value, _NOT_ONE):
        raise ProbingError(
            f"{table.place(row)}: column {name!r} holds a {type(value).__name__}; give text or numbers, or "
            "task.tokens for lists of words with lists of labels"
        )
    text = "" if value is None else str(value)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(text[error.start]):x}"
        raise ProbingError(
            f"{table.place(row)}: column {name!r} has {half}, half a character; remove it"
        ) from error
    return text.strip() if strip else text


def _list(value: Any, table: Table, row: int, name: str) -> list[Any]:  # noqa: ANN401
    values = value.tolist() if hasattr(value, "tolist") else value
    if not isinstance(values, list | tuple) or not values:
        raise ProbingError(
            f"{table.place(row)}: column {name!r} holds no list; with task.tokens give lists, in jsonl or "
            "parquet"
        )
    return [plain(item) for item in values]
