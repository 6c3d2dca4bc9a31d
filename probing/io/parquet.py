"""Sealed Parquet files with a note and a mark: written atomically, checked when read.

The seal is a SHA-256 of all bytes of the file, stored in its key-value metadata. While it is computed, its
own 64 digits are zeros. Any Parquet reader can read the files without checking the seal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from probing.errors import CorruptFileError, ForeignFileError, OldFileError
from probing.io.files import replace_file

_NOTE, _MARK, _SEAL = b"probing", b"probing.file", b"probing.sha256"
_ZEROS = b"0" * 64
_UNSEALED = "written by an older version of probing, without a checksum"
# a key and the length of its value in Thrift's compact protocol; a JSON note never contains these bytes
_BEFORE_SEAL = b"\x18" + bytes([len(_SEAL)]) + _SEAL + b"\x18" + bytes([len(_ZEROS)])


def write_table(
    path: Path, table: pa.Table, note: Mapping[str, Any], mark: Mapping[str, Any] | None = None
) -> None:
    """Put a table in place by one rename.

    Args:
        path: Path of the file.
        table: The rows.
        note: Description of the rows, plain JSON values.
        mark: Identity of the file, plain JSON values, for readers to compare with the one they expect.
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
    """Read a table, with all of its columns or all but one, its note, and its mark, which may be empty.

    Raises:
        CorruptFileError: If the contents differ from those that were written.
        OldFileError: If the file was written before seals existed.
    """
    try:
        return parse(path.read_bytes(), without)
    except CorruptFileError as error:
        raise type(error)(str(path), error.reason) from error
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise CorruptFileError(str(path), reason) from error


def read_note(path: Path) -> dict[str, Any]:
    """Read the note of a file alone, which is fast and does not check the seal; for estimates only.

    Returns:
        The note; empty if the file has none or cannot be read.
    """
    try:
        note = json.loads((pq.read_metadata(path).metadata or {}).get(_NOTE, b"{}"))
    except (OSError, ValueError, pa.ArrowException):
        return {}
    return note if isinstance(note, dict) else {}


def parse(
    content: bytes | bytearray, without: str | None = None
) -> tuple[pa.Table, dict[str, Any], dict[str, Any]]:
    """Return table, note and mark from the bytes of a file.

    Raises:
        CorruptFileError: If the seal does not match the bytes; its path is empty.
    """
    check_seal(content)
    file = pq.ParquetFile(pa.BufferReader(content))
    table = file.read(columns=[name for name in file.schema_arrow.names if name != without])
    metadata = table.schema.metadata
    return table, json.loads(metadata[_NOTE]), json.loads(metadata[_MARK])


def check_seal(content: bytes | bytearray) -> None:
    """Compare the bytes of a file with the checksum in them.

    Raises:
        CorruptFileError: If they differ; its path is empty.
        OldFileError: If the file was written before seals existed.
    """
    at = _seal_at(content)
    if at < 0 and content[-4:] == b"PAR1" and _SEAL not in content and _MARK not in content:
        pq.read_metadata(pa.BufferReader(content))
        raise OldFileError("", _UNSEALED)
    if at < 0 or content[at : at + len(_ZEROS)] != _digest(content, at):
        raise CorruptFileError("", "its checksum does not match the one that was written")


@dataclass(frozen=True)
class Footer:
    """The end of a file: its note, its mark, and the ends of its columns.

    Attributes:
        note: Description of the rows.
        mark: Identity of the file.
        metadata: Parquet's own metadata, with statistics of every column.
    """

    note: Mapping[str, Any]
    mark: Mapping[str, Any]
    metadata: pq.FileMetaData

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.metadata.num_rows)

    @cached_property
    def columns(self) -> dict[str, int]:
        """Place of each column."""
        return {name: place for place, name in enumerate(self.metadata.schema.names)}

    def ends(self, column: str) -> tuple[Any, Any] | None:
        """Return the smallest and the largest value of a column; None if it is absent or all missing."""
        place = self.columns.get(column)
        groups = range(self.metadata.num_row_groups) if place is not None else ()
        found = [self.metadata.row_group(group).column(place).statistics for group in groups]
        known = [each for each in found if each is not None and each.has_min_max]
        return (min(each.min for each in known), max(each.max for each in known)) if known else None


def read_footer(path: Path) -> Footer:
    """Read the end of a file, without its rows. The seal is not checked, since it covers the rows too.

    Raises:
        CorruptFileError: If the file has no footer, as one that was truncated.
        ForeignFileError: If it is a Parquet file without a note.
        OldFileError: If the file was written before marks existed.
    """
    try:
        metadata = pq.read_metadata(path)
        texts = metadata.metadata or {}
        if _NOTE not in texts:
            raise ForeignFileError(str(path), "probing did not write it")
        if _MARK not in texts:
            raise OldFileError(str(path), _UNSEALED)
        return Footer(json.loads(texts[_NOTE]), json.loads(texts[_MARK]), metadata)
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise CorruptFileError(str(path), reason) from error


def _seal_at(content: bytes | bytearray) -> int:
    """Return the offset of the seal's digits: the last match, since texts of the table precede metadata."""
    at = content.rfind(_BEFORE_SEAL)
    return at + len(_BEFORE_SEAL) if 0 <= at <= len(content) - len(_BEFORE_SEAL) - len(_ZEROS) else -1


def _digest(content: bytes | bytearray, at: int) -> bytes:
    view = memoryview(content)
    digest = hashlib.sha256(view[:at])
    digest.update(_ZEROS)
    digest.update(view[at + len(_ZEROS) :])
    return digest.hexdigest().encode()
