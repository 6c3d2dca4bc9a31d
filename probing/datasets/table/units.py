"""From the rows of a table to units with labels: texts, pairs, spans, and words of sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from probing.datasets.joining import joined
from probing.datasets.table.columns import SPLIT_OF, TableColumns
from probing.datasets.table.values import DataTable, plain
from probing.errors import ProbingError
from probing.tasks.task import Unit
from probing.validation.suggestions import suggest

_NOT_ONE = (list, tuple, dict, set, bytes, np.ndarray)


@dataclass(frozen=True, slots=True)
class TableExample:
    """One example of a table.

    Attributes:
        table: The table that it comes from.
        row: Its row in the table.
        label: Its label as text, as in a csv file; empty if it is missing.
        split: Its split, or None if the table does not give one.
        unit: The unit, or the first unit of a pair.
        partner: The second unit of a pair.
    """

    table: DataTable
    row: int
    label: str
    split: str | None
    unit: Unit
    partner: Unit | None = None

    @property
    def place(self) -> str:
        """Location of the example, for messages."""
        return self.table.place(self.row)

    @property
    def text(self) -> str:
        """All text of the example; examples with the same text must not be in different splits."""
        second = self.partner.text if self.partner else self.unit.second
        return self.unit.text if second is None else f"{self.unit.text}\0{second}"


def read_examples(table: DataTable, columns: TableColumns, split: str | None) -> Iterator[TableExample]:
    """Yield the examples of a table, in order.

    Args:
        table: The rows.
        columns: Names of the columns to read.
        split: Split of all rows, or None to read it from `columns.split`.

    Raises:
        ProbingError: With the row, if a value is missing or invalid.
    """
    if columns.tokens:
        yield from _listed_words(table, columns, columns.tokens, split)
    elif columns.word and columns.sentence:
        yield from _words(table, columns, columns.word, columns.sentence, split)
    else:
        yield from _texts(table, columns, split)


def _texts(table: DataTable, columns: TableColumns, split: str | None) -> Iterator[TableExample]:
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
            yield TableExample(table, row, label, splits[row], Unit(text, span, second))
            continue
        partner = None
        if second is not None or second_spans.given:
            other = text if second is None else second
            partner = Unit(other, second_spans.at(row, other))
        yield TableExample(table, row, label, splits[row], Unit(text, span), partner)


def _listed_words(
    table: DataTable, columns: TableColumns, name: str, split: str | None
) -> Iterator[TableExample]:
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
                f"{table.place(row)}: {len(words)} tokens but {len(of_words)} labels; give one for each"
            )
        units = _units([_text(word, table, row, name) for word in words])
        for unit, label in zip(units, of_words, strict=True):
            yield TableExample(table, row, _one(label, table, row, columns.label), splits[row], unit)


def _words(
    table: DataTable, columns: TableColumns, word: str, sentence: str, split: str | None
) -> Iterator[TableExample]:
    words = table.column(word, "task.word")
    sentences = table.column(sentence, "task.sentence")
    labels = table.column(columns.label, "task.label")
    splits = _splits(table, columns, split)
    rows_of: dict[str, list[int]] = {}
    for row, which in enumerate(sentences):
        key = _one(which, table, row, sentence)
        if not key:
            raise ProbingError(
                f"{table.place(row)}: column {sentence!r} is empty; give the sentence of the word"
            )
        rows_of.setdefault(key, []).append(row)
    for rows in rows_of.values():
        units = _units([_text(words[row], table, row, word) for row in rows])
        for row, unit in zip(rows, units, strict=True):
            if splits[row] != splits[rows[0]]:
                raise ProbingError(
                    f"{table.place(row)}: sentence {sentences[row]!r} also has words in {splits[rows[0]]}; "
                    "give every sentence a unique name and a single split"
                )
            yield TableExample(table, row, _one(labels[row], table, row, columns.label), splits[row], unit)


def _units(words: Sequence[str]) -> list[Unit]:
    """Return words as spans of the sentence that they form when joined by spaces."""
    text, spans = joined(words)
    return [Unit(text, span) for span in spans]


@dataclass(frozen=True)
class _Spans:
    """The start and end columns of a span, if there are any."""

    table: DataTable
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
                "characters; offsets count from 0, and the end is the character after the span"
            )
        if not text[start:end].strip():
            raise ProbingError(f"{self.table.place(row)}: span {start} to {end} is blank; fix its offsets")
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
                "offset of a character in the text"
            )
        return offset


def _splits(table: DataTable, columns: TableColumns, split: str | None) -> Sequence[str | None]:
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


def _text(value: Any, table: DataTable, row: int, name: str) -> str:  # noqa: ANN401
    text = _one(value, table, row, name, strip=False)
    if not text.strip():
        raise ProbingError(f"{table.place(row)}: column {name!r} is empty; fill it or remove the row")
    return text


def _one(value: Any, table: DataTable, row: int, name: str, *, strip: bool = True) -> str:  # noqa: ANN401
    """Return a single value as text, as in a csv file; empty if it is missing."""
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


def _list(value: Any, table: DataTable, row: int, name: str) -> list[Any]:  # noqa: ANN401
    values = value.tolist() if hasattr(value, "tolist") else value
    if not isinstance(values, list | tuple) or not values:
        raise ProbingError(
            f"{table.place(row)}: column {name!r} is not a list; task.tokens needs lists, in jsonl or parquet"
        )
    return [plain(item) for item in values]
