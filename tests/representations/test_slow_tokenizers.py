"""Words with a tokenizer that gives no character offsets are refused before anything is extracted."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import probing
from probing.cli import main as cli
from probing.errors import ProbingError
from tests.tiny import make_bert

pytestmark = pytest.mark.slow

TASK = ["task=table", "task.tokens=tokens", "task.label=tags", "task.name=tagging"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = make_bert(tmp_path / "bert")
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "CanineTokenizer"}))
    return folder


def sentences() -> pd.DataFrame:
    found = [(["Dogs", "do", "bark", f"#{number}"], ["N", "A", "V", "N"]) for number in range(30)]
    return pd.DataFrame(found, columns=["tokens", "tags"])


def test_task_and_tokenizer_are_named_and_nothing_is_written(tmp_path: Path, folder: Path) -> None:
    root = tmp_path / "out"
    arguments = [f"paths.root={root}", "model=hf", f"model.name={folder}", *TASK]
    with pytest.raises(
        ProbingError, match=r"task .*tagging.*: its examples are words.*CanineTokenizer"
    ) as caught:
        probing.run(arguments, data=sentences())
    assert "\n" not in str(caught.value)
    assert not list(root.rglob("*.parquet"))
    assert not list(root.rglob("request.json"))


def test_the_command_says_so_in_one_line(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sentences().to_json(tmp_path / "words.jsonl", orient="records", lines=True)
    capsys.readouterr()
    arguments = [f"paths.root={tmp_path / 'out'}", "model=hf", f"model.name={folder}", *TASK[:3]]
    assert cli.main([*arguments, f"task.path={tmp_path / 'words.jsonl'}"]) == 2
    errors = capsys.readouterr().err.strip().splitlines()
    assert "choose another model, or a task of whole texts" in errors[-1]
    assert not any("extracting" in line for line in errors)
