"""Files by split, and splits of texts where the files give none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from probing.datasets.edge.edge_files import EdgeFiles
from probing.datasets.edge.json_targets import JsonTargetsTask
from probing.errors import ProbingError
from tests.datasets.edge.made import write_json


def files(path: Path | None, **named: Path) -> list[tuple[str | None, str]]:
    found = EdgeFiles(path, named, (".json", ".testa", "_conll")).by_split()
    return [(split, file.name) for split, file in found]


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    return folder


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train.json", "train"), ("spr1.dev.json", "dev"), ("en-ud-test.json", "test"), ("eng.testa", "dev"),
        ("development/a/b_conll", "dev"), ("conll-2012-test/nw/x_conll", "test"), ("train/val.json", "dev"),
    ],
)  # fmt: skip
def test_a_name_or_the_nearest_folder_gives_the_split(name: str, split: str, tmp_path: Path) -> None:
    touch(tmp_path / "test", name)  # a folder above the one that is given does not count
    assert files(tmp_path / "test") == [(split, Path(name).name)]


def test_short_names_may_be_languages(tmp_path: Path) -> None:
    assert files(touch(tmp_path, "tr_imst.json")) == [(None, "tr_imst.json")]


def test_what_is_not_data_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    touch(tmp_path, "train.json", "test.json", "labels.txt", "train.json.retokenized.bert", "README.json",
          "other.json", ".hidden.json")  # fmt: skip
    assert files(tmp_path) == [("test", "test.json"), ("train", "train.json")]
    assert "other.json is left out" in caplog.text


def test_two_folders_for_one_split_are_refused(tmp_path: Path) -> None:
    touch(tmp_path, "train/a_conll", "test/b_conll", "conll-2012-test/b_conll")
    with pytest.raises(
        ProbingError, match=r"conll-2012-test and test are both test; name one, task.test=\.\.\."
    ):
        files(tmp_path)
    named = {"train": tmp_path / "train", "test": tmp_path / "conll-2012-test"}
    assert files(None, **named) == [("train", "a_conll"), ("test", "b_conll")]


@pytest.mark.parametrize(
    ("path", "named", "said"),
    [
        (None, {}, "task.path is not set"),
        (None, {"dev": "train.json"}, "task.train is not set"),
        ("train.json", {"test": "train.json"}, "task.path and task.test contradict"),
        ("nothing.json", {}, "nothing.json: no such file"),
        (".", {"": ""}, "task.path and task. contradict"),
        ("empty", {}, "no file ends in .json"),
    ],
)
def test_a_mistake_names_the_key(path: str | None, named: dict[str, str], said: str, tmp_path: Path) -> None:
    touch(tmp_path, "train.json")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ProbingError, match=said):
        files(tmp_path / path if path else None, **{split: tmp_path / file for split, file in named.items()})


def record(number: int) -> dict[str, Any]:
    words = ["dog" if number % 2 else "cats", f"w{number}", "."]
    targets = [{"span1": [at, at + 1], "label": "xyz"[(at + number) % 3]} for at in range(3)]
    return {"text": " ".join(words), "targets": targets}


def splits(tmp_path: Path, **more: Any) -> dict[str, set[str]]:  # noqa: ANN401
    """The splits of every text."""
    task = JsonTargetsTask(name="edge/jsonl", path=tmp_path, **more).build()
    found: dict[str, set[str]] = {}
    for unit, split in zip(task.units, task.split.tolist(), strict=True):
        found.setdefault(unit.text, set()).add(split)
    return found


def test_texts_are_divided_and_never_their_targets(tmp_path: Path) -> None:
    write_json(tmp_path / "all.json", [record(number) for number in range(200)] * 2)
    found = splits(tmp_path)
    assert len(found) == 200
    assert all(len(own) == 1 for own in found.values())
    sizes = [sum(own == {split} for own in found.values()) for split in ("train", "dev", "test")]
    assert np.allclose(sizes, [160, 20, 20], atol=14)
    write_json(tmp_path / "all.json", [record(number) for number in reversed(range(200))])
    assert splits(tmp_path) == found  # the order of the file does not matter
    assert splits(tmp_path, seed=1) != found


def test_dev_is_a_tenth_of_the_texts_of_train(tmp_path: Path) -> None:
    write_json(tmp_path / "train.json", [record(number) for number in range(200)])
    write_json(tmp_path / "test.json", [record(number) for number in range(200, 220)])
    found = splits(tmp_path)
    assert all(found[record(number)["text"]] == {"test"} for number in range(200, 220))
    assert 8 < sum(own == {"dev"} for own in found.values()) < 35


def test_given_splits_stay_as_they_are_and_can_be_cut(tmp_path: Path) -> None:
    for split, start in (("train", 0), ("dev", 100), ("test", 110)):
        write_json(tmp_path / f"{split}.json", [record(number) for number in range(start, start + 50)])
    task = JsonTargetsTask(name="edge/jsonl", path=tmp_path)
    assert {split: len(texts) for split, texts in task.by_split().items()} == dict.fromkeys(
        ("train", "dev", "test"), 50
    )
    some, more = (JsonTargetsTask(name="edge/jsonl", path=tmp_path, n_train=n).by_split() for n in (10, 20))
    assert len(some["train"]) == 10
    assert len(some["test"]) == 50
    assert set(some["train"]) < set(more["train"])


def test_files_of_dev_alone_are_pooled_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_json(tmp_path / "train.json", [record(number) for number in range(150)])
    write_json(tmp_path / "dev.json", [record(number) for number in range(150, 200)])
    splits(tmp_path)
    assert "not of both train and test, so they are pooled" in caplog.text


def test_files_without_targets_are_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "all.json", [{"text": "a b", "targets": []}])
    with pytest.raises(ProbingError, match=r"no text has a target of edge/jsonl"):
        splits(tmp_path)
    write_json(tmp_path / "all.json", [record(0) | {"targets": record(0)["targets"][:1]}])
    with pytest.raises(ProbingError, match=r"only one label|no label|has no target"):
        splits(tmp_path)
