"""Results on disk: one Parquet file for a finished run, one for each finished part of a running one."""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from filelock import FileLock

from probing.errors import CorruptFileError
from probing.files import remove_empty
from probing.parquet import read_table, write_table
from probing.results.schema import COLUMNS, PREDICTED

log = logging.getLogger(__name__)


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
        title = re.sub(r"[^A-Za-z0-9.@_-]+", "-", self.title)[:150]
        return self.root / f"{title}.{self.key}.parquet"

    @property
    def _parts(self) -> Path:
        return self.root / f".parts-{self.key}"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Let one process at a time compute this result; others wait, then find it."""
        self.root.mkdir(parents=True, exist_ok=True)
        path = self.root / f".{self.key}.lock"
        try:
            with FileLock(path):
                yield
        finally:
            path.unlink(missing_ok=True)
            remove_empty(self.root, self.root)

    def read(self, *, predicted: bool = False) -> pd.DataFrame | None:
        """The finished result, with the answers to test items if wanted, or None where there is none.

        Raises:
            CorruptFileError: If the file is damaged.
        """
        return read_result(self.path, predicted=predicted)[0] if self.path.exists() else None

    def read_part(self, part: int) -> pd.DataFrame | None:
        """A part that an interrupted run has finished, or None; a damaged one counts as missing."""
        path = self._part(part)
        try:
            return read_result(path, predicted=True)[0] if path.exists() else None
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

    def claim(self) -> None:
        """Mark a finished result as asked for, if another run made it on its way.

        Raises:
            ProbingError: If the file cannot be written.
        """
        frame, about = read_result(self.path, predicted=True)
        _write(self.path, frame.assign(inner=pd.array([False] * len(frame), dtype="boolean")), about)

    def drop_parts(self) -> None:
        """Forget what an interrupted run has finished."""
        shutil.rmtree(self._parts, ignore_errors=True)

    def _part(self, part: int) -> Path:
        return self._parts / f"{part}.parquet"


def read_result(path: Path, *, predicted: bool = False) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read a result file: its rows, and what is known about the run.

    Args:
        path: The file.
        predicted: Whether to read the answers to test items too, as a column of arrays.

    Raises:
        CorruptFileError: If the file is damaged.
    """
    table, about = read_table(path, without=None if predicted else PREDICTED)
    try:
        frame = table.to_pandas()
        # files that were written before a column existed lack it; there were no baselines then
        lacking: dict[str, Any] = dict.fromkeys(COLUMNS, None) | {"baseline": "none"}
        frame = frame.assign(**{name: lacking[name] for name in COLUMNS.keys() - set(frame)})
        if any(str(frame[name].dtype) != kind for name, kind in COLUMNS.items()):  # casting takes long
            frame = frame.astype(COLUMNS)
        return frame[[*COLUMNS, *frame.columns.difference(list(COLUMNS))]], about
    except (KeyError, ValueError, TypeError) as error:
        raise CorruptFileError(str(path), str(error).splitlines()[0]) from error


def _write(path: Path, frame: pd.DataFrame, about: Mapping[str, Any]) -> None:
    write_table(path, _table(frame), about)


def _table(frame: pd.DataFrame) -> pa.Table:
    """The frame, its answers as lists of the smallest type that tells them apart."""
    table = pa.Table.from_pandas(frame.drop(columns=PREDICTED, errors="ignore"), preserve_index=False)
    if PREDICTED not in frame:
        return table
    whole = all(answers.dtype.kind == "i" for answers in frame[PREDICTED])
    answers = pa.array(list(frame[PREDICTED]), pa.list_(pa.int32() if whole else pa.float32()))
    return table.append_column(PREDICTED, answers)
