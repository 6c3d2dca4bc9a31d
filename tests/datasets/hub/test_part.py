"""With a limit, a part of the rows is read: blocks over the whole split, with every class of sorted data."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import probing
from probing.config.compose import compose_config, plain_values
from probing.config.run_config import build_config
from probing.datasets.hub import HubTask
from probing.datasets.hub.blocks import Part
from probing.datasets.hub.open_splits import open_data, read_split
from probing.datasets.hub.stored import ParquetRows
from probing.errors import ProbingError
from probing.runs.prepare import prepare
from probing.tasks.sampling import sample
from probing.tasks.source import PartialSource
from tests.datasets.hub.stores import REPOSITORY, cached, datasets, features, reviews, write

pytestmark = pytest.mark.slow

N = 25_000
FORM = "data/{split}-00000-of-00001.parquet"


@pytest.fixture(scope="module")
def imdb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sorted data of IMDb's size, in one file with row groups of 1,000."""
    data = {split: reviews(split, N, ordered=True) for split in ("train", "test")}
    return write(tmp_path_factory.mktemp("imdb"), FORM, data)


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The row groups that are read."""
    read: list[int] = []
    original = pq.ParquetFile.read_row_group

    def counting(self: Any, group: int, **options: Any) -> Any:  # noqa: ANN401
        read.append(group)
        return original(self, group, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", counting)
    return read


@pytest.mark.parametrize(("limit", "rows"), [(1, 1024), (256, 1024), (257, 2048), (512, 2048), (1000, 4096)])
def test_a_part_has_four_rows_for_every_example_and_a_power_of_two(limit: int, rows: int) -> None:
    assert Part.of_limit(limit) == Part(rows, 16)


@pytest.mark.parametrize("n", [1025, 1026, 1500, 2047, 25_000, 1_000_003])
def test_blocks_are_even_from_the_first_row_to_the_last_and_do_not_overlap(n: int) -> None:
    spans = Part(1024).spans(n)
    assert (len(spans), spans[0].start, spans[-1].stop) == (16, 0, n)
    assert all(len(span) == 64 for span in spans)
    gaps = [after.start - before.stop for before, after in pairwise(spans)]
    assert min(gaps) >= 0
    assert max(gaps) - min(gaps) <= 1
    assert Part(1024).spans(1024) == [range(1024)]


def test_sorted_data_have_both_classes_and_only_some_row_groups_are_read(
    imdb: Path, groups: list[int]
) -> None:
    task, whole = HubTask(path=imdb).build_part(100)
    assert not whole
    assert task.source.endswith("train, test; a part, 16 blocks of 64 rows of each split")
    drawn = sample(task, 100, False, seed=0)
    assert [len(drawn.rows(split)) for split in ("train", "test")] == [100, 100]
    for split in ("train", "test"):
        shown = [drawn.target.shown()[row] for row in drawn.rows(split)]
        assert shown.count("neg") == shown.count("pos") == 50
    assert len(groups) < 2 * N / 1000


def test_the_same_rows_are_read_from_every_place(
    imdb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    data = {split: reviews(split, 5000, ordered=True) for split in ("train", "test")}
    task, whole = HubTask(path=write(tmp_path / "a", FORM, data, group=700)).build_part(50)
    assert not whole
    again, _ = HubTask(dataset=str(tmp_path / "a"), name="hub/a").build_part(50)
    other, _ = HubTask(path=write(tmp_path / "b", FORM, data, group=5000), name="hub/a").build_part(50)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", cached(tmp_path / "c", data, "plain_text"))
    offline, of_cache = HubTask(dataset=REPOSITORY, name="hub/a").build_part(50)
    assert task.digest == again.digest == other.digest == offline.digest
    assert not of_cache
    split = read_split(open_data("x", None, None, tmp_path / "a"), "train", Part.of_limit(50))
    assert split.rows is not None
    assert [split.columns["text"][at].split()[2] for at in (0, 64, -1)] == [
        str(split.rows[at] - 1) for at in (0, 64, -1)
    ]


def test_more_is_read_until_every_declared_class_is_met(tmp_path: Path) -> None:
    kinds = features(label=datasets.ClassLabel(names=["a", "b", "rare"]))
    labels = [row % 2 for row in range(20_000)]
    labels[777:783] = [2] * 6
    rows = {"text": [f"text {row}" for row in range(20_000)], "label": labels}
    data = datasets.Dataset.from_dict(rows, features=kinds)
    task, _ = HubTask(path=write(tmp_path, FORM, {"train": data, "test": data})).build_part(20)
    assert task.target.names == ("a", "b", "rare")  # type: ignore[union-attr]


def test_more_is_read_if_labels_are_ignored(imdb: Path, tmp_path: Path) -> None:
    kinds = features(label=datasets.ClassLabel(names=["a", "b", "other"]))
    labels = [row % 200 if row % 200 < 2 else 2 for row in range(40_000)]
    rows = {"text": [f"text {row}" for row in range(40_000)], "label": labels}
    data = datasets.Dataset.from_dict(rows, features=kinds)
    source = HubTask(path=write(tmp_path, FORM, {"train": data, "test": data}), ignore=("other",))
    task, _ = source.build_part(60)
    assert min(len(task.rows(split)) for split in ("train", "test")) >= 60


def test_a_mistake_in_a_part_says_that_more_can_be_read(tmp_path: Path, groups: list[int]) -> None:
    rows = {"text": [f"text {row}" for row in range(100_000)], "label": [0] * 100_000}
    data = {"train": datasets.Dataset.from_dict(rows, features=features())}
    source = HubTask(path=write(tmp_path, FORM, data, group=16))
    with pytest.raises(
        ProbingError, match=r"only one class.*; this holds for a part, and a larger task\.limit"
    ):
        source.build_part(10)
    assert len(set(groups)) < 100_000 / 16


def test_balancing_reads_everything(imdb: Path, groups: list[int], tmp_path: Path, tiny_bert: Path) -> None:
    assert isinstance(HubTask(path=imdb), PartialSource)
    model = ["model=hf", f"model.name={tiny_bert}", f"paths.root={tmp_path}"]
    words = ["task=hub", f"task.path={imdb}", "task.limit=20", *model]
    part = prepare(build_config(plain_values(compose_config(words)))).spec
    assert part.config.sample.limit == 20
    n_of_part = len(groups)
    whole = prepare(build_config(plain_values(compose_config([*words, "task.balance=true"])))).spec
    assert len(groups) - n_of_part == 2 * N // 1000 > n_of_part
    assert "a part" in part.task.source
    assert "a part" not in whole.task.source


def test_a_limited_run_of_large_data_is_recorded_as_limited(
    imdb: Path, tmp_path: Path, tiny_bert: Path
) -> None:
    words = ["task=hub", f"task.path={imdb}", "task.name=films", "task.limit=60", "granularity.layers=[0]"]
    model = ["model=hf", f"model.name={tiny_bert}", f"paths.root={tmp_path / 'out'}", "extract.device=cpu"]
    frame = probing.run([*words, *model])
    assert set(frame["n_train"]) == set(frame["n_test"]) == {60}
    assert set(frame["limit"]) == {60}


def test_files_behind_an_address_are_read_by_row_groups_too(tmp_path: Path, groups: list[int]) -> None:
    fsspec = pytest.importorskip("fsspec")
    path = next(write(tmp_path, FORM, {"train": reviews("train", 5000)}, group=100).rglob("*.parquet"))
    with fsspec.open("memory://hub/train.parquet", "wb") as file:
        file.write(path.read_bytes())
    rows = ParquetRows(("memory://hub/train.parquet", str(path)), "x")
    assert len(rows) == 10_000
    table = rows.read([range(150, 160), range(4990, 5010)], ["text"])
    assert groups == [1, 49, 0]
    numbers = [*range(150, 160), *range(4990, 5000), *range(10)]
    assert [int(text.split()[2]) for text in table["text"].to_pylist()] == numbers
    with pytest.raises(
        ProbingError, match=r"memory://none\.parquet: cannot be read .*try again, or give task\.path"
    ):
        len(ParquetRows(("memory://none.parquet",), "x"))
