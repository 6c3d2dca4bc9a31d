"""A cache whose files were flipped, swapped, copied or touched: never a wrong row."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from probing.errors import CorruptFileError, ProbingError
from probing.representations.cache import Store
from probing.representations.public import load_representations
from probing.representations.request import unit_id
from probing.representations.shard import Shard, ShardWriter, open_shard
from probing.tasks.task import Task, Unit
from tests.representations.test_extract import extractor
from tests.representations.test_load import LAYOUT, PLAIN, REQUEST, cache
from tests.tiny import make_bert

UNITS = [Unit(f"text {number}") for number in range(6)]
IDS = [unit_id(unit) for unit in UNITS]


def vectors(seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(6, 2, 3)).astype(np.float32)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """One shard of six texts and two layers; the second text was cut."""
    found = Store(tmp_path, REQUEST.key)
    found.prepare(REQUEST)
    ShardWriter(found.folder).write(IDS, UNITS, {0: vectors(0), 1: vectors(1)}, LAYOUT, [IDS[1]])
    return found


def flips(path: Path, step: int = 1) -> Iterator[None]:
    """Flip one byte after the other, once in its lowest bit and once in all bits."""
    content = path.read_bytes()
    for place in range(0, len(content), step):
        for bits in (0x01, 0xFF):
            damaged = bytearray(content)
            damaged[place] ^= bits
            path.write_bytes(damaged)
            yield
    path.write_bytes(content)


def test_any_byte_of_a_commit_mark(store: Store) -> None:
    """Only the spaces between its words may change unnoticed; they say nothing."""
    (shard,) = store.shards()
    refused = unnoticed = 0
    for _ in flips(shard.folder / "shard.json"):
        try:
            found = open_shard(shard.folder)
        except CorruptFileError as error:
            assert error.path.endswith("shard.json")  # noqa: PT017
            refused += 1
        else:
            assert found == shard
            unnoticed += 1
    assert refused > 10 * unnoticed


@pytest.mark.parametrize("name", ["rows.parquet", "layer-00.parquet", "layer-01.parquet"])
def test_any_byte_of_the_other_files(store: Store, name: str) -> None:
    (shard,) = store.shards()
    for _ in flips(shard.folder / name, step=9):
        with pytest.raises(CorruptFileError, match=name):
            _ = shard.ids() if name == "rows.parquet" else shard.vectors(int(name[7]), [0])


def test_any_byte_of_the_request(store: Store) -> None:
    for _ in flips(store.folder / "request.json"):
        with pytest.raises(CorruptFileError, match=r"request\.json"):
            store.shards()
    assert len(store.shards()) == 1


@pytest.mark.parametrize("one", ["layer-00.parquet", "rows.parquet"])
def test_files_of_a_shard_that_changed_places(store: Store, one: str) -> None:
    (shard,) = store.shards()
    _swap(shard.folder / one, shard.folder / "layer-01.parquet")

    def read() -> object:
        return open_shard(shard.folder).vectors(1, [0])

    with pytest.raises(CorruptFileError, match=r"parquet: damaged"):
        read()


def test_shards_that_were_copied_within_a_store(store: Store) -> None:
    (shard,) = store.shards()
    newer = ShardWriter(store.folder).write(
        IDS[:3], UNITS[:3], {0: vectors(2)[:3], 1: vectors(3)[:3]}, LAYOUT
    )
    for source in (shard, newer):
        for name in ("shard-000000000000", "shard-zzzzzzzzzzzz"):
            shutil.copytree(source.folder, store.folder / f"{name}-{source.number}")
    assert len(store.shards()) == 6
    parts = store.locate(IDS, [0, 1])
    assert sorted(place for part in parts for place in part.places) == list(range(6))
    for part in parts:
        seed = 2 if part.places[0] == 0 else 0
        np.testing.assert_array_equal(part.shard.vectors(0, [1])[0][part.rows], vectors(seed)[part.places, 1])
    store.drop_superseded()
    assert {shard.number for shard in store.shards()} == {1, 2}


def test_the_number_of_a_shard_decides_and_never_the_time_of_its_files(store: Store) -> None:
    (old,) = store.shards()
    new = ShardWriter(store.folder).write(IDS, UNITS, {0: vectors(2), 1: vectors(3)}, LAYOUT)
    for ahead in (old, new):
        for shard in (old, new):
            _touch(shard, 2_000_000_000 if shard is ahead else 1)
        assert store.shards() == [new, old]
    store.drop_superseded()
    assert store.shards() == [new]


def test_always_serves_what_it_has_just_made_whatever_the_clock_says(
    tmp_path: Path, tiny_bert: Path, small_task: Task
) -> None:
    """A shard of other vectors, from a clock that was ahead."""
    mine = extractor(tmp_path, tiny_bert)
    right = mine.extract(small_task.units)
    (made,) = mine.store.shards()
    units = list(dict.fromkeys(small_task.units))
    values = {layer: np.full((len(units), 4, 8), 7, dtype=np.float32) for layer in range(3)}
    ShardWriter(mine.store.folder).write([unit_id(u) for u in units], units, values, made.model_layout)
    for shard in mine.store.shards():
        _touch(shard, 4_000_000_000)
    expected = right.layer(1)
    again = extractor(tmp_path, tiny_bert, overwrite="always").extract(small_task.units)
    np.testing.assert_allclose(again.layer(1), expected, rtol=1e-5)
    assert len(mine.store.shards()) == 1


def _other_shards(one: Store, other: Store) -> None:
    (mine,), (its,) = one.folder.glob("shard-*"), other.folder.glob("shard-*")
    _swap(mine, its)


def _folders(one: Store, other: Store) -> None:
    _swap(one.folder, other.folder)


def _copies(one: Store, other: Store) -> None:
    """The other's shard in this one's place, under this one's name."""
    (mine,), (source,) = one.folder.glob("shard-*"), other.folder.glob("shard-*")
    shutil.rmtree(mine)
    shutil.copytree(source, mine)


@pytest.mark.parametrize("exchange", [_other_shards, _folders, _copies])
def test_shards_of_another_model_are_never_served(
    tmp_path: Path,
    tiny_bert: Path,
    small_task: Task,
    exchange: Callable[[Store, Store], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Both models have one shape, so that only the content of `shard.json` distinguishes their shards."""
    other_bert = make_bert(tmp_path / "other", seed=1)
    root = tmp_path / "cache"
    one, other = extractor(root, tiny_bert), extractor(root, other_bert)
    before = [each.extract(small_task.units).layer(1) for each in (one, other)]
    assert np.abs(before[0] - before[1]).max() > 0.1
    exchange(one.store, other.store)
    with pytest.raises(ProbingError, match=r"damaged .*; overwrite=missing extracts it again"):
        extractor(root, tiny_bert, overwrite="never").extract(small_task.units)
    with caplog.at_level("WARNING", logger="probing"):
        after = [each.extract(small_task.units).layer(1) for each in (one, other)]
    assert f"its vectors are of request {other.request.key}" in caplog.text
    for found, expected in zip(after, before, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert {each.store.folder.name for each in (one, other)} == {
        json.loads((path / "shard.json").read_text())["meta"]["request"] for path in root.glob("*/shard-*")
    }


def test_a_damaged_file_of_another_request_is_made_again_where_it_lies(
    tmp_path: Path, tiny_bert: Path, small_task: Task
) -> None:
    """A run on heads reads hidden states for its objective, and finds one of their files damaged."""
    mine, hidden = (extractor(tmp_path, tiny_bert, site=site) for site in ("head", "hidden"))
    found = hidden.extract(small_task.units)
    expected = found.layer(1)
    (shard,) = hidden.store.shards()
    _ = next(flips(shard.folder / "layer-01.parquet"))
    with pytest.raises(CorruptFileError) as raised:
        found.layer(1)
    never = extractor(tmp_path, tiny_bert, overwrite="never")
    with pytest.raises(ProbingError, match="overwrite=missing extracts it again"):
        never.refill(raised.value)
    mine.refill(raised.value)
    assert hidden.store.shards() == []
    assert not mine.store.folder.exists()
    np.testing.assert_allclose(hidden.extract(small_task.units).layer(1), expected, rtol=1e-5)


def test_a_request_of_another_folder_is_written_again(
    tmp_path: Path, tiny_bert: Path, small_task: Task
) -> None:
    loads: list[str] = []
    mine = extractor(tmp_path, tiny_bert, loads=loads)
    mine.extract(small_task.units)
    path = mine.store.folder / "request.json"
    path.write_text(REQUEST.as_json())
    with pytest.raises(
        ProbingError, match=rf"it belongs to request {REQUEST.key}, not .*; overwrite=missing"
    ):
        extractor(tmp_path, tiny_bert, overwrite="never").extract(small_task.units)
    assert extractor(tmp_path, tiny_bert, loads=loads).extract(small_task.units).complete
    assert path.read_text() == mine.request.as_json()
    assert len(loads) == 1


def test_who_reads_the_cache_by_name_is_refused_another_models_shard(tmp_path: Path) -> None:
    cache(tmp_path, PLAIN)
    folder = tmp_path / "representations" / REQUEST.key
    (shard,) = folder.glob("shard-*")
    other = ShardWriter(tmp_path / "0123456789").write(IDS, UNITS, {0: vectors(0)}, LAYOUT)
    shutil.rmtree(shard)
    other.folder.rename(shard)
    with pytest.raises(CorruptFileError, match=r"are of request 0123456789; .* or delete it"):
        load_representations(tmp_path)


def test_lists_of_examples_that_lie_elsewhere_are_refused(tmp_path: Path) -> None:
    cache(tmp_path, PLAIN)
    (path,) = tmp_path.glob("representations/*/task-*.parquet")
    for copy in (path.parents[1] / "0123456789" / path.name, path.with_name("task-x.m.01234567.parquet")):
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(path, copy)
        with pytest.raises(CorruptFileError, match=rf"vectors {REQUEST.key}; move it back or delete it"):
            load_representations(tmp_path)
        copy.unlink()
    assert load_representations(tmp_path).shape == (8, 2, 2, 3)


def _touch(shard: Shard, seconds: int) -> None:
    for path in (shard.folder, *shard.folder.iterdir()):
        os.utime(path, (seconds, seconds))


def _swap(one: Path, other: Path) -> None:
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)
