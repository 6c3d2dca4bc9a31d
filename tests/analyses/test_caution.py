"""Warnings that appear where a finding cannot bear what is read into it, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import GPT2LMHeadModel

import probing
from tests import tiny
from tests.ablations.handbuilt import make_handbuilt, sentences

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("caution")


@pytest.fixture(scope="module")
def handbuilt(folder: Path) -> Path:
    return make_handbuilt(folder / "handbuilt")


def _warned(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The warnings of this module and no other lines."""
    signs = ("pooling=first:", "objective=lm:", "not above chance", "dev examples only", "the first token")
    return [line for line in capsys.readouterr().err.splitlines() if any(sign in line for sign in signs)]


def _run(root: Path, model: Path, *more: str, data: pd.DataFrame | None = None) -> pd.DataFrame:
    arguments = [f"paths.root={root / 'out'}", "model=hf", f"model.name={model}", "extract.threads=1", *more]
    return probing.run(arguments, data=data)


SMALL = ["task=grammar/tense", "task.n_train=60", "task.n_dev=20", "task.n_test=20"]
TABLE = ["task=table", "task.classes=[bad,good]", "task.split=split", "objective=classifier"]


def test_the_first_token_of_a_causal_model_is_warned_of(
    tmp_path: Path, tiny_gpt2: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(tmp_path, tiny_gpt2, *SMALL, "pooling=first")
    (line,) = _warned(capsys)
    assert line.startswith("pooling=first: in a causal model the first token sees only itself, so")
    _run(tmp_path, tiny_gpt2, *SMALL, "pooling=last")
    _run(tmp_path, tiny_bert, *SMALL, "pooling=first")
    assert not _warned(capsys)


def _guessing(n: int = 240) -> pd.DataFrame:
    """The handbuilt model's sentences under labels that have nothing to do with them."""
    data = sentences(n)
    rng = np.random.default_rng(1)
    data["label"] = rng.permutation(data["label"].to_numpy())
    return data


@pytest.mark.parametrize("analysis", ["ablation", "importance"])
def test_a_model_that_guesses_has_no_heads_that_it_needs(
    tmp_path: Path, handbuilt: Path, analysis: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(tmp_path, handbuilt, *TABLE, f"analysis={analysis}", data=_guessing())
    lines = [line for line in _warned(capsys) if "not above chance" in line]
    assert len(lines) == 1
    assert lines[0].startswith(f"{analysis}: on dev the full model is not above chance (accuracy ")
    _run(tmp_path, handbuilt, *TABLE, f"analysis={analysis}", data=sentences(240))
    assert not _warned(capsys)


@pytest.mark.parametrize(
    "settings",
    [["analysis=masking", "analysis.rankings=[importance]"], ["analysis=gates", "analysis.steps=2"]],
)
def test_few_dev_examples_are_counted_with_their_standard_error(
    tmp_path: Path, handbuilt: Path, settings: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    data = sentences(600)
    data["split"] = np.repeat(["train", "dev", "test"], [40, 210, 350])
    _run(tmp_path, handbuilt, *TABLE, *settings, data=data)
    assert not [line for line in _warned(capsys) if "dev examples" in line]
    few = data[(data["split"] != "dev") | (data.groupby("split").cumcount() < 40)].copy()
    first = few.index[few["split"] == "dev"][:6]
    few.loc[first, "label"] = few.loc[first, "label"].map({"bad": "good", "good": "bad"})
    _run(tmp_path, handbuilt, *TABLE, *settings, data=few)
    (line,) = [line for line in _warned(capsys) if "dev examples" in line]
    name = settings[0].removeprefix("analysis=")
    # 34 of 40 are right: the root of 0.85 · 0.15 / 39
    assert line == (
        f"{name}: heads are selected on 40 dev examples only, where the full model's accuracy is 85.0 % "
        "(standard error 5.7 points); with more examples, others may be selected"
    )


def test_pruning_by_a_curve_that_was_there_already_counts_dev_examples_too(
    tmp_path: Path, handbuilt: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prune = ["analysis=prune", "analysis.ranking=importance", "analysis.rounds=1"]
    for share in (0.25, 0.5):  # of one curve
        _run(tmp_path, handbuilt, *TABLE, *prune, f"analysis.share={share}", data=sentences(240))
        lines = [line for line in _warned(capsys) if line.startswith("prune: ")]
        assert len(lines) == 1
        assert lines[0].startswith("prune: heads are selected on 60 dev examples only")


def test_an_attention_sink_is_warned_of(
    tmp_path: Path, tiny_gpt2: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in (tiny_gpt2, tiny_bert):
        _run(tmp_path, folder, *SMALL, "analysis=entropy")
    assert not _warned(capsys)
    sinking = GPT2LMHeadModel.from_pretrained(tiny_gpt2)
    body: Any = sinking.transformer
    width = sinking.config.n_embd
    with torch.no_grad():
        body.wpe.weight[0] *= 1e4  # the first token is then the same whatever it is
        block: Any = body.h[0]
        projection = block.attn.c_attn
        key = projection(block.ln_1(body.wpe.weight[0]))[width : 2 * width]
        projection.bias[:width] = 1e3 * key / key.norm()
    sinking.save_pretrained(tmp_path / "sink")
    tiny_tokenizer = [path for path in tiny_gpt2.iterdir() if path.name.startswith(("token", "special"))]
    for path in tiny_tokenizer:
        (tmp_path / "sink" / path.name).write_bytes(path.read_bytes())
    _run(tmp_path, tmp_path / "sink", *SMALL, "analysis=entropy")
    (line,) = _warned(capsys)
    assert "heads give the first token more than 50% of their attention" in line
    assert int(line.split()[1]) >= 2


def test_a_loss_is_not_taken_for_the_accuracy_of_the_card(
    tmp_path: Path, folder: Path, handbuilt: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tiny.make_masked(folder / "masked")
    _run(tmp_path, model, *SMALL, "analysis=importance", "objective=lm")
    (line,) = _warned(capsys)
    assert line.startswith("objective=lm: scores are losses in nats")
    _run(tmp_path, handbuilt, *TABLE, "analysis=importance", data=sentences(240))
    assert not _warned(capsys)
