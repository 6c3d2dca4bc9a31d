"""Bad tables are refused in one line that says where and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from probing.datasets.table import TableTask
from probing.errors import ProbingError

ROWS = "\n".join(f"text {number},{'ab'[number % 2]}" for number in range(30))
GOOD = f"text,label\n{ROWS}\n"


def error(tmp_path: Path, content: str | bytes, name: str = "data.csv", **settings: Any) -> str:  # noqa: ANN401
    """The message for a file of this content."""
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ProbingError) as caught:
        TableTask(path=path, **settings).build()
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_good_one_is_good(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(GOOD)
    assert len(TableTask(path=tmp_path / "data.csv").build()) == 30


@pytest.mark.parametrize(
    ("content", "settings", "parts"),
    [
        (
            GOOD,
            {"label": "lable"},
            ["no column 'lable', which task.label names; did you mean label?", "text, label"],
        ),
        (GOOD, {"text": "body"}, ["no column 'body', which task.text names"]),
        (GOOD, {"second": "other"}, ["which task.second names"]),
        (
            GOOD,
            {"split": "label"},
            ["line 2: column 'label' is 'a'; expected one of train, dev, validation, test"],
        ),
        (
            GOOD,
            {"label": "text"},
            ["column 'text' has 30 different labels for 30", "task.kind=scores"],
        ),
        (GOOD, {"kind": "scores"}, ["line 2: 'a' is not a score"]),
        (GOOD, {"classes": ("a", "c")}, ["line 3: label 'b' is not in task.classes"]),
        (GOOD, {"classes": ("a", "b", "a")}, ["names a class twice"]),
        (GOOD, {"ignore": ("a", "b")}, ["task.ignore leaves no example"]),
        (GOOD, {"separator": "ab"}, ["task.separator is 'ab'; give one character"]),
        (GOOD, {"encoding": "utf-9"}, ["task.encoding is 'utf-9'"]),
        (GOOD, {"shares": (0.5, 0.5)}, ["task.shares is [0.5, 0.5]"]),
        ("text,label\n", {}, ["there are no rows below the header"]),
        (" \n", {}, ["the file is empty"]),
        ("", {}, ["the file is empty"]),
        (f"{GOOD}last,\n", {}, ["line 32: column 'label' is empty", "task.ignore=['']"]),
        (f"{GOOD} ,a\n", {}, ["line 32: column 'text' is empty"]),
        (f"{GOOD}\nlast,a,b\n", {}, ["line 33: 3 fields, but the header has 2"]),
        (f"{GOOD}last\n", {}, ["line 32: 1 fields, but the header has 2"]),
        (f'{GOOD}"two\nlines",a\n"three\n\n",a\nx,\n', {}, ["line 37: column 'label' is empty"]),
        (f'{GOOD}"never closed,a\nx,b\n', {}, ["line 32: unexpected end of data", "task.quotes=false"]),
        (f'{GOOD}"closed" early,a\n', {}, ["line 32: ',' expected after"]),
        ("text,text\na,b\n", {}, ["line 1: two columns are called 'text'"]),
        (
            GOOD.replace(",b", ",1.5").replace(",a", ",2") + "x,n/a\n",
            {},
            ["line 32: label 'n/a' is not a number"],
        ),
        (
            GOOD.replace(",b", ",1").replace(",a", ",6"),
            {"low": 1.0, "high": 5.0},
            ["line 2: score 6 is outside"],
        ),
        (
            GOOD.replace(",b", ",1").replace(",a", ",nan"),
            {"kind": "scores"},
            ["line 2: 'nan' is not a score"],
        ),
        (
            GOOD.replace(",b", ",1").replace(",a", ",inf"),
            {"kind": "scores"},
            ["line 2: 'inf' is not a score"],
        ),
        (GOOD, {"metric": "pearson"}, ["line 2: 'a' is not a score"]),
    ],
)
def test_a_bad_csv(content: str, settings: dict[str, Any], parts: list[str], tmp_path: Path) -> None:
    message = error(tmp_path, content, **settings)
    assert all(part in message for part in parts), message


def test_a_wrong_encoding_is_placed(tmp_path: Path) -> None:
    message = error(tmp_path, f"{GOOD}déjà vu,a\n".encode("latin-1"))
    assert "line 32: byte 0xe9 is not utf-8 text" in message
    assert "task.encoding=latin-1" in message
    assert "task.encoding=utf-16" in error(tmp_path, GOOD.encode("utf-16"))


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ('{"text": "x", "label": }', "line 2: not JSON (Expecting value, character 24)"),
        ('["x", "a"]', "line 2: not a JSON object"),
        ('{"text": "x"}', "line 2: column 'label' is empty"),
        ('{"text": null, "label": "a"}', "line 2: column 'text' is empty"),
        ('{"text": "x", "label": NaN}', "line 2: column 'label' is empty"),
        (
            '{"text": "x", "label": ["a"]}',
            "line 2: column 'label' holds a list; give text or numbers, or task.tokens for lists of words",
        ),
        ('{"text": ["x"], "label": "a"}', "line 2: column 'text' holds a list"),
        ('{"text": "x", "label": {"a": 1}}', "line 2: column 'label' holds a dict"),
        ('{"text": "\\ud83d", "label": "a"}', "line 2: column 'text' has \\ud83d, half a character"),
        ('{"text": "x", "label": "\\ud83d"}', "line 2: column 'label' has \\ud83d, half a character"),
        (
            f'{{"text": "x", "label": {"9" * 5000}}}',
            "line 2: not JSON (a number is too long or a list too deep)",
        ),
        ("[" * 100_000, "line 2: not JSON (a number is too long or a list too deep)"),
    ],
)
def test_a_bad_jsonl(line: str, part: str, tmp_path: Path) -> None:
    good = [f'{{"text": "text {number}", "label": "{"ab"[number % 2]}"}}' for number in range(30)]
    assert part in error(tmp_path, "\n".join([good[0], line, *good[1:]]), "data.jsonl")


def test_a_label_that_train_lacks_is_placed(tmp_path: Path) -> None:
    lines = GOOD.strip().split("\n")
    split = [f"{line},{'train' if number < 25 else 'test'}" for number, line in enumerate(lines[1:])]
    message = error(tmp_path, "\n".join(["text,label,part", *split, "x,c,test"]), split="part")
    assert "line 32: label 'c' of test is never seen in train" in message
    assert "task.ignore=[c]" in message


def test_splits_that_lack_one(tmp_path: Path) -> None:
    split = [f"text {number},{'ab'[number % 2]},{'train' if number < 25 else 'dev'}" for number in range(30)]
    message = error(tmp_path, "\n".join(["text,label,part", *split]), split="part")
    assert "there is train and dev but no test; add it, or rename dev to test" in message
    other = error(tmp_path, "\n".join(["text,label,part", *split]), split="part", selection="nested")
    assert "task.selection=nested tests every example in turn" in other


def test_files_that_are_not_there_or_not_known(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(GOOD)
    (tmp_path / "broken.parquet").write_text(GOOD)
    (tmp_path / "data.xlsx").write_text(GOOD)
    (tmp_path / "twice").mkdir()
    for name in ("train.csv", "dev.csv", "valid.csv"):
        (tmp_path / "twice" / name).write_text(GOOD)
    for settings, part in [
        ({"path": tmp_path / "b.csv"}, "b.csv: no such file"),
        ({"path": tmp_path / "data.xlsx"}, "unknown extension '.xlsx'; save it as one of .csv, .tsv"),
        ({"path": tmp_path / "broken.parquet"}, "broken.parquet: not a readable parquet file"),
        (
            {"path": tmp_path},
            "no train file; there is a.csv, broken.parquet; name the files train, dev and test",
        ),
        ({"path": tmp_path / "twice"}, "dev.csv and valid.csv are both dev"),
        ({}, "task.path is not set; give task.path=..."),
        ({"test": tmp_path / "a.csv"}, "task.train is not set"),
        ({"path": tmp_path / "a.csv", "dev": tmp_path / "a.csv"}, "task.path and task.dev contradict"),
        (
            {"train": tmp_path / "a.csv", "test": tmp_path / "a.csv", "split": "x"},
            "every split has its own file",
        ),
    ]:
        with pytest.raises(ProbingError) as caught:
            TableTask(**settings).build()  # type: ignore[arg-type]
        assert part in str(caught.value)


def test_bad_frames() -> None:
    frame = pd.DataFrame({"text": [f"text {number}" for number in range(30)], "label": ["a", "b"] * 15})
    for bad, part in [
        (frame.iloc[:0], "the frame has no rows"),
        (frame.set_axis(["text", "text"], axis=1), "the frame: two columns are called 'text'"),
        (
            frame.assign(label=frame["label"].where(frame.index < 29)),
            "the frame, row 29: column 'label' is empty",
        ),
        (
            frame.assign(text=frame["text"].astype("string").where(frame.index < 29)),
            "the frame, row 29: column 'text' is empty",
        ),
        (frame.iloc[:3], "column 'label' has 2 different labels for 3 examples, too many for classes"),
        (frame.iloc[:4], "4 different texts of 2 labels are too few"),
        (frame.assign(text=frame["text"].str.encode("utf-8")), "row 0: column 'text' holds a bytes"),
        (frame["text"], "data= is a Series; give a pandas frame"),
    ]:
        with pytest.raises(ProbingError) as caught:
            TableTask(frame=bad).build()  # type: ignore[arg-type]
        assert part in str(caught.value)
    with pytest.raises(ProbingError, match=r"task\.low=5.0 is not below task\.high=1.0"):
        TableTask(frame=frame, low=5.0, high=1.0)
