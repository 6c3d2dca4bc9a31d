"""Whatever is wrong with a data file, the command says so in one line, exits with 2 and writes nothing."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from probing.cli.main import MISTAKE, main
from tests.datasets.bad import published, tables, treebanks
from tests.datasets.bad.case import CSV, Bad

pytestmark = pytest.mark.slow

BAD = [
    *tables.tables(),
    *tables.spans(),
    *tables.json_lines(),
    *tables.binaries(),
    *treebanks.treebanks(),
    *published.paths(),
    *published.sentevals(),
    *published.glues(),
]


def make(folder: Path, bad: Bad) -> None:
    folder.mkdir()
    for name, content in bad.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if callable(content):
            content(path)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def complaint(options: list[str], tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The output of the command without its first word, after checks that hold for every mistake."""
    before = files_below(tmp_path)
    there = [*options, "model=hf", f"model.name={model}", f"paths.root={tmp_path / 'out'}"]
    assert main(there) == MISTAKE
    out, err = capsys.readouterr()
    *progress, last = err.splitlines()
    assert last.startswith("probing: ")
    assert not any(line.startswith(("probing:", "Traceback")) for line in progress)
    assert out == ""
    assert files_below(tmp_path) == before
    return last.removeprefix("probing: ")


def test_there_are_enough_and_their_names_differ() -> None:
    assert len({bad.name for bad in BAD}) == len(BAD) >= 60


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_a_mistake_is_one_line(
    bad: Bad, tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path / "data", bad)
    options = bad.options.replace("{}", str(tmp_path / "data")).split(" ")
    said = complaint(options, tmp_path, tiny_bert, capsys)
    assert re.search(bad.said, said), said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet", "a.conllu", "a.mrg"])
def test_a_file_that_may_not_be_read(
    name: str, tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_text(CSV)
    path.chmod(0)
    task = "treebank/tense" if path.suffix in {".conllu", ".mrg"} else "table"
    said = complaint([f"task={task}", f"task.path={path}"], tmp_path, tiny_bert, capsys)
    assert f"{name}: " in said
    assert "ermission denied" in said
