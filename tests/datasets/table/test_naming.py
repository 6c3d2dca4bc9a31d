"""Entries of task.ignore and task.classes name labels as results show them, and must name one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from probing.datasets.table import TableTask
from probing.errors import ProbingError
from probing.tasks.target import Classes, Scores
from probing.tasks.task import Task


def build(tmp_path: Path, labels: list[str], **settings: Any) -> Task:  # noqa: ANN401
    """A csv of sixty rows with these labels in turn."""
    rows = "".join(f"text {at},{labels[at % len(labels)]}\n" for at in range(60))
    (tmp_path / "a.csv").write_text(f"text,label\n{rows}", encoding="utf-8")
    return TableTask(path=tmp_path / "a.csv", **settings).build()


def names(task: Task) -> tuple[str, ...]:
    assert isinstance(task.target, Classes)
    return task.target.names


@pytest.mark.parametrize("entry", ["-1", "-1.0", "-1.00"])
@pytest.mark.parametrize("written", ["-1.0", "-1"])
def test_a_whole_number_is_left_out_however_it_is_written(tmp_path: Path, entry: str, written: str) -> None:
    task = build(tmp_path, [written, "0.0", "1.0"], ignore=(entry,))
    assert names(task) == ("0", "1")
    assert len(task) == 40


@pytest.mark.parametrize(
    ("labels", "ignore", "left"),
    [
        (["-1", "-1.0", "0", "1.0"], ("-1",), ("0", "1")),  # one class, written in two ways
        (["-1.0", "n/a", "0", "1"], ("n/a", "-1"), ("0", "1")),
        (["1.0", "1", "a", "b"], ("1",), ("1.0", "a", "b")),  # among words these are two
        (["1.0", "c", "a", "b"], ("1",), ("a", "b", "c")),
        (["007", "7", "1"], ("7",), ("1", "007")),
        (["1e5", "1_000", "a", "b"], ("1e5",), ("1_000", "a", "b")),
        (["1e5", "1_000", "a", "b"], ("1_000",), ("1e5", "a", "b")),
        (["false", "null", "true"], ("null",), ("false", "true")),
        (["null", "", "a", "b"], ("", "null"), ("a", "b")),
        (["", "a", "b"], ("null",), ("a", "b")),
        (["True", "False", "maybe"], ("maybe",), ("False", "True")),
        (["True", "False", "x", "y"], ("false", "true"), ("x", "y")),
    ],
)
def test_what_is_left_out(
    tmp_path: Path, labels: list[str], ignore: tuple[str, ...], left: tuple[str, ...]
) -> None:
    assert names(build(tmp_path, labels, ignore=ignore)) == left


@pytest.mark.parametrize("entry", ["0.5", "0.50", "5e-1", ".5"])
def test_scores_are_left_out_by_value(tmp_path: Path, entry: str) -> None:
    task = build(tmp_path, ["0.50", "1.25", "2", "-1.0"], ignore=(entry, "-1"))
    assert isinstance(task.target, Scores)
    assert set(task.target.values.tolist()) == {1.25, 2.0}  # noqa: PD011


@pytest.mark.parametrize(
    ("labels", "classes", "shown"),
    [
        (["0.0", "1.0"], ("1", "0"), ("1", "0")),
        (["0", "1"], ("1.0", "0.0"), ("1", "0")),
        (["true", "false"], ("false", "true"), ("false", "true")),
        (["True", "False"], ("true", "false"), ("True", "False")),
        (["1e5", "1_000", "null"], ("null", "1e5", "1_000"), ("null", "1e5", "1_000")),
        (["1", "1.0", "a"], ("a", "1.0", "1"), ("a", "1.0", "1")),
    ],
)
def test_the_order_of_classes(
    tmp_path: Path, labels: list[str], classes: tuple[str, ...], shown: tuple[str, ...]
) -> None:
    assert names(build(tmp_path, labels, classes=classes)) == shown


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "frame"])
@pytest.mark.parametrize(
    ("cells", "ignore", "classes", "shown"),
    [
        ((True, False, None), ("null",), ("true", "false"), ("True", "False")),
        ((True, False, None), ("",), ("True", "False"), ("True", "False")),
        (("a", "b", "null", None), ("",), ("null", "b", "a"), ("null", "b", "a")),
        (("a", "b", "null", None), ("", "null"), ("b", "a"), ("b", "a")),
        ((1, 0, 2), ("2",), ("1", "0"), ("1", "0")),
        ((1.0, 0.0, None), ("null",), ("1", "0"), ("1", "0")),
    ],
)
def test_booleans_nulls_and_numbers_are_named_as_they_are_typed(
    tmp_path: Path,
    kind: str,
    cells: tuple[Any, ...],
    ignore: tuple[str, ...],
    classes: tuple[str, ...],
    shown: tuple[str, ...],
) -> None:
    rows = [{"text": f"text {at}", "label": cells[at % len(cells)]} for at in range(60)]
    frame = pd.DataFrame(rows).astype({"label": object})
    (tmp_path / "a.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    frame.to_parquet(tmp_path / "a.parquet")
    source: dict[str, Any] = {"frame": frame} if kind == "frame" else {"path": tmp_path / f"a.{kind}"}
    task = TableTask(**source, ignore=ignore, classes=classes).build()
    assert names(task) == shown
    assert [unit.text for unit in task.units] == [
        row["text"]
        for row in rows
        if row["label"] in cells[: len(classes)] or (row["label"] == "null" and "null" in classes)
    ]


def test_an_entry_that_names_nothing_lists_what_there_is(tmp_path: Path) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"ignore": ("d",)}, "task.ignore names 'd', a label that no row has; expected one of a, b, c"),
        ({"ignore": ("c", "C")}, "task.ignore names 'C'.*expected one of a, b, c"),
        ({"ignore": ("",)}, "task.ignore names '', a label that no row has; expected one of a, b, c"),
        ({"ignore": ("-1",)}, "task.ignore names '-1'"),
        (
            {"classes": ("a", "b", "c", "d")},
            "task.classes names 'd', a label that no row has; expected one of a, b, c",
        ),
        ({"classes": ("a", "b", "c"), "ignore": ("c",)}, "task.classes names 'c'.*expected one of a, b"),
        ({"classes": ("a", "b", "c", "a")}, "names a class twice"),
    ]
    for settings, message in wrong:
        with pytest.raises(ProbingError, match=message):
            build(tmp_path, ["a", "b", "c"], **settings)
    with pytest.raises(ProbingError, match=r"task.ignore names '3'.*expected one of 0, 1.0, '', a"):
        build(tmp_path, ["0", "1.0", "a", ""], ignore=("3",))
    with pytest.raises(ProbingError, match="names a class twice"):
        build(tmp_path, ["0", "1"], classes=("0", "1", "1.0"))


@pytest.mark.parametrize("label", ["nan", "inf", "-inf", "1_000", "1e999", "0x1", "1,5"])
def test_a_score_must_be_a_finite_number(tmp_path: Path, label: str) -> None:
    rows = "".join(f"text {at};{at / 4}\n" for at in range(30))
    (tmp_path / "a.csv").write_text(f"text;label\nfirst;2\nbad;{label}\n{rows}")
    for kind in ("auto", "scores"):
        with pytest.raises(ProbingError, match=r"a\.csv, line 3: (label )?'.*' is not a (number|score)"):
            TableTask(path=tmp_path / "a.csv", separator=";", kind=kind).build()


@pytest.mark.parametrize("cell", ["NaN", "Infinity", "-Infinity", "1e999", "true", '"1_000"'])
def test_a_score_of_jsonl_must_be_one_too(tmp_path: Path, cell: str) -> None:
    rows = "".join(f'{{"text": "text {at}", "label": {at / 4}}}\n' for at in range(30))
    (tmp_path / "a.jsonl").write_text(f'{{"text": "bad", "label": {cell}}}\n{rows}')
    with pytest.raises(
        ProbingError, match=r"a\.jsonl, line 1: (column 'label' is empty|(label )?'.*' is no)"
    ):
        TableTask(path=tmp_path / "a.jsonl").build()
