"""Results on disk: one Parquet file for a finished run, one for each finished part of a running one."""

from __future__ import annotations

import json
import logging
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from probing.errors import CorruptFileError
from probing.files import replace_file
from probing.results.schema import COLUMNS

log = logging.getLogger(__name__)
_ABOUT = b"probing"


@dataclass(frozen=True)
class ResultStore:
    """The results of one run, found again by its key.

    Attributes:
        root: The folder of all results.
        key: What the result depends on, as a digest.
        title: Human-readable start of the file name.
    """

    root: Path
    key: str
    title: str

    @property
    def path(self) -> Path:
        """The file of the finished run."""
        return self.root / f"{re.sub(r'[^A-Za-z0-9.@_-]+', '-', self.title)}.{self.key}.parquet"

    @property
    def _parts(self) -> Path:
        return self.root / f".parts-{self.key}"

    def read(self) -> pd.DataFrame | None:
        """The finished result, or None where there is none.

        Raises:
            CorruptFileError: If the file is damaged.
        """
        found = sorted(self.root.glob(f"*.{self.key}.parquet"))
        return read_result(found[0])[0] if found else None

    def read_part(self, part: int) -> pd.DataFrame | None:
        """A part that an interrupted run has finished, or None; a damaged one counts as missing."""
        path = self._part(part)
        try:
            return read_result(path)[0] if path.exists() else None
        except CorruptFileError as error:
            log.warning("%s; it is computed again", error)
            return None

    def write_part(self, part: int, frame: pd.DataFrame) -> None:
        """Keep a finished part, so that a killed run need not do it again."""
        _write(self._part(part), frame, {})

    def write(self, frame: pd.DataFrame, about: Mapping[str, Any]) -> Path:
        """Write the finished result with what is known about it, and drop its parts."""
        _write(self.path, frame, about)
        self.drop_parts()
        return self.path

    def drop_parts(self) -> None:
        """Forget what an interrupted run has finished."""
        shutil.rmtree(self._parts, ignore_errors=True)

    def _part(self, part: int) -> Path:
        return self._parts / f"{part}.parquet"


def read_result(path: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read a result file: its rows, and what is known about the run.

    Raises:
        CorruptFileError: If the file is damaged.
    """
    try:
        table = pq.ParquetFile(path, page_checksum_verification=True).read()
        about: dict[str, Any] = json.loads((table.schema.metadata or {})[_ABOUT])
        return table.to_pandas().astype(COLUMNS), about
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise CorruptFileError(str(path), str(error).splitlines()[0]) from error


def _write(path: Path, frame: pd.DataFrame, about: Mapping[str, Any]) -> None:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), _ABOUT: json.dumps(about)})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
    replace_file(path, sink.getvalue())
