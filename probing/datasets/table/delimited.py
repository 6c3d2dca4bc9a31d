"""Delimited text files: csv, tsv and tab."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from probing.datasets.table.row_names import NUMBER
from probing.datasets.table.values import DataTable, named
from probing.errors import ProbingError

log = logging.getLogger(__name__)
SEPARATORS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
# the csv module's own limit is 131,072 characters, less than a long document
_FIELD_LIMIT = 2**30
_LIKELY = (";", "\t", "|", ",")
# column names rarely have this many words, but texts do
_WORDS_OF_A_TEXT = 4
# rows in which a value of the first line recurs if it is a label
_LOOKED_AT = 1000


@dataclass(frozen=True)
class Format:
    r"""The format of text files.

    Attributes:
        encoding: Encoding of csv, tsv and jsonl; utf-8 with or without a byte order mark.
        separator: Separator of fields in csv and tsv, `\t` for a tab; None chooses it by the extension.
        quotes: Whether fields may be in double quotes; None allows quoted fields in csv, also over several
            lines, and in tsv only within a line, where an unclosed quote is an ordinary character.
        header: Whether the first line of csv and tsv names the columns; otherwise they are called 0, 1, ...
    """

    encoding: str = "utf-8"
    separator: str | None = None
    quotes: bool | None = None
    header: bool = True


def read_delimited(text: str, path: Path, kind: str, format_: Format) -> DataTable:
    """Parse delimited text.

    Args:
        text: Content of the file.
        path: Path of the file, for messages.
        kind: Extension of the file, one of `SEPARATORS`.
        format_: Format of the file.

    Raises:
        ProbingError: With the line, if fields are missing or quotes are not closed.
    """
    separator = (format_.separator or SEPARATORS[kind]).replace("\\t", "\t")
    if len(separator) != 1 or separator in '"\r\n':
        raise ProbingError(f"task.separator is {separator!r}; give one character")
    by_line = format_.quotes is None and kind != ".csv"
    quotes = format_.quotes is not False
    with _long_fields():
        records = _lines(text, separator) if by_line else _records(text, separator, quotes, path)
        first, header = next(records)
        width = len(header)
        other = _other_separator(header)
        rows, lines = ([], []) if format_.header else ([header], [first])
        for line, fields in records:
            if len(fields) != width:
                wide = "header" if format_.header else "first line"
                raise ProbingError(
                    f"{path}, line {line}: {len(fields)} fields, but the {wide} has {width}; "
                    + (other or "check its separators and quotes, or set task.quotes=true or false")
                )
            if format_.header and width > 1 and fields == header:
                log.warning("%s, line %d: repeats the header; the line is skipped", path, line)
                continue
            rows.append(fields)
            lines.append(line)
    names = [name.strip() for name in header] if format_.header else [str(at) for at in range(width)]
    columns: list[Sequence[str]] = list(zip(*rows, strict=True)) if rows else [() for _ in names]
    doubt = other or (_headless(names, columns) if format_.header else "")
    return DataTable(named(names, columns, f"{path}, line {first}"), str(path), lines, doubt=doubt)


def _other_separator(header: Sequence[str]) -> str:
    """Return a remark about a header that is one field but would be several with another separator."""
    likely = next((mark for mark in _LIKELY if len(header) == 1 and mark in header[0]), None)
    shown = {"\t": "\\t"}.get(likely or "", likely)
    return f"its fields seem to be separated by '{shown}'; give task.separator='{shown}'" if likely else ""


def _headless(names: Sequence[str], columns: Sequence[Sequence[str]]) -> str:
    """Return a remark on a first line that looks like an example: a number, a text, or a recurring value."""
    for name, values in zip(names, columns, strict=True):
        text = len(name.split()) >= _WORDS_OF_A_TEXT
        again = any(value.strip() == name for value in values[:_LOOKED_AT])
        if name and (text or NUMBER.fullmatch(name) or again):
            return (
                f"the first line looks like an example ({name[:30]!r}); for a file without a header give "
                "task.header=false, which names the columns 0, 1, ..., as in task.text=0"
            )
    return ""


def _lines(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the fields of every line; quotes that do not close on their line are ordinary characters."""
    for number, line in enumerate(io.StringIO(text), start=1):
        bare = line.rstrip("\r\n")
        if not bare.strip():
            continue
        fields = bare.split(separator)
        if '"' in bare:
            with suppress(csv.Error):
                (fields,) = csv.reader([bare], delimiter=separator, strict=True)
        yield number, fields


def _records(text: str, separator: str, quotes: bool, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the first line and the fields of every record; quotes may spread a record over several lines."""
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=separator,
        strict=True,
        quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE,
    )
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ProbingError(
                f"{path}, line {line}: {error}; double a quote within a quoted field, or set "
                "task.quotes=false if quotes are ordinary characters"
            ) from error
        if fields:
            yield line, fields


@contextmanager
def _long_fields() -> Iterator[None]:
    before = csv.field_size_limit(_FIELD_LIMIT)
    try:
        yield
    finally:
        csv.field_size_limit(before)
