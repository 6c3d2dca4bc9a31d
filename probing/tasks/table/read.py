"""Reading a table, from a file or a frame, so that every row can be named in a message."""

from __future__ import annotations

import csv
import io
import json
import math
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from probing.convert import suggest
from probing.errors import ProbingError

SEPARATORS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
JSON_LINES = (".jsonl", ".ndjson")
EXTENSIONS = (*SEPARATORS, *JSON_LINES, ".parquet")
# the csv module's own limit is 131,072 characters, less than a long document
_FIELD_LIMIT = 2**30


@dataclass(frozen=True)
class Table:
    """Columns of plain values.

    Attributes:
        columns: Values by column, all of one length; None where there is none.
        where: What it was read from, for messages.
        lines: The line of the file that each row starts in, from 1; None where rows have no lines.
        base: What the first row is called where they have none.
    """

    columns: Mapping[str, Sequence[Any]]
    where: str
    lines: Sequence[int] | None = None
    base: int = 1

    def __len__(self) -> int:
        """Number of rows."""
        return len(next(iter(self.columns.values()), ()))

    def place(self, row: int) -> str:
        """Where a row is, as an editor or pandas counts."""
        return (
            f"{self.where}, row {row + self.base}"
            if self.lines is None
            else f"{self.where}, line {self.lines[row]}"
        )

    def column(self, name: str, key: str) -> Sequence[Any]:
        """The values of a column that was asked for by `key`, `task.label` say.

        Raises:
            ProbingError: If there is no such column.
        """
        if name not in self.columns:
            there = suggest(name, list(self.columns))
            raise ProbingError(f"{self.where}: there is no column {name!r}, which {key} names; {there}")
        return self.columns[name]


@dataclass(frozen=True)
class Format:
    """How text files are to be read.

    Attributes:
        encoding: Of csv, tsv and jsonl; utf-8 with or without a byte order mark.
        separator: Between the fields of csv and tsv; None goes by the extension.
        quotes: Whether a field may stand in double quotes; None lets csv quote fields, over several lines
            too, and tsv within a line only, where a quote that is not closed is a character like others.
    """

    encoding: str = "utf-8"
    separator: str | None = None
    quotes: bool | None = None


def read_table(path: Path, format_: Format) -> Table:
    """Read a file by its extension.

    Raises:
        ProbingError: With the file, the line and the fix, if it cannot be read.
    """
    kind = path.suffix.lower()
    if kind not in EXTENSIONS:
        raise ProbingError(f"{path}: unknown extension {kind!r}; save it as one of {', '.join(EXTENSIONS)}")
    if not path.is_file():
        raise ProbingError(f"{path}: no such file; give task.path=...")
    if kind == ".parquet":
        table = _read_parquet(path)
    else:
        text = _decode(path, format_.encoding)
        table = _read_json(text, path) if kind in JSON_LINES else _read_delimited(text, path, kind, format_)
    if not len(table):
        raise ProbingError(f"{path}: there are no rows below the header; give a file with examples")
    return table


def table_of(frame: pd.DataFrame) -> Table:
    """The columns of a frame, rows called by their position from 0.

    Raises:
        ProbingError: If it is none, is empty, or two columns have one name.
    """
    if not isinstance(frame, pd.DataFrame):
        raise ProbingError(f"data= is a {type(frame).__name__}; give a pandas frame, a row for each example")
    names = [str(name) for name in frame.columns]
    _check_names(names, "the frame")
    if not len(frame):
        raise ProbingError("the frame: it has no rows; give one with examples")
    columns = {}
    for at, name in enumerate(names):
        series = frame.iloc[:, at]
        gone = series.isna().tolist()
        columns[name] = [None if no else value for value, no in zip(series.tolist(), gone, strict=True)]
    return Table(columns, "the frame", base=0)


def _decode(path: Path, encoding: str) -> str:
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig" if encoding.lower() in {"utf-8", "utf8"} else encoding)
    except LookupError as error:
        raise ProbingError(
            f"task.encoding is {encoding!r}, which is none; give utf-8 or latin-1, say"
        ) from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        likely = "utf-16" if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "latin-1"
        raise ProbingError(
            f"{path}, line {line}: byte 0x{content[error.start]:02x} is not {encoding} text; give the "
            f"file's own encoding, task.encoding={likely} say"
        ) from error
    if not text.strip():
        raise ProbingError(f"{path}: the file is empty; give one with a header and examples")
    return text


def _read_delimited(text: str, path: Path, kind: str, format_: Format) -> Table:
    separator = format_.separator or SEPARATORS[kind]
    if len(separator) != 1:
        raise ProbingError(f"task.separator is {separator!r}; give one character")
    by_line = format_.quotes is None and kind != ".csv"
    records = (
        _lines(text, separator) if by_line else _records(text, separator, format_.quotes is not False, path)
    )
    with _long_fields():
        first, header = next(records)
        names = [name.strip() for name in header]
        _check_names(names, f"{path}, line {first}")
        rows, lines = [], []
        for line, fields in records:
            if len(fields) != len(names):
                raise ProbingError(
                    f"{path}, line {line}: {len(fields)} fields, but the header has {len(names)}; see to its "
                    "separators and quotes, or set task.quotes=true or false"
                )
            rows.append(fields)
            lines.append(line)
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    return Table(dict(zip(names, columns, strict=True)), str(path), lines)


def _lines(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The fields of every line; quotes that do not close in their line are characters like others."""
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
    """The fields of every record, which quotes may spread over several lines, and its first line."""
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
                "task.quotes=false if quotes are characters like others"
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


def _read_json(text: str, path: Path) -> Table:
    records, lines = [], []
    for number, line in enumerate(io.StringIO(text), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            why = "too long a number or too deep a list"
            if isinstance(error, json.JSONDecodeError):
                why = f"{error.msg}, character {error.colno}"
            raise ProbingError(f"{path}, line {number}: no JSON ({why}); give one object a line") from error
        if not isinstance(record, dict):
            raise ProbingError(f"{path}, line {number}: no JSON object; give one in braces on every line")
        records.append(record)
        lines.append(number)
    names = dict.fromkeys(name for record in records for name in record)
    return Table({name: [plain(record.get(name)) for record in records] for name in names}, str(path), lines)


def plain(value: Any) -> Any:  # noqa: ANN401
    """The value, or None for NaN, as pandas writes what is missing."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _read_parquet(path: Path) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        read = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise ProbingError(f"{path}: no parquet file that can be read ({reason}); write it again") from error
    _check_names(read.column_names, str(path))
    columns = {name: [plain(v) for v in read.column(name).to_pylist()] for name in read.column_names}
    return Table(columns, str(path))


def _check_names(names: Sequence[str], where: str) -> None:
    twice = [name for at, name in enumerate(names) if name in names[:at]]
    if twice:
        raise ProbingError(f"{where}: two columns are called {twice[0]!r}; rename one")
