"""The cache says what it was told, or says which file is damaged; never anything else."""

from __future__ import annotations

import itertools
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from probing.errors import CorruptFileError
from probing.representations.cache import Store
from probing.representations.reader import Representations
from probing.representations.request import Request, unit_id
from probing.representations.shard import Shard, ShardWriter, open_shard
from probing.tasks.task import Unit

UNITS = [Unit(f"sentence {number}") for number in range(50)]
IDS = [unit_id(unit) for unit in UNITS]
LAYOUT = {0: (3, 5)}


def vectors(seed: int, dtype: type = np.float16) -> NDArray[np.float16]:
    return np.random.default_rng(seed).normal(size=(50, 3, 5)).astype(dtype)


@pytest.fixture
def shard(tmp_path: Path) -> Shard:
    held = {0: vectors(0), 1: vectors(1), -1: vectors(2)[:, :1]}
    return ShardWriter(tmp_path).write(IDS, UNITS, held, {-1: (1, 5), 0: (3, 5), 1: (3, 5), 2: (3, 5)})


def test_vectors_come_back_bit_by_bit(shard: Shard) -> None:
    assert shard.layers == {-1, 0, 1}
    assert shard.shape(1) == (3, 5)
    assert shard.ids() == IDS
    for head, values in zip([2, 0], shard.vectors(1, [2, 0]), strict=True):
        np.testing.assert_array_equal(values, vectors(1)[:, head])
    np.testing.assert_array_equal(shard.vectors(-1, [0])[0], vectors(2)[:, 0])


def test_anybody_can_read_the_files(shard: Shard) -> None:
    """Without this project: pandas and pyarrow alone."""
    head = pd.read_parquet(shard.folder / "layer-01.parquet", columns=["H02"])["H02"]
    np.testing.assert_array_equal(np.stack(list(head)), vectors(1)[:, 2])
    column = pq.read_schema(shard.folder / "layer-01.parquet").field("H00")
    assert str(column.type) == "fixed_size_list<element: halffloat>[5]"
    assert pd.read_parquet(shard.folder / "rows.parquet")["text"][7] == "sentence 7"


def test_rows_say_which_unit_they_stand_for(tmp_path: Path) -> None:
    units = [Unit("one"), Unit("one two", (4, 7)), Unit("one", second="two"), Unit("one", (0, 3), "")]
    shard = ShardWriter(tmp_path).write(IDS[:4], units, {0: vectors(0)[:4]}, LAYOUT)
    rows = pq.read_table(shard.folder / "rows.parquet").to_pylist()
    assert [
        Unit(row["text"], None if row["start"] is None else (row["start"], row["end"]), row["second"])
        for row in rows
    ] == units


def test_single_precision_stays_single(tmp_path: Path) -> None:
    wide = vectors(0, np.float32) * 1e6
    shard = ShardWriter(tmp_path).write(IDS, UNITS, {0: wide}, LAYOUT)
    np.testing.assert_array_equal(shard.vectors(0, [1])[0], wide[:, 1])


@pytest.mark.parametrize("place", [0.01, 0.3, 0.6, 0.95, 0.999])
@pytest.mark.parametrize("name", ["layer-00.parquet", "rows.parquet"])
def test_one_flipped_byte_is_noticed_and_named(shard: Shard, name: str, place: float) -> None:
    path = shard.folder / name
    content = bytearray(path.read_bytes())
    content[int(place * (len(content) - 9)) + 4] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(CorruptFileError, match=name):
        _ = shard.vectors(0, [0, 1, 2]) if name.startswith("layer") else shard.ids()


@pytest.mark.parametrize("name", ["layer-00.parquet", "rows.parquet", "shard.json"])
@pytest.mark.parametrize("damage", ["cut", "gone", "empty"])
def test_missing_ends_are_noticed_when_the_shard_is_opened(shard: Shard, name: str, damage: str) -> None:
    path = shard.folder / name
    content = path.read_bytes()
    path.write_bytes(content[: -len(content) // 3] if damage == "cut" else b"")
    if damage == "gone":
        path.unlink()
    with pytest.raises(CorruptFileError, match=name):
        open_shard(shard.folder)


def test_rows_are_found_across_shards_in_the_order_asked_for(tmp_path: Path) -> None:
    store = Store(tmp_path, "key")
    store.folder.mkdir()
    ShardWriter(store.folder).write(IDS[:20], UNITS[:20], {0: vectors(0)[:20]}, LAYOUT)
    ShardWriter(store.folder).write(IDS[15:], UNITS[15:], {0: vectors(0)[15:]}, LAYOUT)
    order = np.random.default_rng(1).integers(0, 50, size=80)
    found = Representations("key", {0: (3, 5)}, 80, store.locate([IDS[i] for i in order], [0]))
    assert found.complete
    np.testing.assert_array_equal(found.layer(0), vectors(0)[order].transpose(1, 0, 2).astype(np.float32))
    np.testing.assert_array_equal(found.layer(0, heads=[2])[0], vectors(0)[order, 2].astype(np.float32))


def test_the_newest_shard_wins_and_those_that_it_replaces_can_go(tmp_path: Path) -> None:
    store = Store(tmp_path, "key")
    store.folder.mkdir()
    old = ShardWriter(store.folder).write(IDS[:20], UNITS[:20], {0: vectors(0)[:20]}, LAYOUT)
    other = ShardWriter(store.folder).write(IDS[10:30], UNITS[10:30], {0: vectors(0)[10:30]}, LAYOUT)
    os.utime(old.folder, ns=(0, 1))
    os.utime(other.folder, ns=(0, 2))
    new = ShardWriter(store.folder).write(IDS[:20], UNITS[:20], {0: vectors(7)[:20]}, LAYOUT)
    found = Representations("key", LAYOUT, 20, store.locate(IDS[:20], [0]))
    np.testing.assert_array_equal(found.layer(0)[1], vectors(7)[:20, 1].astype(np.float32))
    store.drop_superseded()
    assert {shard.folder for shard in store.shards()} == {other.folder, new.folder}


@pytest.mark.parametrize(
    "change", [('"rows": 50', '"rows": 49'), ("[3, 5]", "[2, 5]"), ('"truncated": []', "")]
)
def test_a_changed_commit_mark_is_noticed(shard: Shard, change: tuple[str, str]) -> None:
    path = shard.folder / "shard.json"
    text = " ".join(path.read_text().split()).replace("[ ", "[").replace(" ]", "]")
    assert change[0] in text
    path.write_text(text.replace(*change))
    with pytest.raises(CorruptFileError, match=r"shard\.json"):
        open_shard(shard.folder)


def test_only_shards_are_ever_removed(tmp_path: Path) -> None:
    store = Store(tmp_path, "key")
    (tmp_path / "elsewhere").mkdir()
    error = CorruptFileError(str(tmp_path / "elsewhere" / "file"), "damaged")
    with pytest.raises(CorruptFileError):
        store.discard_damaged(error)
    assert (tmp_path / "elsewhere").is_dir()


def test_units_that_no_shard_has_are_left_open(tmp_path: Path) -> None:
    store = Store(tmp_path, "key")
    store.folder.mkdir()
    ShardWriter(store.folder).write(IDS[:20], UNITS[:20], {0: vectors(0)[:20]}, LAYOUT)
    parts = store.locate([IDS[30], IDS[3], IDS[40]], [0])
    assert [part.places.tolist() for part in parts] == [[1]]
    assert store.locate([IDS[3]], [0, 1]) == ()
    assert store.cached_layers(IDS[:20]) == LAYOUT
    assert store.cached_layers(IDS[:21]) == {}


def test_a_half_written_shard_is_never_seen(tmp_path: Path) -> None:
    """The process dies while it writes; what it had begun is not a shard, and is swept up."""
    code = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
import probing.representations.shard as shard
from tests.representations.test_store import IDS, LAYOUT, UNITS, vectors
from pathlib import Path
write = shard.write_synced
shard.write_synced = lambda *_: os.kill(os.getpid(), 9)
shard.ShardWriter(Path({str(tmp_path)!r}) / "key").write(IDS, UNITS, {{0: vectors(0)}}, LAYOUT)
"""
    ended = subprocess.run([sys.executable, "-c", code], check=False)
    assert ended.returncode == -9
    store = Store(tmp_path, "key")
    assert [path.name[:4] for path in store.folder.iterdir()] == ["tmp-"]
    assert store.shards() == []
    store.prepare(REQUEST)
    assert sorted(path.name for path in store.folder.iterdir()) == ["request.json"]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    """Files may not grow past 2 kB, as on a disk that is full; the error is the system's own."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    code = f"""
import signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tests.representations.test_store import IDS, LAYOUT, UNITS, vectors
from probing.representations.shard import ShardWriter
from pathlib import Path
ShardWriter(Path({str(tmp_path)!r})).write(IDS, UNITS, {{0: vectors(0)}}, LAYOUT)
"""
    ended = subprocess.run(
        [sys.executable, "-B", "-c", code], check=False, preexec_fn=limit, capture_output=True, text=True
    )
    assert "File too large" in ended.stderr
    assert list(tmp_path.iterdir()) == []


REQUEST = Request({"weights": "w", "config": "c", "tokenizer": "t"}, "head", "first", None, "float32", 5)


def test_the_key_tells_contents_apart_and_nothing_else() -> None:
    others = [
        Request({**REQUEST.model, "weights": "other"}, "head", "first", None, "float32", 5),
        Request(REQUEST.model, "hidden", "first", None, "float32", 5),
        Request(REQUEST.model, "head", "mean", None, "float32", 5),
        Request(REQUEST.model, "head", "first", 128, "float32", 5),
        Request(REQUEST.model, "head", "first", None, "bfloat16", 5),
        Request(REQUEST.model, "head", "first", None, "float32", 6),
        Request(REQUEST.model, "head", "first", None, "float32", 5, "float16"),
    ]
    assert len({request.key for request in [REQUEST, *others]}) == 8
    reordered = Request(dict(sorted(REQUEST.model.items())), "head", "first", None, "float32", 5)
    assert reordered.key == REQUEST.key
    assert json.loads(REQUEST.as_json())["model"] == REQUEST.model


def test_unit_ids_tell_texts_and_spans_apart() -> None:
    units = [Unit("a b"), Unit("a b", (0, 1)), Unit("a b", (2, 3)), Unit("0:1\na b"), Unit("a  b")]
    assert len({unit_id(unit) for unit in units}) == len(units)


def test_unit_ids_are_what_they_were() -> None:
    """Caches of older versions are found again."""
    assert unit_id(Unit("a b")) == "45873ba9cf14bd52f7404d04a6fa91a0"
    assert unit_id(Unit("a b", (0, 1))) == "e4930f57eda992b69c3f1d009433db1c"
    assert unit_id(Unit("é\n0:1")) == "b17a1e672821d8cfbfc96edff5d11557"


def test_no_two_units_share_an_id_whatever_their_texts_hold() -> None:
    """All texts of up to three of the signs that ids are made with, alone, as spans and as pairs."""
    texts = ["".join(signs) for length in range(4) for signs in itertools.product("1|:\n", repeat=length)]
    some = texts[:21]
    units = [Unit(text, span) for text in texts for span in (None, (0, 1), (0, 11))]
    units += [Unit(one, span, two) for one in some for two in some for span in (None, (0, 1))]
    units += [Unit(f"{start}|{one}\n{two}") for start in ("", "0:1") for one in some for two in some]
    units = list(set(units))
    assert len({unit_id(unit) for unit in units}) == len(units) > 1500
