"""Parquet files that carry a note about themselves, written whole and checked when read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from probing.errors import CorruptFileError
from probing.files import replace_file

_NOTE = b"probing"


def write_table(path: Path, table: pa.Table, note: Mapping[str, Any]) -> None:
    """Put a table and a note about it, plain JSON values, in place by one rename."""
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), _NOTE: json.dumps(note)})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
    replace_file(path, sink.getvalue())


def read_table(path: Path, without: str | None = None) -> tuple[pa.Table, dict[str, Any]]:
    """Read a table and its note, all of its columns or all but one.

    Raises:
        CorruptFileError: If the file does not hold what was written.
    """
    try:
        file = pq.ParquetFile(path, page_checksum_verification=True)
        table = file.read(columns=[name for name in file.schema_arrow.names if name != without])
        note: dict[str, Any] = json.loads((table.schema.metadata or {})[_NOTE])
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise CorruptFileError(str(path), str(error).splitlines()[0]) from error
    return table, note
