"""A list of examples is known by what it says inside, and no two share a file."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from probing.errors import MisplacedFileError
from probing.io.parquet import read_marked, write_table
from probing.representations.manifest import read_manifests, write_manifest
from probing.representations.request import Request
from probing.tasks.task import Task

REQUEST = Request({"weights": "w", "config": "c", "tokenizer": "t"}, "head", "first", None, "float32", 5)
OTHER = replace(REQUEST, reduction="mean")


def note(root: Path, task: Task, request: Request = REQUEST, model: str = "m") -> Path:
    labels = {"model": model, "task": task.name, "granularity": "head", "pooling": request.pooling}
    return write_manifest(root, request, task, labels)


def test_one_in_the_place_of_another_is_refused(tmp_path: Path, small_task: Task) -> None:
    first, second = note(tmp_path, small_task), note(tmp_path, small_task, OTHER)
    assert first.name == second.name
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    with pytest.raises(
        MisplacedFileError, match=f"{first.parent.name}.*it belongs to examples .* and vectors {OTHER.key}"
    ):
        read_manifests(tmp_path)
    first.write_bytes(content)
    shutil.copy(first, first.with_name("task-copy." + first.name.split(".")[-2] + ".parquet"))
    assert len(read_manifests(tmp_path)) == 2


@pytest.mark.parametrize("change", ["extra", "missing", "newer"])
def test_columns_are_those_of_this_version(tmp_path: Path, small_task: Task, change: str) -> None:
    path = note(tmp_path, small_task)
    table, about, mark = read_marked(path)
    if change == "newer":
        mark = {**mark, "schema": 99}
    table = table.drop(["second"]) if change == "missing" else table
    table = table.append_column("Label", table["label"]) if change == "extra" else table
    write_table(path, table, about, mark)
    with pytest.raises(MisplacedFileError, match="its columns are not those of this version"):
        read_manifests(tmp_path)


def test_names_that_files_cannot_tell_apart_have_files_of_their_own(tmp_path: Path, small_task: Task) -> None:
    names = ["漢" * 90, "字" * 90, "漢" * 91, "a/b", "a-b", "a b", "x" * 300, "x" * 301]
    paths = [note(tmp_path, replace(small_task, name=name)) for name in names]
    paths += [note(tmp_path, small_task, model=name) for name in names]
    assert len(set(paths)) == len(paths)
    assert all(len(path.name.encode()) <= 255 for path in paths)
    found = read_manifests(tmp_path)
    assert sorted(m.about["task"] for m in found if m.about["model"] == "m") == sorted(names)
    again = [note(tmp_path, replace(small_task, name=name)) for name in names]
    assert again == paths[: len(names)]
