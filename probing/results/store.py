"""Results on disk: a Parquet file for each finished run, and for each finished part of a running one."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from probing.errors import CorruptFileError, MisplacedFileError, NewerFileError, OldFileError
from probing.io.files import discard, file_name
from probing.io.locks import held, lock_file
from probing.io.parquet import read_marked, read_note, write_table
from probing.representations import request
from probing.results.schema import COLUMNS, PREDICTED, SCHEMA, with_inner
from probing.results.upgrade import upgraded

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ResultStore:
    """The results of one run, found again by its key.

    Attributes:
        root: Folder of all results.
        key: Digest of everything that the result depends on.
        title: Human-readable start of the file name.
    """

    root: Path
    key: str
    title: str

    @property
    def path(self) -> Path:
        """The file of the finished run."""
        return self.root / f"{file_name(self.title)}.{self.key}.parquet"

    @property
    def _parts(self) -> Path:
        return parts_folder(self.root, self.key)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Let one process at a time compute this result; the others wait and then find it."""
        with held(lock_file(self.root, self.key), waiting="waiting for another process that runs the same"):
            yield

    def read(self, *, predicted: bool = False) -> pd.DataFrame | None:
        """Read the finished result, with answers to test items if `predicted`; None if there is none.

        Raises:
            CorruptFileError: If the file is damaged or contains another result.
        """
        return read_result(self.path, predicted=predicted)[0] if self.path.exists() else None

    def read_part(self, part: int) -> pd.DataFrame | None:
        """Read a part that an interrupted run has finished; None if it is missing, damaged or misplaced."""
        path = self._part(part)
        try:
            return _read(path, _mark("part", self.key, part), predicted=True)[0] if path.exists() else None
        except CorruptFileError as error:
            log.warning("%s; it is computed again", error)
            return None

    def write_part(self, part: int, frame: pd.DataFrame) -> None:
        """Write a finished part, so that an interrupted run can resume."""
        _write(self._part(part), frame, {}, _mark("part", self.key, part))

    def write(self, frame: pd.DataFrame, about: Mapping[str, Any]) -> Path:
        """Write the finished result with the note about its run, and delete its parts."""
        self._write_result(frame, about)
        self.drop_parts()
        return self.path

    def claim(self) -> None:
        """Mark a finished result that another run made on its way as requested.

        Raises:
            ProbingError: If the file cannot be written.
        """
        frame, about = read_result(self.path, predicted=True)
        self._write_result(with_inner(frame, inner=False), about)

    def _write_result(self, frame: pd.DataFrame, about: Mapping[str, Any]) -> None:
        _write(self.path, frame, about, _mark("result", self.key))

    def drop_parts(self) -> None:
        """Delete the finished parts of an interrupted run."""
        discard(self._parts)

    def _part(self, part: int) -> Path:
        return self._parts / f"{part}.parquet"


@dataclass(frozen=True)
class Stored:
    """The content of a result file.

    Attributes:
        path: Path of the file.
        key: Key of the run.
        frame: Rows of the run, without answers to test items.
        about: Note about the run.
    """

    path: Path
    key: str
    frame: pd.DataFrame
    about: Mapping[str, Any]


def read_results(root: Path) -> tuple[list[Stored], list[CorruptFileError]]:
    """Read all results of a folder, and the reasons why some files are not results.

    No result is read twice: if two files have the same key, the second is refused.
    """
    found: dict[str, Stored] = {}
    problems = []
    for path in sorted(root.glob("*.parquet")):
        try:
            frame, about = read_result(path)
            key = key_of(path)
            if key in found:
                raise MisplacedFileError(str(path), f"it contains the same result as {found[key].path.name}")
            found[key] = Stored(path, key, frame, about)
        except CorruptFileError as error:
            problems.append(error)
    return list(found.values()), problems


def newest_notes(root: Path, most: int) -> list[dict[str, Any]]:
    """Return the notes of the newest results, for estimates; the files are not checked."""
    dated = []
    for path in root.glob("*.parquet"):
        with suppress(OSError):  # it was removed meanwhile
            dated.append((path.stat().st_mtime_ns, path))
    return [read_note(path) for _, path in sorted(dated, reverse=True)[:most]]


def read_result(path: Path, *, predicted: bool = False) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read the rows of a result file and the note about its run.

    Args:
        path: Path of the file; the key in its name is compared with the key inside.
        predicted: Whether to read the answers to test items too, as a column of arrays.

    Raises:
        CorruptFileError: If the file is damaged, or has another key or columns unknown to this version.
    """
    return _read(path, _mark("result", key_of(path)), predicted=predicted)


def key_of(path: Path) -> str:
    """The key in the name of a result file."""
    return path.stem.rpartition(".")[2]


def parts_folder(root: Path, key: str) -> Path:
    """The folder of the finished parts of a run, until all parts are finished."""
    return root / f".parts-{key}"


def _mark(kind: str, key: str, part: int | None = None) -> dict[str, Any]:
    """The mark that identifies the content of a file."""
    return {"kind": kind, "key": key, "part": part, "schema": SCHEMA}


def _read(path: Path, expected: Mapping[str, Any], *, predicted: bool) -> tuple[pd.DataFrame, dict[str, Any]]:
    table, about, mark = read_marked(path, without=None if predicted else PREDICTED)
    schema = _check_mark(path, mark, expected)
    _check_request(path, about)
    try:
        return _as_frame(path, table.to_pandas(), schema), about
    except (KeyError, ValueError, TypeError) as error:
        raise CorruptFileError(str(path), str(error).splitlines()[0]) from error


def _check_mark(path: Path, mark: Mapping[str, Any], expected: Mapping[str, Any]) -> int:
    """Refuse a file that is not the expected one, and return the version of its schema."""
    for name in ("kind", "key", "part"):
        if mark.get(name) != expected[name]:
            there, wanted = _described(mark), _described(expected)
            raise MisplacedFileError(str(path), f"it contains {there} instead of {wanted}")
    schema = int(mark.get("schema", 0))
    if schema > SCHEMA:
        raise NewerFileError(str(path), "a newer version of probing wrote it; update probing to read it")
    return schema


def _check_request(path: Path, about: Mapping[str, Any]) -> None:
    if about.get("request", {}).get("schema", request.SCHEMA) < request.SCHEMA:
        raise OldFileError(str(path), "it comes from vectors in the format of an older version of probing")


def check_result(path: Path, about: Mapping[str, Any], mark: Mapping[str, Any]) -> None:
    """Refuse a file whose note and mark are not those of the result that its name states.

    Raises:
        CorruptFileError: If so.
    """
    _check_mark(path, mark, _mark("result", key_of(path)))
    _check_request(path, about)


def _described(mark: Mapping[str, Any]) -> str:
    if mark.get("kind") not in {"result", "part"}:
        return "something else"
    part = "the result" if mark["kind"] == "result" else f"part {mark.get('part')}"
    return f"{part} of key {mark.get('key')}"


def _as_frame(path: Path, frame: pd.DataFrame, schema: int) -> pd.DataFrame:
    """The columns of the schema in its order and types, followed by answers if there are any."""
    frame = upgraded(frame, schema) if schema < SCHEMA else frame
    unknown = [str(name) for name in frame if name not in COLUMNS and name != PREDICTED]
    if unknown:
        raise MisplacedFileError(str(path), f"no version of probing writes its column {unknown[0]!r}")
    missing = [name for name in COLUMNS if name not in frame]
    if missing and schema == SCHEMA:
        raise MisplacedFileError(str(path), f"it has no column {missing[0]!r}")
    if PREDICTED in frame and any(answers.dtype == bool for answers in frame[PREDICTED]):
        sets = [list_.reshape(n, -1) for list_, n in zip(frame[PREDICTED], frame["n_test"], strict=True)]
        frame[PREDICTED] = pd.Series(sets, dtype=object, index=frame.index)
    if any(str(frame[name].dtype) != kind for name, kind in COLUMNS.items()):  # casting is slow
        frame = frame.astype(COLUMNS)
    return frame[[*COLUMNS, *frame.columns.difference(list(COLUMNS))]]


def _write(path: Path, frame: pd.DataFrame, about: Mapping[str, Any], mark: Mapping[str, Any]) -> None:
    write_table(path, _table(frame), about, mark)


def _table(frame: pd.DataFrame) -> pa.Table:
    """The frame with answers as lists, in full precision: cosines may differ only in the tenth digit."""
    table = pa.Table.from_pandas(frame.drop(columns=PREDICTED, errors="ignore"), preserve_index=False)
    if PREDICTED not in frame:
        return table
    kinds = {answers.dtype.kind for answers in frame[PREDICTED]}
    kind = {"i": pa.int32(), "b": pa.bool_()}.get("".join(kinds), pa.float64())
    # the labels of one item follow those of another
    answers = pa.array([answers.ravel() for answers in frame[PREDICTED]], pa.list_(kind))
    return table.append_column(PREDICTED, answers)
