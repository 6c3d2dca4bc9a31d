"""Headers as people's files have them: names left out, no header at all, another separator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from probing.datasets.table import TableTask
from probing.errors import ProbingError
from probing.tasks.task import Task

ROWS = [(f"text {at}, it's said", "ab"[at % 2]) for at in range(30)]


def lines(separator: str, header: str | None = None, rows: list[tuple[str, str]] = ROWS) -> str:
    body = [separator.join(f'"{cell}"' if separator in cell else cell for cell in row) for row in rows]
    return "\n".join([*([header] if header else []), *body, ""])


def build(tmp_path: Path, content: str, name: str = "a.csv", **settings: Any) -> Task:  # noqa: ANN401
    (tmp_path / name).write_text(content, encoding="utf-8")
    return TableTask(path=tmp_path / name, **settings).build()


def said(tmp_path: Path, content: str, name: str = "a.csv", **settings: Any) -> str:  # noqa: ANN401
    with pytest.raises(ProbingError) as caught:
        build(tmp_path, content, name, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def check(task: Task) -> None:
    assert [unit.text for unit in task.units] == [text for text, _ in ROWS]
    assert task.target.shown() == [label for _, label in ROWS]


@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet", "frame"])
def test_columns_without_a_name_are_passed_over(tmp_path: Path, kind: str) -> None:
    frame = pd.DataFrame([(*row, "", "x", None) for row in ROWS], columns=["text", "label", "", "", ""])
    if kind == "frame":
        check(TableTask(frame=frame).build())
        return
    if kind == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        arrays = [pa.array([row[at] if at < 2 else "x" for row in ROWS]) for at in range(4)]
        pq.write_table(pa.Table.from_arrays(arrays, ["text", "label", "", ""]), tmp_path / "a.parquet")
    else:
        frame.to_csv(tmp_path / f"a.{kind}", index=False, sep="," if kind == "csv" else "\t")
    check(TableTask(path=tmp_path / f"a.{kind}").build())


def test_a_single_one_can_be_asked_for(tmp_path: Path) -> None:
    frame = pd.DataFrame(ROWS, columns=["", "label"])
    frame.to_csv(tmp_path / "a.csv", index=False)
    check(TableTask(path=tmp_path / "a.csv", text="").build())
    indexed = pd.DataFrame(ROWS, columns=["text", "label"])
    indexed.to_csv(tmp_path / "b.csv")
    check(TableTask(path=tmp_path / "b.csv").build())
    assert "there is no column ''" in said(tmp_path, lines(",", "text,label"), text="")
    assert "line 1: no column has a name" in said(tmp_path, lines(",", ","))


@pytest.mark.parametrize(("kind", "separator"), [("csv", ","), ("tsv", "\t")])
def test_a_file_without_a_header(tmp_path: Path, kind: str, separator: str) -> None:
    content = lines(separator)
    message = said(tmp_path, content, f"a.{kind}")
    assert "there is no column 'text', which task.text names; the first line looks like an example" in message
    assert "task.header=false" in message
    check(build(tmp_path, content, f"a.{kind}", header=False, text="0", label="1"))
    assert "expected one of 0, 1" in said(tmp_path, content, f"a.{kind}", header=False, text="2")
    short = f"{content}last\n"
    assert "line 31: 1 fields, but the first line has 2" in said(
        tmp_path, short, f"a.{kind}", header=False, text="0", label="1"
    )


@pytest.mark.parametrize("first", ["good,1", "a b c d e,x", "x,3.5"])
def test_what_looks_like_an_example(tmp_path: Path, first: str) -> None:
    rows = [(f"t{at}", "x" if at % 2 else "y") for at in range(30)]
    assert "looks like an example" in said(tmp_path, lines(",", first, rows))
    assert "did you mean" in said(tmp_path, lines(",", "text,lable", rows))


@pytest.mark.parametrize(
    ("kind", "separator", "shown"),
    [("csv", ";", ";"), ("csv", "\t", "\\t"), ("csv", "|", "|"), ("tsv", ";", ";")],
)
def test_another_separator_is_named(tmp_path: Path, kind: str, separator: str, shown: str) -> None:
    content = lines(separator, f"text{separator}label")
    message = said(tmp_path, content, f"a.{kind}")
    assert f"give task.separator='{shown}'" in message
    check(build(tmp_path, content, f"a.{kind}", separator=shown))
    check(build(tmp_path, content, f"a.{kind}", separator=separator))
    # without commas in the text the rows are as wide as the header, and it is the column that is missing
    plain = content.replace(", it's", " it's")
    message = said(tmp_path, plain, f"a.{kind}")
    assert f"no column 'text', which task.text names; its fields seem to be separated by '{shown}'" in message


def test_accents_may_be_written_in_two_ways(tmp_path: Path) -> None:
    """As one character and as a letter with a combining accent; file systems and keyboards differ."""
    one, two = "cat\u00e9gorie", "cate\u0301gorie"
    for there, asked in ((one, two), (two, one), (one, one)):
        check(build(tmp_path, lines(",", f"\u6587\u672c,{there}"), text="\u6587\u672c", label=asked))
    both = lines(",", f"{one},{two}")
    assert [unit.text for unit in build(tmp_path, both, text=one, label=two).units][:1] == [ROWS[0][0]]
