"""Reading tables from files and frames, so that messages can name every row."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pandas as pd

from probing.datasets.lines import read_text, readable
from probing.datasets.table.delimited import SEPARATORS, Format, read_delimited
from probing.datasets.table.values import DataTable, named, plain
from probing.errors import ProbingError

JSON_LINES = (".jsonl", ".ndjson")
EXTENSIONS = (*SEPARATORS, *JSON_LINES, ".parquet")
HINT = "give task.path=..., a file with examples"


def read_table(path: Path, format_: Format) -> DataTable:
    """Read a file by its extension.

    Raises:
        ProbingError: With the file, the line and the fix, if it cannot be read.
    """
    kind = path.suffix.lower()
    if kind not in EXTENSIONS:
        raise ProbingError(f"{path}: unknown extension {kind!r}; save it as one of {', '.join(EXTENSIONS)}")
    if kind == ".parquet":
        table = _read_parquet(path)
    else:
        text = read_text(path, format_.encoding, HINT, "task.encoding")
        table = _read_json(text, path) if kind in JSON_LINES else read_delimited(text, path, kind, format_)
    if not len(table):
        raise ProbingError(f"{path}: there are no rows below the header; give a file with examples")
    return table


def table_of(frame: pd.DataFrame) -> DataTable:
    """Return the columns of a frame, with rows numbered by position from 0.

    Raises:
        ProbingError: If it is not a frame, is empty, or has two columns with the same name.
    """
    if not isinstance(frame, pd.DataFrame):
        raise ProbingError(
            f"data= is a {type(frame).__name__}; give a pandas frame with a row for each example"
        )
    if not len(frame):
        raise ProbingError("the frame has no rows; give one with examples")
    columns = []
    for at in range(frame.shape[1]):
        series = frame.iloc[:, at]
        gone = series.isna().tolist()
        columns.append([None if no else value for value, no in zip(series.tolist(), gone, strict=True)])
    return DataTable(named([str(name) for name in frame.columns], columns, "the frame"), "the frame", base=0)


def _read_json(text: str, path: Path) -> DataTable:
    records, lines = [], []
    for number, line in enumerate(io.StringIO(text), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line, object_pairs_hook=_object)
        except (ValueError, RecursionError) as error:
            why = "a number is too long or a list too deep"
            if isinstance(error, json.JSONDecodeError):
                why = f"{error.msg}, character {error.colno}"
            elif isinstance(error, _TwiceError):
                why = str(error)
            raise ProbingError(
                f"{path}, line {number}: not JSON ({why}); give one object per line"
            ) from error
        if not isinstance(record, dict):
            raise ProbingError(f"{path}, line {number}: not a JSON object; give one in braces on every line")
        records.append(record)
        lines.append(number)
    names = dict.fromkeys(name for record in records for name in record)
    return DataTable(
        {name: [plain(record.get(name)) for record in records] for name in names}, str(path), lines
    )


class _TwiceError(ValueError):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object; reject duplicate names, for which the standard library keeps the last value."""
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(f"two values are called {next(n for n in names if names.count(n) > 1)!r}")
    return made


def _read_parquet(path: Path) -> DataTable:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with readable(path, HINT), path.open("rb"):
        pass
    try:
        read = pq.ParquetFile(path).read()
        columns = [[plain(value) for value in column.to_pylist()] for column in read.columns]
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        reason = str(error).splitlines()[0]
        raise ProbingError(f"{path}: not a readable parquet file ({reason}); write it again") from error
    return DataTable(named(read.column_names, columns, str(path)), str(path))
