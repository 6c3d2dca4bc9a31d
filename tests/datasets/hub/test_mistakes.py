"""What is wrong with a data set of the hub, or with its options, is one line that says what there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from probing.datasets.hub import HubTask
from probing.datasets.hub.library import _explained
from probing.errors import ProbingError
from tests.datasets.hub.stores import COMMIT, REPOSITORY, cached, datasets, features, reviews, write

pytestmark = pytest.mark.slow

FORM = "plain_text/{split}-00000-of-00001.parquet"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = {"train": reviews("train", 30), "test": reviews("test", 20), "more": reviews("m", 20, hidden=True)}
    return write(tmp_path / "data", FORM, data)


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The library without network, and with two data sets of one repository in its cache."""
    data = {"train": reviews("train", 30), "test": reviews("test", 20)}
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", cached(tmp_path, data, "large", "small"))


def complaint(**options: Any) -> str:  # noqa: ANN401
    with pytest.raises(ProbingError) as caught:
        HubTask(**options).build()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"config": "plain_txt"}, r"task\.config=plain_txt: .* did you mean plain_text\?"),
        ({"test": "tests"}, r"task\.test=tests: .* has no such split; did you mean test\?"),
        ({"train": "test", "test": "test"}, r"task\.train=test: the split has two roles"),
        ({"test": "more"}, r"all labels are -1, which hides them; use another split, task\.test=\.\.\.; "
                           r"there is .*train"),
        ({"text": "txt"}, r"there is no column 'txt', which task\.text names; did you mean text\?"),
        ({"label": "labels"}, r"there is no column 'labels', which task\.label names; did you mean label\?"),
        ({"second": "text.a"}, r"there is no column 'text\.a', which task\.second names"),
        ({"split": "part"}, r"task\.split names a column, but the data have splits"),
        ({"revision": "main"}, r"task\.revision and task\.path contradict each other"),
        ({"classes": ("neg", "good")}, r"label 'pos' is not in task\.classes; expected one of neg, good"),
        ({"ignore": ("bad",)}, r"task\.ignore names 'bad', .*; expected one of neg, pos"),
        ({"metric": "pearson"}, r"'neg' is not a score"),
    ],
)  # fmt: skip
def test_options_that_do_not_fit_a_folder(options: dict[str, Any], message: str, folder: Path) -> None:
    said = complaint(path=folder, **options)
    assert re.search(message, said), said


def test_a_row_is_named_by_its_number_in_the_split(tmp_path: Path) -> None:
    rows = reviews("train", 40).to_dict()
    rows["text"][1], rows["label"][7] = "", -1
    data = {"train": datasets.Dataset.from_dict(rows, features=features()), "test": reviews("test", 20)}
    said = complaint(path=write(tmp_path, FORM, data))
    assert "train-00000-of-00001.parquet, row 8: column 'label' is empty" in said
    assert "task.ignore=['']" in said
    assert len(HubTask(path=tmp_path, ignore=("",)).build().rows("train")) == 38


def test_folders_without_the_files(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "none").mkdir()
    assert "no train.parquet or train-00000-of-00001.parquet" in complaint(path=tmp_path / "none")
    assert "absent: no train.parquet or" in complaint(path=tmp_path / "absent")
    assert "read the file with task=table" in complaint(path=next(folder.rglob("*.parquet")))
    write(folder, "other/{split}.parquet", {"train": reviews("train", 30)})
    assert re.search(r"several data sets; name one, task\.config=.*other, plain_text", complaint(path=folder))
    write(tmp_path / "odd", "{split}.parquet", {"all": reviews("train", 30)})
    assert re.search(
        r"no split is called train; there is all; name one, task\.train=", complaint(path=tmp_path / "odd")
    )
    write(
        tmp_path / "two",
        "{split}.parquet",
        {name: reviews("train", 30) for name in ("train", "dev", "valid")},
    )
    assert "dev and valid could both be dev; name one, task.dev=" in complaint(path=tmp_path / "two")


def test_files_that_are_missing_broken_or_of_other_types(tmp_path: Path) -> None:
    whole = reviews("train", 30).data.table
    for number, table in enumerate([whole, pa.table({"text": [1, 2], "label": ["a", "b"]})]):
        pq.write_table(table, tmp_path / f"train-0000{number}-of-00002.parquet")
    assert "its files have columns of different types" in complaint(path=tmp_path)
    (tmp_path / "train-00001-of-00002.parquet").write_text("no parquet")
    assert "train-00001-of-00002.parquet: not a readable parquet file" in complaint(path=tmp_path)
    (tmp_path / "train-00001-of-00002.parquet").unlink()
    assert "one of 2 files, but only 1 are there; add the rest" in complaint(path=tmp_path)
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "state.json").write_text("{}")
    assert "cannot be loaded" in complaint(path=tmp_path / "disk")


def test_an_unfinished_split_that_is_not_needed_does_not_matter(folder: Path) -> None:
    path = folder / "plain_text" / "extra-00000-of-00002.parquet"
    pq.write_table(reviews("train", 3).data.table, path)
    assert len(HubTask(path=folder).build()) == 50


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"several data sets; name one, task\.config=\.\.\.; expected one of large, small"),
        ({"config": "tiny"}, r"task\.config=tiny: some-one/reviews has no such data set; .*large, small"),
        ({"dataset": "some-one/review"}, r"Couldn't reach .* did you mean some-one/reviews\?"),
        ({"config": "small", "revision": "f" * 40}, rf"task\.revision=f+: the cache .* is read at {COMMIT}"),
        (
            {"config": "small", "dev": "valid"},
            r"task\.dev=valid: .* has no such split; expected one of train, test",
        ),
    ],
)
def test_data_sets_that_the_cache_lacks(options: dict[str, Any], message: str, cache: None) -> None:
    said = complaint(**{"dataset": REPOSITORY, **options})
    assert re.search(message, said), said


def test_no_data_set_is_given() -> None:
    assert "task.dataset is not set; give its name on the hub" in complaint()


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (
            "Dataset scripts are no longer supported, but found conll2003.py",
            r"loaded by a script.*task\.revision=refs/convert/parquet",
        ),
        (
            "The repository for a/b contains custom code which must be executed",
            r"loaded by a script.*task\.revision=refs/convert/parquet",
        ),
        (
            "Dataset 'a/b' is a gated dataset on the Hub. You must be authenticated to access it.",
            r"a/b: gated; accept its terms at huggingface\.co/datasets/a/b, then log in with hf auth login",
        ),
        (
            "Config name is missing.\nPlease pick one among the available configs: ['x', 'y']",
            r"a/b: several data sets; name one, task\.config=\.\.\.; expected one of x, y",
        ),
        (
            "BuilderConfig 'z' not found. Available: ['x', 'y']",
            r"task\.config=z: a/b has no such data set; .*expected one of x, y",
        ),
        (
            "Revision 'v9' doesn't exist for dataset 'a/b' on the Hub.",
            r"task\.revision=v9: a/b has no such branch, tag or commit",
        ),
    ],
)
def test_errors_of_the_library_are_explained(
    raised: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The words are those of the library's source; the hub itself cannot be asked in a test."""
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    config = "z" if "'z'" in raised else None
    revision = "v9" if "'v9'" in raised else None
    said = _explained("a/b", config, revision, RuntimeError(raised))
    assert "\n" not in said
    assert re.search(message, said), said
