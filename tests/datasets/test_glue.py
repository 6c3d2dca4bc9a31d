"""GLUE from local parquet files and from the cache of `datasets`: columns, classes, splits and metrics."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from probing.config.choices import choices
from probing.config.compose import compose_config, plain_values
from probing.config.run_config import build_config
from probing.datasets.glue import FACTS, GlueTask
from probing.errors import ProbingError
from probing.tasks.target import Classes, Scores
from probing.tasks.task import Task

pytestmark = pytest.mark.slow

TASKS = [name for name in choices("task") if name.startswith("glue/")]
SIZES = {"train": 30, "validation": 12, "validation_matched": 12, "validation_mismatched": 9, "test": 6}


def columns(config: str, split: str) -> dict[str, list[Any]]:
    """Texts and labels as GLUE has them; those of test are hidden."""
    facts, size = FACTS[config], SIZES[split]
    label = [
        -1 if split == "test" else number % len(facts.names) if facts.names else number % 11 / 2
        for number in range(size)
    ]
    texts = {name: [f"{config} {split} {name} {number}" for number in range(size)] for name in facts.texts}
    return {**texts, "label": label, "idx": list(range(size))}


def write(folder: Path, config: str, form: str = "{config}/{split}-00000-of-00001.parquet") -> Path:
    for split in ("train", "test", *(name for name in SIZES if name.startswith("validation"))):
        path = folder / form.format(config=config, split=split)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns(config, split)), path)
    return folder


def source(name: str, *overrides: str) -> GlueTask:
    values = plain_values(compose_config([f"task={name}", *overrides]))
    return cast("GlueTask", build_config(values).task)


def texts(task: Task) -> list[str]:
    return [unit.text for unit in task.all_units]


def test_there_are_ten_tasks_with_glues_metrics() -> None:
    metrics = {name.removeprefix("glue/"): source(name).metric for name in TASKS}
    assert metrics == {
        "cola": "matthews",
        "sst2": "accuracy",
        "mrpc": "f1",
        "qqp": "f1",
        "stsb": "pearson",
        "mnli": "accuracy",
        "mnli_mm": "accuracy",
        "qnli": "accuracy",
        "rte": "accuracy",
        "wnli": "accuracy",
    }


@pytest.mark.parametrize("name", TASKS)
def test_train_is_trained_on_and_validation_is_scored(name: str, tmp_path: Path) -> None:
    glue = source(name, f"task.path={tmp_path}")
    write(tmp_path, glue.config)
    task = glue.build()
    held = {"glue/mnli": "validation_matched", "glue/mnli_mm": "validation_mismatched"}.get(
        name, "validation"
    )
    assert (task.name, task.selection) == (name, "holdout")
    assert task.split.tolist() == ["train"] * 30 + ["test"] * SIZES[held]
    facts = FACTS[glue.config]
    expected = [
        text
        for column in facts.texts
        for split in ("train", held)
        for text in columns(glue.config, split)[column]
    ]
    assert texts(task) == expected
    labels = columns(glue.config, "train")["label"] + columns(glue.config, held)["label"]
    if isinstance(task.target, Classes):
        assert task.target.shown() == [facts.names[label] for label in labels]
    else:
        assert isinstance(task.target, Scores)
        assert list(task.target.values) == labels
        assert task.target.anchors == (0, 1, 2, 3, 4, 5)
    assert task.licence


def test_the_positive_class_of_f1_and_matthews_is_the_second() -> None:
    assert [FACTS[config].names[1] for config in ("cola", "mrpc", "qqp")] == [
        "acceptable",
        "equivalent",
        "duplicate",
    ]


def test_joint_pairs_are_one_unit_with_both_texts(tmp_path: Path) -> None:
    write(tmp_path, "rte")
    vectors = source("glue/rte", f"task.path={tmp_path}").build()
    joint = source("glue/rte", f"task.path={tmp_path}", "task.pair=joint").build()
    assert vectors.partners is not None
    assert joint.partners is None
    assert [unit.second for unit in joint.units] == [unit.text for unit in vectors.partners]
    assert [unit.text for unit in joint.units] == [unit.text for unit in vectors.units]


@pytest.mark.parametrize(
    "form",
    [
        "{split}.parquet",
        "{config}/{split}.parquet",
        "{split}-00000-of-00001.parquet",
        "{split}-00000-of-00001-a09b74b3ef9c3b56.parquet",
    ],
)
def test_files_may_lie_flat_or_be_called_simply(form: str, tmp_path: Path) -> None:
    write(tmp_path / "a", "mrpc")
    write(tmp_path / "b", "mrpc", form)
    tasks = [source("glue/mrpc", f"task.path={tmp_path / folder}").build() for folder in "ab"]
    assert texts(tasks[0]) == texts(tasks[1])


def test_a_split_may_be_in_several_files_of_which_none_may_lack(tmp_path: Path) -> None:
    write(tmp_path, "sst2")
    whole = pq.read_table(tmp_path / "sst2/train-00000-of-00001.parquet")
    (tmp_path / "sst2/train-00000-of-00001.parquet").unlink()
    pq.write_table(whole.slice(0, 20), tmp_path / "sst2/train-00000-of-00002.parquet")
    with pytest.raises(ProbingError, match="one of 2 files, but only 1 are there"):
        source("glue/sst2", f"task.path={tmp_path}").build()
    pq.write_table(whole.slice(20), tmp_path / "sst2/train-00001-of-00002.parquet")
    task = source("glue/sst2", f"task.path={tmp_path}").build()
    assert texts(task)[:30] == columns("sst2", "train")["sentence"]


def test_examples_with_an_empty_text_are_left_out_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, "qqp")
    data = columns("qqp", "train")
    data["question2"][3] = ""
    data["question1"][5] = None
    pq.write_table(pa.table(data), tmp_path / "qqp/train-00000-of-00001.parquet")
    task = source("glue/qqp", f"task.path={tmp_path}").build()
    assert len(task.rows("train")) == 28
    assert "2 examples have an empty text and are left out" in caplog.text


@pytest.mark.parametrize(
    ("config", "column", "value", "message"),
    [
        ("cola", "label", -1, r"row 8: label -1 is not a class from 0 to 1"),
        ("mnli", "label", 3, r"row 8: label 3 is not a class from 0 to 2"),
        ("stsb", "label", 5.5, r"row 8: label 5.5 is not a score from 0 to 5"),
        ("cola", "label", None, r"row 8: label None is not a class"),
        ("cola", "sentence", "drop", r"there is no column 'sentence', only label, idx"),
    ],
)
def test_files_that_are_not_glues(
    config: str, column: str, value: float | str | None, message: str, tmp_path: Path
) -> None:
    write(tmp_path, config)
    data = columns(config, "train")
    if value == "drop":
        del data[column]
    else:
        data[column][7] = value
    pq.write_table(pa.table(data), tmp_path / config / "train-00000-of-00001.parquet")
    with pytest.raises(ProbingError, match=message):
        source(f"glue/{config}", f"task.path={tmp_path}").build()


def test_texts_that_are_numbers_are_named(tmp_path: Path) -> None:
    write(tmp_path, "cola")
    data = columns("cola", "train")
    data["sentence"] = list(range(len(data["sentence"])))
    pq.write_table(pa.table(data), tmp_path / "cola/train-00000-of-00001.parquet")
    with pytest.raises(ProbingError, match=r"row 1: \[0\] is not a text; use the hub's files"):
        source("glue/cola", f"task.path={tmp_path}").build()


def test_missing_and_broken_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(
        ProbingError, match=r"no cola/train.parquet or cola/train-00000-of-00001.parquet; set task.path"
    ):
        source("glue/cola", f"task.path={tmp_path}").build()
    write(tmp_path, "cola")
    (tmp_path / "cola/validation-00000-of-00001.parquet").write_text("no parquet")
    with pytest.raises(
        ProbingError, match=r"validation-00000-of-00001\.parquet: not a readable parquet file"
    ):
        source("glue/cola", f"task.path={tmp_path}").build()
    with pytest.raises(ProbingError, match=r"task\.config is 'colo'; did you mean cola"):
        source("glue/cola", "task.config=colo")


def cached(folder: Path, config: str, names: tuple[str, ...] = ()) -> Path:
    """A cache such as `datasets` leaves behind when it has loaded a data set from the hub."""
    datasets = pytest.importorskip("datasets")
    from datasets.packaged_modules.parquet.parquet import Parquet

    facts = FACTS[config]
    label = (
        datasets.ClassLabel(names=list(names or facts.names)) if facts.names else datasets.Value("float32")
    )
    features = datasets.Features(
        {
            **dict.fromkeys(facts.texts, datasets.Value("string")),
            "label": label,
            "idx": datasets.Value("int32"),
        }
    )
    files = {}
    for split in ("train", "validation", "test"):
        files[split] = str(folder / f"{split}.parquet")
        datasets.Dataset.from_dict(columns(config, split), features=features).to_parquet(files[split])
    cache, commit = folder / "cache", "0" * 40
    builder = Parquet(
        cache_dir=str(cache), dataset_name="glue", config_name=config, data_files=files, hash=commit
    )
    builder.download_and_prepare()
    place = cache / "nyu-mll___glue" / config / "0.0.0" / commit
    place.parent.mkdir(parents=True)
    shutil.move(builder.cache_dir, place)
    return cache


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """`datasets` without network, whatever the environment says."""
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    return monkeypatch


@pytest.mark.parametrize("config", ["cola", "mrpc", "stsb"])
def test_the_cache_of_datasets_gives_what_the_files_give(
    config: str, offline: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    offline.setattr(sys.modules["datasets"].config, "HF_DATASETS_CACHE", cached(tmp_path, config))
    from_cache = source(f"glue/{config}").build()
    from_files = source(f"glue/{config}", f"task.path={write(tmp_path / 'files', config)}").build()
    assert from_cache.all_units == from_files.all_units
    assert from_cache.target.shown() == from_files.target.shown()
    assert from_cache.split.tolist() == from_files.split.tolist()
    # the parquet files of the hub carry the names of the classes
    named = source(f"glue/{config}", f"task.path={tmp_path}").build()
    assert named.target.shown() == from_cache.target.shown()


def test_the_names_in_the_data_go_before_those_that_are_known(
    offline: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(tmp_path, "cola")
    about = '{"info": {"features": {"label": {"names": ["bad", "good"], "_type": "ClassLabel"}}}}'
    table = pa.table(columns("cola", "train")).replace_schema_metadata({"huggingface": about})
    pq.write_table(table, tmp_path / "cola/train-00000-of-00001.parquet")
    cache = cached(tmp_path / "c", "cola", ("bad", "good"))
    offline.setattr(sys.modules["datasets"].config, "HF_DATASETS_CACHE", cache)
    for overrides in ([f"task.path={tmp_path}"], []):
        target = source("glue/cola", *overrides).build().target
        assert isinstance(target, Classes)
        assert target.names == ("bad", "good")


def test_without_cache_and_network_the_files_to_fetch_are_named(
    offline: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    offline.setattr(sys.modules["datasets"].config, "HF_DATASETS_CACHE", tmp_path)
    with pytest.raises(ProbingError) as caught:
        source("glue/mnli_mm").build()
    message = str(caught.value)
    assert (
        "mnli/train-00000-of-00001.parquet and mnli/validation_mismatched-00000-of-00001.parquet" in message
    )
    assert "task.path=" in message
    assert "\n" not in message


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ProbingError, match=r"pip install 'transformer-probing\[hub\]'"):
        source("glue/cola").build()
