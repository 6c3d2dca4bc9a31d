"""The rows of a split where they are stored: in parquet files, local or remote, or in Arrow files."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import pyarrow as pa

from probing.errors import ProbingError


class StoredRows(Protocol):
    """The rows of a split, of which any ranges can be read."""

    @property
    def where(self) -> str:
        """Source of the rows, for messages."""

    def __len__(self) -> int:
        """Number of rows."""

    def names(self) -> list[str]:
        """Return the names of the columns."""

    def features(self) -> Mapping[str, Any]:
        """Return the types of the columns as the `datasets` library writes them; empty if unknown."""

    def read(self, spans: Sequence[range], columns: Collection[str]) -> pa.Table:
        """Return the rows of ascending ranges that do not overlap, with some of the columns."""


@dataclass(frozen=True)
class ParquetRows:
    """Rows of parquet files; only the row groups that contain requested rows are read.

    Attributes:
        files: Paths or addresses, such as `hf://datasets/...`, in the order of the rows.
        where: Source of the rows, for messages.
        types: Types of the columns, if they are known from elsewhere.
    """

    files: tuple[str, ...]
    where: str
    types: Mapping[str, Any] | None = None

    @cached_property
    def _opened(self) -> list[Any]:
        return [_open(file) for file in self.files]

    def __len__(self) -> int:
        """Number of rows."""
        return sum(opened.metadata.num_rows for opened in self._opened)

    def names(self) -> list[str]:
        """Return the names of the columns."""
        return list(self._opened[0].schema_arrow.names)

    def features(self) -> Mapping[str, Any]:
        """Return the types that the `datasets` library stores in the files, since parquet lacks some."""
        if self.types is not None:
            return self.types
        try:
            about = json.loads((self._opened[0].schema_arrow.metadata or {}).get(b"huggingface", b"{}"))
            features = about.get("info", {}).get("features", {})
        except (ValueError, AttributeError):
            return {}
        return features if isinstance(features, dict) else {}

    def read(self, spans: Sequence[range], columns: Collection[str]) -> pa.Table:
        """Return the rows of some ranges."""
        pieces, first = [], 0
        for file, opened in zip(self.files, self._opened, strict=True):
            names = [name for name in opened.schema_arrow.names if name in columns]
            for group in range(opened.num_row_groups):
                own = range(first, first + opened.metadata.row_group(group).num_rows)
                inside = [
                    (max(span.start, own.start), min(span.stop, own.stop))
                    for span in spans
                    if span.start < own.stop and span.stop > own.start
                ]
                if inside:
                    with _readable(file):
                        table = opened.read_row_group(group, columns=names)
                    pieces += [table.slice(start - first, stop - start) for start, stop in inside]
                first = own.stop
        if not pieces:
            empty = self._opened[0].schema_arrow.empty_table()
            return empty.select([name for name in empty.column_names if name in columns])
        return _joined(pieces, self.where)


def _joined(pieces: Sequence[pa.Table], where: str) -> pa.Table:
    try:
        return pa.concat_tables(pieces, promote_options="permissive")
    except pa.ArrowException as error:
        reason = str(error).splitlines()[0]
        raise ProbingError(
            f"{where}: its files have columns of different types ({reason}); fetch them again"
        ) from error


@dataclass(frozen=True)
class ArrowRows:
    """Rows of a `datasets.Dataset`, which are Arrow files of the cache or of `save_to_disk`.

    Attributes:
        dataset: The data set.
        where: Source of the rows, for messages.
    """

    dataset: Any
    where: str

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.dataset)

    def names(self) -> list[str]:
        """Return the names of the columns."""
        return list(self.dataset.column_names)

    def features(self) -> Mapping[str, Any]:
        """Return the types of the columns."""
        types: Mapping[str, Any] = self.dataset.features.to_dict()
        return types

    def read(self, spans: Sequence[range], columns: Collection[str]) -> pa.Table:
        """Return the rows of some ranges."""
        names = [name for name in self.names() if name in columns]
        tables = self.dataset.select_columns(names).with_format("arrow")
        return _joined([tables[span.start : span.stop] for span in spans], self.where)


def _open(file: str) -> Any:  # noqa: ANN401
    import pyarrow.parquet as pq

    with _readable(file):
        if "://" not in file:
            return pq.ParquetFile(file)
        from fsspec.core import url_to_fs

        system, path = url_to_fs(file)
        return pq.ParquetFile(system.open(path, "rb"))


@contextmanager
def _readable(file: str) -> Iterator[None]:
    """Turn a failure to read a file into a one-line error."""
    try:
        yield
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        if "://" in file:  # the transport has many kinds of errors
            raise ProbingError(
                f"{file}: cannot be read ({reason}); try again, or give task.path=<a folder with its files>"
            ) from error
        if isinstance(error, pa.ArrowException | OSError | ValueError | OverflowError):
            raise ProbingError(f"{file}: not a readable parquet file ({reason}); fetch it again") from error
        raise
