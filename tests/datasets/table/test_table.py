"""A table becomes the same task from every format, with the splits and labels that it says."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from probing.config.compose import compose_config, plain_values
from probing.config.convert import make
from probing.config.run_config import build_config
from probing.datasets.table import TableTask
from probing.datasets.table.tabular import Choice
from probing.errors import ProbingError
from probing.tasks.target import Classes, Scores
from probing.tasks.task import PairInput, Task, Unit

WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    "csv": lambda frame, path: frame.to_csv(path, index=False),
    "tsv": lambda frame, path: frame.to_csv(path, index=False, sep="\t"),
    "jsonl": lambda frame, path: frame.to_json(path, orient="records", lines=True),
    "ndjson": lambda frame, path: frame.to_json(path, orient="records", lines=True, force_ascii=False),
    "parquet": lambda frame, path: frame.to_parquet(path),
}


def reviews(n: int = 60) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "review": [
                f'No. {number}: "é, naïve", they said; \u2028{"x" * (number % 3)}' for number in range(n)
            ],
            "stars": [number % 3 + 1 for number in range(n)],
            "second": [f'"{number}" quoted' if number % 2 else f'open " {number}' for number in range(n)],
            "good": [number % 2 == 0 for number in range(n)],
            "score": [number / 8 for number in range(n)],
        }
    )


def facts(task: Task) -> dict[str, Any]:
    """All of a task but where it was read from."""
    target = task.target
    values = target.labels if isinstance(target, Classes) else target.values  # noqa: PD011
    kind = target.anchors if isinstance(target, Scores) else target.names
    fields = {field.name: getattr(task, field.name) for field in dataclasses.fields(task)}
    fields |= {"target": (values.tolist(), kind), "split": task.split.tolist()}
    return {key: value for key, value in fields.items() if key not in {"name", "source"}}


@pytest.mark.parametrize("label", ["stars", "good", "score"])
@pytest.mark.parametrize("pair", ["vectors", "joint"])
@pytest.mark.parametrize("kind", WRITERS)
def test_every_format_gives_the_task_that_the_frame_gives(
    kind: str, pair: PairInput, label: str, tmp_path: Path
) -> None:
    frame = reviews()
    path = tmp_path / f"reviews.{kind}"
    WRITERS[kind](frame, path)
    settings: dict[str, Any] = {"text": "review", "label": label, "second": "second", "pair": pair}
    read = TableTask(path=path, **settings).build()
    assert facts(read) == facts(TableTask(frame=frame, **settings).build())
    assert read.name == "table/reviews"
    assert sorted(unit.text for unit in read.units) == sorted(frame["review"])


def test_the_command_line_and_the_frame_of_the_python_call(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    reviews().to_csv(path, index=False)
    values = plain_values(
        compose_config(["task=table", f"task.path={path}", "task.text=review", "task.label=stars"])
    )
    source = build_config(values).task
    assert isinstance(source, TableTask)
    task = source.build()
    assert task.target.names == ("1", "2", "3")  # type: ignore[union-attr]
    other = dataclasses.replace(source, path=None, frame=reviews(90)).build()
    assert (len(task), len(other), other.name) == (60, 90, "table")
    assert "frame" not in repr(source)
    with pytest.raises(ProbingError, match="data= and the files of task=table contradict each other"):
        dataclasses.replace(source, frame=reviews(90)).build()


def test_every_field_but_the_frame_is_in_the_yaml_with_its_default() -> None:
    task = plain_values(compose_config(["task=table"]))["task"]
    defaults = {
        field.name: list(field.default) if isinstance(field.default, tuple) else field.default
        for field in dataclasses.fields(TableTask)
        if field.name != "frame"
    }
    assert {key: value for key, value in task.items() if key in defaults} == defaults


def test_texts_with_line_ends_commas_and_quotes_come_back_as_they_were(tmp_path: Path) -> None:
    texts = ['two\nlines, "quoted"', "a, b", ' " ', "plain"] * 20
    frame = pd.DataFrame({"text": [f"{text}{at}" for at, text in enumerate(texts)], "label": [0, 1] * 40})
    frame.to_csv(tmp_path / "data.csv", index=False)
    task = TableTask(path=tmp_path / "data.csv").build()
    assert [unit.text for unit in task.units] == frame["text"].tolist()


def test_a_quote_alone_in_a_tsv_is_a_character_like_others(tmp_path: Path) -> None:
    lines = ["label\ttext"]
    for number in range(20):
        lines += ['punct\t"', f"other\tword{number}", f'other\t"quoted {number}"']
    (tmp_path / "data.tsv").write_text("\r\n".join(lines))
    task = TableTask(path=tmp_path / "data.tsv").build()
    texts = [unit.text for unit in task.units]
    assert len(texts) == 60
    assert texts[:3] == ['"', "word0", "quoted 0"]
    as_written = TableTask(path=tmp_path / "data.tsv", quotes=False).build()
    assert as_written.units[2].text == '"quoted 0"'


def test_encodings_and_separators(tmp_path: Path) -> None:
    frame = reviews()
    frame["review"] = frame["review"].str.replace("\u2028", "")
    expected = facts(TableTask(frame=frame, text="review", label="stars").build())
    for encoding in ("utf-8", "utf-8-sig", "latin-1", "utf-16"):
        frame.to_csv(tmp_path / "data.csv", index=False, encoding=encoding, sep=";")
        told = "utf-8" if encoding == "utf-8-sig" else encoding
        source = TableTask(
            path=tmp_path / "data.csv", text="review", label="stars", encoding=told, separator=";"
        )
        assert facts(source.build()) == expected


@pytest.mark.parametrize(
    ("labels", "settings", "names"),
    [
        ([10, 9, 8], {}, ("8", "9", "10")),
        ([10.0, 9.0, 8.0], {}, ("8", "9", "10")),
        (["10.0", "9", "8"], {}, ("8", "9", "10")),
        (["10", "9", "x"], {}, ("9", "10", "x")),
        ([True, False, True], {}, ("False", "True")),
        (["neg", " pos ", "neg"], {}, ("neg", "pos")),
        (["neg", "pos", "neg"], {"classes": ("pos", "neg")}, ("pos", "neg")),
        ([1.5, 2.5, 1.5], {"kind": "classes"}, ("1.5", "2.5")),
        ([1.5, 2.5, 1.5], {"metric": "macro_f1"}, ("1.5", "2.5")),
    ],
)
def test_classes(labels: list[Any], settings: dict[str, Any], names: tuple[str, ...]) -> None:
    frame = pd.DataFrame({"text": [f"text {at}" for at in range(60)], "label": labels * 20})
    target = TableTask(frame=frame, **settings).build().target
    assert isinstance(target, Classes)
    assert target.names == names
    written = [str(label).strip().removesuffix(".0") for label in frame["label"]]
    assert target.shown() == written


@pytest.mark.parametrize(
    ("labels", "settings", "anchors"),
    [
        ([1.5, 2, 4.5], {}, (1, 2, 3, 4, 5)),
        (["1.5", "2", "4.5"], {}, (1, 2, 3, 4, 5)),
        ([1, 2, 3], {"kind": "scores"}, (1, 2, 3)),
        ([1, 2, 3], {"low": 0.0, "high": 5.0}, (0, 1, 2, 3, 4, 5)),
        ([1, 2, 3], {"metric": "spearman"}, (1, 2, 3)),
        ([0, 0.5, 100], {}, (0, 20, 40, 60, 80, 100)),
        ([0.25, 0.5, 0.75], {"low": 0.0, "high": 0.75}, tuple(np.linspace(0, 0.75, 6))),
    ],
)
def test_scores(labels: list[Any], settings: dict[str, Any], anchors: tuple[float, ...]) -> None:
    frame = pd.DataFrame({"text": [f"text {at}" for at in range(60)], "label": labels * 20})
    task = TableTask(frame=frame, **settings).build()
    assert isinstance(task.target, Scores)
    values = task.target.values  # noqa: PD011
    assert values.tolist() == [float(label) for label in labels] * 20
    assert task.target.anchors == pytest.approx(anchors)
    assert task.metric == settings.get("metric", "pearson")


def test_labels_that_are_left_out() -> None:
    frame = pd.DataFrame({"text": [f"text {at}" for at in range(60)], "label": ["a", "b", None, "O"] * 15})
    task = TableTask(frame=frame, ignore=("", "O")).build()
    assert [unit.text for unit in task.units] == [f"text {at}" for at in range(60) if at % 4 < 2]


@pytest.mark.parametrize(
    ("written", "selection", "chosen"),
    [
        (["train"] * 40 + ["Validation"] * 10 + ["test"] * 10, "auto", "dev"),
        (["training"] * 40 + ["VAL"] * 10 + ["test "] * 10, "auto", "dev"),
        (["train"] * 50 + ["test"] * 10, "auto", "kfold"),
        (["train"] * 8 + ["test"] * 52, "auto", "holdout"),
        (["train"] * 50 + ["test"] * 10, "holdout", "holdout"),
        (["train"] * 60, "nested", "nested"),
    ],
)
def test_a_column_of_splits(written: list[str], selection: Choice, chosen: str) -> None:
    frame = reviews().assign(part=written)
    task = TableTask(frame=frame, text="review", label="good", split="part", selection=selection).build()
    expected = [{"v": "dev"}.get(name[0].lower(), name.strip().removesuffix("ing")) for name in written]
    assert task.split.tolist() == expected
    assert task.selection == chosen


def test_a_file_for_each_split_by_name_or_in_a_folder(tmp_path: Path) -> None:
    frame = reviews().assign(part=["train"] * 40 + ["dev"] * 10 + ["test"] * 10)
    expected = facts(TableTask(frame=frame, text="review", label="stars", split="part").build())
    for part, file in (("train", "train.csv"), ("dev", "valid.jsonl"), ("test", "test.parquet")):
        WRITERS[file.partition(".")[2]](frame[frame["part"] == part], tmp_path / file)
    (tmp_path / "README.md").write_text("no data")
    in_folder = TableTask(path=tmp_path, text="review", label="stars").build()
    assert facts(in_folder) == expected
    assert in_folder.name == f"table/{tmp_path.name}"
    read = ("train.csv", "valid.jsonl", "test.parquet")
    assert in_folder.source == ", ".join(str(tmp_path / file) for file in read)
    named = TableTask(
        train=tmp_path / "train.csv",
        dev=tmp_path / "valid.jsonl",
        test=tmp_path / "test.parquet",
        text="review",
        label="stars",
    )
    assert facts(named.build()) == expected


def test_splits_are_made_where_there_are_none(tmp_path: Path) -> None:
    frame = pd.concat([reviews(400), reviews(100)])
    task = TableTask(frame=frame, text="review", label="stars").build()
    assert task.selection == "dev"
    assert task.source == "the frame, splits made with task.seed=0"
    counts = Counter(zip(task.split.tolist(), task.target.shown(), strict=True))
    for split, share in (("train", 0.8), ("dev", 0.1), ("test", 0.1)):
        for label in "123":
            assert abs(counts[split, label] / 500 - share / 3) < 0.015
    of_text = dict(zip(task.units, task.split.tolist(), strict=True))
    assert [of_text[unit] for unit in task.units] == task.split.tolist()
    kfold = TableTask(frame=frame, text="review", label="stars", selection="kfold", seed=1).build()
    assert set(kfold.split.tolist()) == {"train", "test"}
    nested = TableTask(frame=frame, text="review", label="stars", selection="nested").build()
    assert set(nested.split.tolist()) == {"train"}
    frame.to_csv(tmp_path / "train.csv")
    assert facts(TableTask(path=tmp_path, text="review", label="stars").build()) == facts(task)


def test_scores_are_split_by_their_rank() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"text": [f"text {at}" for at in range(1000)], "label": rng.exponential(size=1000)})
    task = TableTask(frame=frame).build()
    assert isinstance(task.target, Scores)
    values = task.target.values  # noqa: PD011
    overall = np.quantile(values, [0.2, 0.4, 0.6, 0.8])
    for split in ("train", "dev", "test"):
        bins = np.bincount(np.searchsorted(overall, values[task.rows(split)]), minlength=5)
        assert bins.max() - bins.min() <= 2


def test_pairs_are_split_as_a_whole() -> None:
    frame = reviews().assign(review="one question to all")
    task = TableTask(frame=pd.concat([frame] * 2), text="review", second="second", label="good").build()
    assert set(task.split.tolist()) == {"train", "dev", "test"}
    assert task.split[:60].tolist() == task.split[60:].tolist()


def test_pairs_without_training_are_all_scored() -> None:
    frame = reviews()
    task = TableTask(frame=frame, text="review", second="second", label="score", selection="none").build()
    assert set(task.split.tolist()) == {"test"}
    assert task.partners == tuple(map(Unit, frame["second"]))


def test_values_from_yaml_become_the_dataclass() -> None:
    made = make(
        TableTask, {"path": "a.csv", "low": 1, "classes": ["a", "b"], "shares": [0.5, 0, 0.5]}, "task"
    )
    assert (made.path, made.low, made.classes) == (Path("a.csv"), 1.0, ("a", "b"))
