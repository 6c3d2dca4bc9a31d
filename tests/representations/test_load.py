"""Cached vectors come back for the examples of a task: first and second units, classes and scores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.io.parquet import read_marked, write_table
from probing.representations.cache import Store
from probing.representations.manifest import read_manifests, write_manifest
from probing.representations.public import load_representations
from probing.representations.reader import Representations
from probing.representations.request import Request, unit_id
from probing.representations.shard import ShardWriter
from probing.tasks.target import Classes, Scores
from probing.tasks.task import Task, Unit

REQUEST = Request({"weights": "w", "config": "c", "tokenizer": "t"}, "head", "first", None, "float32", 5)
LABELS = {"model": "m", "task": "old/task", "granularity": "head", "pooling": "first"}
LAYOUT = {0: (2, 3), 1: (2, 3)}
SPLIT = np.array(["train"] * 4 + ["dev"] * 2 + ["test"] * 2)
PLAIN = Task(
    "old/task", tuple(Unit(f"text {i}") for i in range(8)), Classes(np.arange(8) % 2, ("no", "yes")), SPLIT
)
PAIRS = replace(
    PLAIN,
    partners=tuple(Unit(f"text {7 - i}", (0, 4) if i else None) for i in range(8)),
    target=Scores(np.linspace(0, 3.5, 8), (0.0, 5.0)),
    metric="pearson",
)


def cache(root: Path, task: Task, *, missing: tuple[int, ...] = ()) -> dict[Unit, NDArray[np.float16]]:
    """Vectors for a task, (layers, heads, dim) each, as if a model had run."""
    units = list(dict.fromkeys(task.all_units))
    values = np.random.default_rng(0).normal(size=(len(units), 2, 2, 3)).astype(np.float16)
    values[list(missing)] = np.nan
    ids = [unit_id(unit) for unit in units]
    folder = root / "representations" / REQUEST.key
    gone = [ids[row] for row in missing]
    ShardWriter(folder).write(ids, units, {0: values[:, 0], 1: values[:, 1]}, LAYOUT, gone, gone)
    write_manifest(root / "representations", REQUEST, task, LABELS)
    return dict(zip(units, values, strict=True))


def test_rows_are_examples_and_partner_takes_the_second_unit(tmp_path: Path) -> None:
    vectors = cache(tmp_path, PAIRS)
    assert PAIRS.partners is not None
    for partner, units in ((False, PAIRS.units), (True, PAIRS.partners)):
        expected = np.stack([vectors[unit] for unit in units]).astype(np.float32)
        np.testing.assert_array_equal(load_representations(tmp_path, partner=partner), expected)
        frame = load_representations(tmp_path, partner=partner, layer=1, head=0, frame=True)
        np.testing.assert_array_equal(frame.to_numpy(), expected[:, 1, 0])
        assert list(frame.index.names) == ["row", "split", "label", "text"]
        assert list(frame.index.get_level_values("text")) == [unit.text for unit in units]
        assert list(frame.index.get_level_values("label")) == PAIRS.target.shown()


def test_layers_that_different_runs_have_read_come_together(tmp_path: Path) -> None:
    """No shard holds both layers; each layer of every example is in one."""
    values = np.random.default_rng(0).normal(size=(2, 8, 2, 3)).astype(np.float32)
    ids = [unit_id(unit) for unit in PLAIN.units]
    folder = tmp_path / "representations" / REQUEST.key
    ShardWriter(folder).write(ids, PLAIN.units, {0: values[0]}, LAYOUT)
    for rows in (slice(0, 3), slice(3, 8)):
        ShardWriter(folder).write(ids[rows], PLAIN.units[rows], {1: values[1, rows]}, LAYOUT)
    write_manifest(tmp_path / "representations", REQUEST, PLAIN, LABELS)
    np.testing.assert_array_equal(load_representations(tmp_path), values.transpose(1, 0, 2, 3))
    frame = load_representations(tmp_path, head=1, frame=True)
    np.testing.assert_array_equal(frame[1].to_numpy(), values[1, :, 1])


def test_rows_that_no_shard_holds_are_never_read(tmp_path: Path) -> None:
    cache(tmp_path, PLAIN)
    store = Store(tmp_path / "representations", REQUEST.key)
    ids = [*(unit_id(unit) for unit in PLAIN.units), "another"]
    vectors = Representations(REQUEST.key, LAYOUT, len(ids), store.locate(ids, (0, 1)))
    with pytest.raises(ProbingError, match="are not all cached; run probing again"):
        vectors.layer(0)


@pytest.mark.parametrize(
    ("file", "remedy"), [("layer-01", "run its command again"), ("task-*", "delete it and run its command")]
)
def test_a_damaged_file_says_what_to_do(tmp_path: Path, file: str, remedy: str) -> None:
    cache(tmp_path, PLAIN)
    (path,) = (tmp_path / "representations").rglob(f"{file}.parquet")
    content = bytearray(path.read_bytes())
    content[50] ^= 1
    path.write_bytes(content)
    with pytest.raises(ProbingError, match=rf"{path.name}: damaged .*; {remedy}"):
        load_representations(tmp_path)


def test_single_units_have_no_partner(tmp_path: Path) -> None:
    cache(tmp_path, PLAIN)
    assert load_representations(tmp_path).shape == (8, 2, 2, 3)
    with pytest.raises(ProbingError, match=r"task=old/task.* are not pairs; omit partner=True"):
        load_representations(tmp_path, partner=True)


def test_words_without_a_vector_are_rows_of_nan(tmp_path: Path) -> None:
    cache(tmp_path, PLAIN, missing=(2, 5))
    nan = np.isnan(load_representations(tmp_path))
    assert nan.any(axis=(1, 2, 3)).tolist() == nan.all(axis=(1, 2, 3)).tolist()
    assert np.flatnonzero(nan[:, 0, 0, 0]).tolist() == [2, 5]


def test_a_manifest_says_what_each_example_is(tmp_path: Path) -> None:
    task = replace(PAIRS, units=tuple(Unit(f"text {i}", (1, 3), "other") for i in range(8)))
    cache(tmp_path, task)
    (manifest,) = read_manifests(tmp_path / "representations")
    examples = manifest.examples
    assert list(examples.columns) == [
        *("id", "text", "start", "end", "second", "label", "split"),
        *("partner_id", "partner_text", "partner_start", "partner_end", "partner_second"),
    ]
    assert list(examples["id"]) == [unit_id(unit) for unit in task.units]
    assert set(examples["start"]) == {1}
    assert set(examples["second"]) == {"other"}
    assert task.partners is not None
    assert list(examples["partner_id"]) == [unit_id(unit) for unit in task.partners]
    assert examples["partner_end"].isna().tolist() == [True] + [False] * 7
    assert examples["partner_second"].isna().all()
    assert list(examples["label"][:3]) == ["0", "0.5", "1"]


def test_tasks_that_differ_in_their_partners_are_told_apart(tmp_path: Path) -> None:
    assert PAIRS.partners is not None
    cache(tmp_path, PAIRS)
    cache(tmp_path, replace(PAIRS, partners=PAIRS.partners[::-1]))
    assert len(read_manifests(tmp_path / "representations")) == 2
    with pytest.raises(ProbingError, match="more than one set of vectors: examples is any of"):
        load_representations(tmp_path)


def test_manifests_of_older_versions_still_load_and_are_replaced_by_the_same_task(tmp_path: Path) -> None:
    """They have no column `second`; the digest in their names is as it was."""
    cache(tmp_path, PLAIN)
    (path,) = tmp_path.glob("representations/*/task-*.parquet")
    assert path.name == "task-old-task.m.aa9391a8.parquet"
    before = load_representations(tmp_path)
    table, about, _ = read_marked(path)
    write_table(path, table.drop(["second"]), about)
    np.testing.assert_array_equal(load_representations(tmp_path), before)
    frame = load_representations(tmp_path, layer=0, frame=True)
    assert isinstance(frame, pd.DataFrame)
    write_manifest(tmp_path / "representations", REQUEST, PLAIN, LABELS)
    assert [found.name for found in tmp_path.glob("representations/*/task-*")] == [path.name]
