"""A sealed file is read as it was written, or refused: every byte counts."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from probing.errors import CorruptFileError, OldFileError
from probing.io.parquet import parse, read_marked, write_table
from probing.representations.manifest import write_manifest
from probing.representations.request import Request
from probing.results.store import ResultStore
from probing.tasks.task import Task
from tests.results.test_load import rows

pytestmark = pytest.mark.slow

REQUEST = Request({"weights": "w", "config": "c", "tokenizer": "t"}, "head", "first", None, "float32", 5)


def result(root: Path) -> Path:
    frame = rows().assign(predicted=pd.Series([np.arange(5) + row for row in range(6)], dtype=object))
    return ResultStore(root / "results", "k", "m.t").write(frame, {"gold": [0, 1, 0, 1, 1]})


def manifest(root: Path, task: Task) -> Path:
    return write_manifest(
        root, REQUEST, task, {"model": "m", "task": task.name, "granularity": "head", "pooling": "first"}
    )


@pytest.mark.parametrize("kind", ["result", "part", "manifest"])
def test_every_byte_and_a_bit_of_every_byte_is_sealed(tmp_path: Path, small_task: Task, kind: str) -> None:
    if kind == "manifest":
        path = manifest(tmp_path, small_task)
    elif kind == "result":
        path = result(tmp_path)
    else:
        ResultStore(tmp_path / "results", "k", "m.t").write_part(1, rows())
        (path,) = (tmp_path / "results").glob(".parts-k/*")
    content = bytearray(path.read_bytes())
    parse(bytes(content))
    for place in range(len(content)):
        for change in (0xFF, 1 << place % 8):
            content[place] ^= change
            with pytest.raises(CorruptFileError) as refused:
                parse(content)
            assert not isinstance(refused.value, OldFileError)
            content[place] ^= change
    for length in range(0, len(content), 97):
        with pytest.raises((CorruptFileError, pa.ArrowException)):
            parse(bytes(content[:length]))


def test_damage_is_named_with_its_file(tmp_path: Path) -> None:
    path = result(tmp_path)
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    with pytest.raises(
        CorruptFileError, match=r"m\.t\.k\.parquet: damaged \(its checksum does not match the one"
    ):
        read_marked(path)
    path.write_bytes(b"")
    with pytest.raises(CorruptFileError, match=r"m\.t\.k\.parquet: damaged"):
        read_marked(path)


def test_others_read_sealed_files_as_ever(tmp_path: Path) -> None:
    path = result(tmp_path)
    right = rows()["test"].astype(float).tolist()
    assert pd.read_parquet(path)["test"].tolist() == right
    assert pq.read_table(path)["test"].to_pylist() == right
    assert pl.read_parquet(path)["test"].to_list() == right
    answer = duckdb.connect().execute(f"select test from '{path}'").fetchall()
    assert [value for (value,) in answer] == right
    assert pd.read_parquet(path)["predicted"][3].tolist() == [3, 4, 5, 6, 7]


def test_texts_that_look_like_a_seal_are_texts(tmp_path: Path) -> None:
    looks = b"\x18\x0eprobing.sha256\x18\x40".decode() + "0" * 64
    path = tmp_path / "file.parquet"
    write_table(path, pa.table({"a": [looks], looks: [looks]}), {"note": looks}, {"kind": looks})
    table, note, mark = read_marked(path)
    assert table.to_pylist() == [{"a": looks, looks: looks}]
    assert (note, mark) == ({"note": looks}, {"kind": looks})


def test_a_file_without_a_seal_is_called_old(tmp_path: Path) -> None:
    path = tmp_path / "old.parquet"
    pq.write_table(pa.table({"a": [1]}).replace_schema_metadata({"probing": "{}"}), path)
    with pytest.raises(
        OldFileError, match=r"old\.parquet: written by an older version of probing, without a checksum"
    ):
        read_marked(path)
