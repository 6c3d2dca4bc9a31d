"""Parquet files that carry a note, say what they are, and are sealed: written whole, checked when read.

The seal is a SHA-256 of all bytes of the file, in its key-value metadata. While it is computed, its own 64
digits are zeros. Any Parquet reader reads the files, without a look at the seal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from probing.errors import CorruptFileError, OldFileError
from probing.io.files import replace_file

_NOTE, _MARK, _SEAL = b"probing", b"probing.file", b"probing.sha256"
_ZEROS = b"0" * 64
# a key and the length of its value in Thrift's compact protocol; a note in JSON has no such bytes
_BEFORE_SEAL = b"\x18" + bytes([len(_SEAL)]) + _SEAL + b"\x18" + bytes([len(_ZEROS)])


def write_table(
    path: Path, table: pa.Table, note: Mapping[str, Any], mark: Mapping[str, Any] | None = None
) -> None:
    """Put a table in place by one rename.

    Args:
        path: Where the file goes.
        table: The rows.
        note: Something about them, plain JSON values.
        mark: What the file is, plain JSON values, for readers to compare with what they look for.
    """
    own = {_NOTE: json.dumps(note), _MARK: json.dumps(mark or {}), _SEAL: _ZEROS}
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), **own})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
    content = bytearray(sink.getvalue())
    at = _seal_at(content)
    content[at : at + len(_ZEROS)] = _digest(content, at)
    replace_file(path, content)


def read_marked(path: Path, without: str | None = None) -> tuple[pa.Table, dict[str, Any], dict[str, Any]]:
    """Read a table, all of its columns or all but one, its note, and its mark, which may be empty.

    Raises:
        CorruptFileError: If the file does not hold what was written.
        OldFileError: If it was written before there were seals.
    """
    try:
        return parse(path.read_bytes(), without)
    except CorruptFileError as error:
        raise type(error)(str(path), error.reason) from error
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise CorruptFileError(str(path), reason) from error


def parse(
    content: bytes | bytearray, without: str | None = None
) -> tuple[pa.Table, dict[str, Any], dict[str, Any]]:
    """Table, note and mark from the bytes of a file.

    Raises:
        CorruptFileError: If the seal is not that of the bytes; the path is empty.
    """
    at = _seal_at(content)
    if at < 0 and content[-4:] == b"PAR1" and _SEAL not in content and _MARK not in content:
        pq.read_metadata(pa.BufferReader(content))
        raise OldFileError("", "an older version of probing wrote it, without a checksum")
    if at < 0 or content[at : at + len(_ZEROS)] != _digest(content, at):
        raise CorruptFileError("", "its checksum is not the one that was written")
    file = pq.ParquetFile(pa.BufferReader(content))
    table = file.read(columns=[name for name in file.schema_arrow.names if name != without])
    metadata = table.schema.metadata
    return table, json.loads(metadata[_NOTE]), json.loads(metadata[_MARK])


def _seal_at(content: bytes | bytearray) -> int:
    """The place of the seal's digits; the last one, since texts of the table lie before all metadata."""
    at = content.rfind(_BEFORE_SEAL)
    return at + len(_BEFORE_SEAL) if 0 <= at <= len(content) - len(_BEFORE_SEAL) - len(_ZEROS) else -1


def _digest(content: bytes | bytearray, at: int) -> bytes:
    view = memoryview(content)
    digest = hashlib.sha256(view[:at])
    digest.update(_ZEROS)
    digest.update(view[at + len(_ZEROS) :])
    return digest.hexdigest().encode()
