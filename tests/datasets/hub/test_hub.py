"""A data set of the hub is the same task from every place, and the same as a table with its rows."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pytest

import probing
from probing.config.choices import choices
from probing.config.compose import compose_config, plain_values
from probing.config.run_config import build_config
from probing.datasets.hub import HubTask
from probing.datasets.hub.roles import roles_of
from probing.datasets.table import TableTask
from probing.datasets.table.tabular import Choice
from probing.tasks.card import card
from probing.tasks.target import Classes, Labels
from probing.tasks.task import Task
from tests.datasets.hub.stores import COMMIT, REPOSITORY, cached, datasets, features, reviews, write

pytestmark = pytest.mark.slow

SPLITS = {"train": 60, "validation": 20, "test": 24}
FORMS = (
    "{split}.parquet",
    "{split}-00000-of-00001.parquet",
    "data/{split}-00000-of-00001.parquet",
    "data/{split}-00000-of-00001-a09b74b3ef9c3b56.parquet",
    "plain_text/{split}-00000-of-00001.parquet",
    "plain_text/{split}.parquet",
    "plain_text/{split}/0000.parquet",
)


def all_reviews() -> dict[str, Any]:
    return {split: reviews(split, n) for split, n in SPLITS.items()}


def source(*overrides: str, name: str = "hub") -> HubTask:
    return cast("HubTask", build_config(plain_values(compose_config([f"task={name}", *overrides]))).task)


def facts(task: Task) -> dict[str, Any]:
    """All of a task except its name and where it was read from."""
    fields = {field.name: getattr(task, field.name) for field in dataclasses.fields(task)}
    fields |= {"target": task.target.as_bytes(), "split": task.split.tolist()}
    return {key: value for key, value in fields.items() if key not in {"name", "source"}}


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """`datasets` without network, and with an empty cache."""
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "empty-cache")
    return monkeypatch


@pytest.mark.parametrize("config", [None, "plain_text"])
@pytest.mark.parametrize("form", FORMS)
def test_every_layout_of_a_folder_gives_the_task_that_csv_files_give(
    form: str, config: str | None, tmp_path: Path
) -> None:
    data = all_reviews()
    for split, of_split in data.items():
        frame = of_split.to_pandas()
        frame["label"] = frame["label"].map({0: "neg", 1: "pos"})
        (tmp_path / "csv").mkdir(exist_ok=True)
        frame.to_csv(tmp_path / "csv" / f"{split}.csv", index=False)
    table = TableTask(path=tmp_path / "csv", name="same").build()
    folder = write(tmp_path / "hub", form, data)
    task = HubTask(path=folder, config=config, name="same").build()
    assert task.digest == table.digest
    assert facts(task) == facts(table)
    assert task.selection == "dev"


def test_the_cache_and_save_to_disk_give_what_the_files_give(
    library: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = all_reviews()
    expected = facts(HubTask(path=write(tmp_path / "files", "{split}.parquet", data)).build())
    library.setattr(datasets.config, "HF_DATASETS_CACHE", cached(tmp_path, data, "plain_text"))
    from_cache = HubTask(dataset=REPOSITORY, config="plain_text").build()
    assert facts(from_cache) == expected
    assert from_cache.name == "hub/reviews"
    assert facts(HubTask(dataset=REPOSITORY).build()) == expected
    datasets.DatasetDict(data).save_to_disk(str(tmp_path / "disk"))
    assert facts(HubTask(path=tmp_path / "disk").build()) == expected
    data["train"].save_to_disk(str(tmp_path / "one"))
    assert len(HubTask(path=tmp_path / "one").build()) == SPLITS["train"]


def test_the_library_reads_a_local_folder_as_it_reads_the_hub(
    library: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = write(tmp_path / "files", "data/{split}-00000-of-00001.parquet", all_reviews())
    expected = facts(HubTask(path=folder).build())
    assert facts(HubTask(dataset=str(folder)).build()) == expected
    task, whole = HubTask(dataset=str(folder)).build_part(10)
    assert whole
    assert facts(task) == expected


def test_the_conversion_of_the_hub_has_a_folder_for_each_data_set(
    library: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = all_reviews()
    folder = write(tmp_path / "files", "one/{split}/0000.parquet", data)
    write(folder, "two/{split}/0000.parquet", dict.fromkeys(data, data["test"]))
    task = HubTask(dataset=str(folder), config="one", revision="refs/convert/parquet").build()
    assert facts(task) == facts(HubTask(path=folder, config="one").build())
    assert len(task) == sum(SPLITS.values())


def test_the_commit_of_the_cache_is_recorded(library: pytest.MonkeyPatch, tmp_path: Path) -> None:
    library.setattr(datasets.config, "HF_DATASETS_CACHE", cached(tmp_path, all_reviews(), "plain_text"))
    for revision in (None, COMMIT):
        task = HubTask(dataset=REPOSITORY, revision=revision).build()
        assert task.source == (f"{REPOSITORY}, plain_text, revision {COMMIT}: train, validation, test")
        assert card(task).source == task.source


def test_declared_classes_keep_their_order_and_lose_those_without_examples(tmp_path: Path) -> None:
    names = ["zebra", "10", "yak", "ant"]
    kinds = features(label=datasets.ClassLabel(names=names))
    rows = {"text": [f"text {row}" for row in range(40)], "label": [(0, 1, 3)[row % 3] for row in range(40)]}
    folder = write(tmp_path, "{split}.parquet", {"train": datasets.Dataset.from_dict(rows, features=kinds)})
    target = HubTask(path=folder).build().target
    assert isinstance(target, Classes)
    assert target.names == ("zebra", "10", "ant")
    ordered = HubTask(path=folder, classes=("ant", "zebra", "10")).build().target
    assert ordered.names == ("ant", "zebra", "10")  # type: ignore[union-attr]
    fewer = HubTask(path=folder, ignore=("zebra",)).build().target
    assert fewer.names == ("10", "ant")  # type: ignore[union-attr]


def test_words_with_declared_tags_are_those_of_a_table(tmp_path: Path) -> None:
    tags = ["O", "B-PER", "I-PER"]
    kinds = datasets.Features(
        {
            "tokens": datasets.Sequence(datasets.Value("string")),
            "ner_tags": datasets.Sequence(datasets.ClassLabel(names=tags)),
        }
    )
    rows: dict[str, Any] = {
        "tokens": [[f"word{row}", "Ann", "Lee"] for row in range(40)] + [[]],
        "ner_tags": [[0, 1, 2] for _ in range(40)] + [[]],
    }
    data = {split: datasets.Dataset.from_dict(rows, features=kinds) for split in ("train", "test")}
    task = HubTask(path=write(tmp_path, "{split}.parquet", data), tokens="tokens", label="ner_tags").build()
    frame = pd.DataFrame(
        {
            "words": rows["tokens"][:40] * 2,
            "tags": [[tags[tag] for tag in of_row] for of_row in rows["ner_tags"][:40] * 2],
            "part": ["train"] * 40 + ["test"] * 40,
        }
    )
    table = TableTask(frame=frame, tokens="words", label="tags", split="part", classes=tuple(tags)).build()
    assert facts(task) == facts(table)


def test_dots_reach_into_objects_also_for_their_classes(tmp_path: Path) -> None:
    kinds = datasets.Features(
        {"answer": {"text": datasets.Value("string"), "kind": datasets.ClassLabel(names=["no", "yes"])}}
    )
    rows = {"answer": [{"text": f"text {row}", "kind": row % 2} for row in range(40)]}
    folder = write(tmp_path, "{split}.parquet", {"train": datasets.Dataset.from_dict(rows, features=kinds)})
    task = HubTask(path=folder, text="answer.text", label="answer.kind").build()
    assert {unit.text for unit in task.units} == {f"text {row}" for row in range(40)}
    assert task.target.names == ("no", "yes")  # type: ignore[union-attr]
    (tmp_path / "a.jsonl").write_text(
        "".join(json.dumps({"a": {"b": f"text {row}", "c": "xy"[row % 2]}}) + "\n" for row in range(40))
    )
    table = TableTask(path=tmp_path / "a.jsonl", text="a.b", label="a.c").build()
    assert [unit.text for unit in table.units] == [unit.text for unit in task.units]
    assert table.target.names == ("x", "y")  # type: ignore[union-attr]


def test_lists_of_declared_labels_are_several_labels(tmp_path: Path) -> None:
    kinds = features(label=datasets.Sequence(datasets.ClassLabel(names=["joy", "fear"])))
    rows: dict[str, Any] = {
        "text": [f"text {row}" for row in range(40)],
        "label": [([], [0], [1], [0, 1])[row % 4] for row in range(40)],
    }
    folder = write(tmp_path, "{split}.parquet", {"train": datasets.Dataset.from_dict(rows, features=kinds)})
    target = HubTask(path=folder, label_separator="|").build().target
    assert isinstance(target, Labels)
    assert target.sets()[:4] == [(), ("joy",), ("fear",), ("fear", "joy")]


def test_rows_without_a_text_are_left_out_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = reviews("train", 60).to_dict()
    rows["text"][3], rows["text"][5] = None, "  "
    data = {"train": datasets.Dataset.from_dict(rows, features=features())}
    task = HubTask(path=write(tmp_path, "{split}.parquet", data)).build()
    assert len(task) == 58
    assert "2 rows have an empty text and are left out" in caplog.text


@pytest.mark.parametrize(
    ("found", "given", "expected"),
    [
        (["train", "validation", "test"], {}, ["train", "validation", "test"]),
        (["test", "train", "dev"], {}, ["train", "dev", "test"]),
        (["train", "test", "unsupervised"], {}, ["train", None, "test"]),
        (["train", "validation"], {}, ["train", None, "validation"]),
        (["train", "validation", "test"], {"test": "validation"}, ["train", None, "validation"]),
        (["train", "validation"], {"dev": "validation"}, ["train", "validation", None]),
        (["train"], {}, ["train", None, None]),
        (["all", "held"], {"train": "all", "test": "held"}, ["all", None, "held"]),
        (
            ["train", "validation_a", "validation_b"],
            {"test": "validation_b"},
            ["train", None, "validation_b"],
        ),
    ],
)
def test_splits_are_found_by_their_usual_names(
    found: list[str], given: dict[str, str], expected: list[str | None]
) -> None:
    roles = roles_of(found, {role: given.get(role) for role in ("train", "dev", "test")}, "x")
    assert [roles.get(role) for role in ("train", "dev", "test")] == expected


@pytest.mark.parametrize(("selection", "split"), [("none", "test"), ("nested", "train")])
def test_a_selection_reads_the_split_that_it_needs(selection: Choice, split: str, tmp_path: Path) -> None:
    task = HubTask(path=write(tmp_path, "{split}.parquet", all_reviews()), selection=selection).build()
    assert set(task.split.tolist()) == {split}
    assert len(task) == SPLITS[split]


def test_a_single_split_is_divided_as_a_table_is(tmp_path: Path) -> None:
    data = {"train": reviews("train", 60)}
    task = HubTask(path=write(tmp_path, "{split}.parquet", data), seed=3).build()
    frame = data["train"].to_pandas()
    frame["label"] = frame["label"].map({0: "neg", 1: "pos"})
    assert facts(task) == facts(TableTask(frame=frame, seed=3).build())
    assert "splits made with task.seed=3" in task.source


def test_every_field_is_in_the_yaml_with_its_default() -> None:
    task = plain_values(compose_config(["task=hub"]))["task"]
    defaults = {
        field.name: list(field.default) if isinstance(field.default, tuple) else field.default
        for field in dataclasses.fields(HubTask)
    }
    assert {key: value for key, value in task.items() if key in defaults} == defaults
    shared = set(plain_values(compose_config(["task=table"]))["task"]) - set(task)
    assert shared == {"encoding", "separator", "header", "quotes"}


def test_the_ready_choices_name_their_columns_splits_and_licence() -> None:
    ready = {name: source(name=name) for name in choices("task") if name.startswith("hub/")}
    assert set(ready) == {"hub/ag_news", "hub/boolq", "hub/conll2003", "hub/framenet", "hub/imdb"}
    assert all(choice.licence != "unknown" and choice.name == name for name, choice in ready.items())
    boolq = ready["hub/boolq"]
    assert (boolq.text, boolq.second, boolq.label) == ("question", "passage", "answer")
    assert (boolq.test, ready["hub/conll2003"].tokens) == ("validation", "tokens")


def test_boolq_of_a_folder_is_scored_on_its_validation_split(tmp_path: Path) -> None:
    rows: dict[str, Any] = {
        "question": [f"is it {row}" for row in range(40)],
        "answer": [row % 2 == 0 for row in range(40)],
        "passage": [f"it is {row}" for row in range(40)],
    }
    data = {split: datasets.Dataset.from_dict(rows) for split in ("train", "validation")}
    folder = write(tmp_path, "data/{split}-00000-of-00001.parquet", data)
    task = source(f"task.path={folder}", name="hub/boolq").build()
    assert task.target.names == ("False", "True")  # type: ignore[union-attr]
    assert len(task.rows("train")) == len(task.rows("test")) == 40
    assert task.partners is not None
    assert task.partners[0].text == "it is 0"


def test_a_run_from_a_folder_ends_in_a_grid(tmp_path: Path, tiny_bert: Path) -> None:
    folder = write(tmp_path / "reviews", "data/{split}-00000-of-00001.parquet", all_reviews())
    frame = probing.run(
        [
            "task=hub", f"task.path={folder}", "model=hf", f"model.name={tiny_bert}",
            f"paths.root={tmp_path / 'out'}", "extract.device=cpu",
        ]
    )  # fmt: skip
    assert set(frame["task"]) == {"hub/reviews"}
    assert set(frame["n_test"]) == {SPLITS["test"]}
    assert frame["test"].notna().all()
