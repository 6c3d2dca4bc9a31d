"""The task `code`: files, functions and tables become the same kind of examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from probing.datasets.code.syntax import CodeTree, parse
from probing.datasets.code.task import CodeTask
from probing.errors import ProbingError
from probing.tasks.target import Scores


def function(number: int) -> str:
    return f"def f{number}(a):\n    return a{' + a' * (number % 7)}"


def folder_of(root: Path, files: int = 4, functions: int = 6) -> Path:
    """Source files with functions, some inside a class, and files that are not source."""
    folder = root / "src"
    (folder / "inner").mkdir(parents=True)
    for file in range(files):
        parts = [function(file * functions + at) for at in range(functions)]
        text = "\n\n".join(["import os  # not a function", *parts]) + "\n"
        (folder / ("inner" if file % 2 else "") / f"{file}.py").write_text(text, encoding="utf-8")
    (folder / "__init__.py").write_text("", encoding="utf-8")
    (folder / "notes.txt").write_text("not code", encoding="utf-8")
    return folder


def test_functions_of_a_folder_are_examples(tmp_path: Path) -> None:
    task = CodeTask(path=folder_of(tmp_path), node="function_definition").build()
    assert task.name == "code/src"
    assert {unit.text for unit in task.units} == {function(number) for number in range(24)}
    assert sum(len(task.rows(name)) for name in ("train", "dev", "test")) == 24
    assert isinstance(task.target, Scores)
    sizes = [len(parse(unit.text, "python").leaves) for unit in task.units]
    np.testing.assert_array_equal(task.target.gold, sizes)
    assert task.metric == "spearman"


def test_every_piece_is_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []

    def counted(code: str, language: str) -> CodeTree:
        parsed.append(code)
        return parse(code, language)

    monkeypatch.setattr("probing.datasets.code.task.parse", counted)
    task = CodeTask(path=folder_of(tmp_path), node="function_definition").build()
    assert sorted(parsed) == sorted(unit.text for unit in task.units)


def test_whole_files_are_examples_by_default(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, files=12, functions=2)
    task = CodeTask(path=folder, name="mine").build()
    assert len(task) == 12
    assert task.name == "mine"
    assert all(unit.text.startswith("import os") for unit in task.units)
    with pytest.raises(ProbingError, match="too few"):
        CodeTask(path=folder / "0.py").build()


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_a_column_of_a_table_is_code(tmp_path: Path, kind: str) -> None:
    splits = ["train", "valid", "test"]
    rows = [{"func": function(number), "part": splits[number // 2 % 3]} for number in range(24)]
    path, frame = tmp_path / f"data.{kind}", pd.DataFrame(rows)
    if kind == "jsonl":
        path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    elif kind == "csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    task = CodeTask(path=path, column="func", split="part").build()
    assert [unit.text for unit in task.units] == frame["func"].tolist()
    assert task.split.tolist() == frame["part"].replace("valid", "dev").tolist()
    made = CodeTask(path=path, column="func").build()
    assert {"train", "dev", "test"} == set(made.split.tolist())
    np.testing.assert_array_equal(made.split, CodeTask(path=path, column="func").build().split)


def test_other_languages_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.java").write_text(
        "class A {" + "".join(f"int f{n}(int a) {{ return a{' + a' * n}; }}\n" for n in range(12)) + "}",
        encoding="utf-8",
    )
    task = CodeTask(path=tmp_path, language="java", files="*.java", node="method_declaration").build()
    assert len(task) == 12
    assert task.units[0].text == "int f0(int a) { return a; }"


def test_repeated_pieces_and_pieces_of_one_leaf_are_left_out(tmp_path: Path) -> None:
    codes = [function(number) for number in range(12)]
    frame = pd.DataFrame({"code": [*codes, codes[0], "x", "# only a comment"]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert [unit.text for unit in CodeTask(path=tmp_path / "t.csv").build().units] == codes


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "task.path is not set; give task.path"),
        ({"path": Path("nowhere")}, "nowhere: no such file"),
        ({"path": "SRC", "files": "*.rs"}, r"no file matches '\*.rs' \(task.files\)"),
        ({"path": "SRC", "files": ""}, "is not a pattern"),
        ({"path": "SRC", "files": "/*.py"}, "is not a pattern"),
        ({"path": "SRC", "node": "method"}, r"nothing has a node 'method' \(task.node\)"),
        ({"path": "SRC", "language": "klingon"}, "pip install tree-sitter-klingon"),
        ({"path": "SRC", "encoding": "ebcdic"}, "task.encoding is 'ebcdic'"),
        ({"path": "TABLE"}, "no column 'code', which task.column names"),
        ({"path": "TABLE", "column": "number"}, "row 1: column 'number' has no text"),
        (
            {"path": "TABLE", "column": "text", "split": "part"},
            "row 2: split 'other' is not train, dev or test",
        ),
    ],
)
def test_mistakes_are_named(tmp_path: Path, given: dict[str, Any], says: str) -> None:
    table = tmp_path / "t.parquet"
    frame = pd.DataFrame({"text": ["a = 1", "b = 2"], "number": [1, 2], "part": ["train", "other"]})
    frame.to_parquet(table)
    places = {"SRC": folder_of(tmp_path), "TABLE": table}
    chosen: dict[str, Any] = {name: places.get(str(value), value) for name, value in given.items()}
    with pytest.raises(ProbingError, match=says):
        CodeTask(**chosen).build()


def test_shares_are_checked() -> None:
    with pytest.raises(ProbingError, match="sum to 1"):
        CodeTask(shares=(0.5, 0.1, 0.1))
