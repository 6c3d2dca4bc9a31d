"""Calls of `probing.run`: every way to give options is the same command, and models in memory are read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
)

import probing
from probing.cli import main as cli
from probing.cli.clean import command as clean
from probing.errors import ProbingError
from probing.results.store import read_results
from tests.tiny import make_bart, make_causal, make_masked

pytestmark = pytest.mark.slow

SIZES = {"task.n_train": 60, "task.n_dev": 30, "task.n_test": 30, "extract.threads": 1}
FAMILIES: dict[str, tuple[Callable[[Path], Path], Any]] = {
    "encoder": (make_masked, AutoModelForMaskedLM),
    "decoder": (make_causal, AutoModelForCausalLM),
    "encoder-decoder": (make_bart, AutoModelForSeq2SeqLM),
}


def keys(frame: pd.DataFrame) -> set[str]:
    return set(frame["key"])


@pytest.fixture
def small(tmp_path: Path) -> dict[str, Any]:
    return {"paths.root": tmp_path / "out", **SIZES}


@pytest.fixture(params=FAMILIES)
def given(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Any, Any]:
    make, kind = FAMILIES[request.param]
    folder = make(tmp_path / "tiny-model")
    return kind.from_pretrained(folder).train(), AutoTokenizer.from_pretrained(folder)


def overrides_of(root: Path) -> list[list[str]]:
    return [result.about["overrides"] for result in read_results(root / "results")[0]]


def test_a_quiet_run_prints_its_grid_and_nothing_else(
    tiny_bert: Path, small: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    model: dict[str, Any] = {"model": "hf", "model.name": tiny_bert, "granularity.layers": [0]}
    first = probing.run([model, small], quiet=True)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "best: layer 0" in printed.out
    swept = probing.sweep([model | {"granularity.layers": [[0]]}, small], quiet=True)
    assert keys(swept) == keys(first)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "1 of 1 jobs done" in printed.out


def test_every_way_to_give_options_is_the_same_run(tiny_bert: Path, small: dict[str, Any]) -> None:
    model: dict[str, Any] = {"model": "hf", "model.name": tiny_bert, "granularity.layers": [0, 2]}
    words = [f"{name}={value}" for name, value in (model | small).items()]
    first = probing.run([*words, "task=grammar/depth", "pooling=mean"])
    ways = [
        probing.run({"task": "grammar/depth", "pooling": "mean", **model, **small}),
        probing.run(words, task="grammar/depth", pooling="mean"),
        probing.run("task=grammar/depth", pooling="mean", **(model | small)),
        probing.run([model, "pooling=mean", small], task="grammar/depth"),
        probing.run(
            [{"pooling": "max", "task": "grammar/tense"}, *words], task="grammar/depth", pooling="mean"
        ),
    ]
    assert all(keys(way) == keys(first) for way in ways)
    assert len(keys(first)) == 1


@pytest.mark.parametrize(
    ("positional", "options", "message"),
    [
        (
            (),
            {"taks": "grammar/tense"},
            r"run has no taks=; did you mean task\? expected one of analysis, model",
        ),
        (({"grnularity": "layer"},), {}, r"run has no grnularity=; did you mean granularity\?"),
        (([{"extarct": {"device": "cpu"}}],), {}, r"run has no extarct=; did you mean extract\?"),
        ((5,), {}, r"run: overrides is 5; give a text or a dict or a list, each a text or a dict"),
        ((), {"limit": 50}, r'run has no limit=; did you mean task=\{"limit": \.\.\.\}\?'),
        ((), {"text": "review"}, r'run has no text=; did you mean .*task=\{"text": \.\.\.\}\?'),
        (([5],), {}, r"overrides.* 5; give a text or a dict"),
        ((), {"task": "grammar/tenes"}, r"no task=grammar/tenes; did you mean grammar/tense\?"),
        ((), {"task": object()}, r"task: a value of type object cannot be an option"),
        ((), {"tokenizer": 5}, r"run: tokenizer belongs to a model in memory; pass model=\.\.\. too"),
        ((), {"model": 5}, r"run: model: this int is not a transformers model; give a transformers PreTrain"),
        ((["model=minilm"],), {"model": 5}, r"run: model=minilm names a second model; leave it out"),
        ((), {"model": torch.nn.Linear(2, 2), "model.name": "x"}, r"run: model\.name=x names a second model"),
    ],
)
def test_wrong_calls_are_explained(
    positional: tuple[Any, ...], options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    root = tmp_path / "out"
    with pytest.raises(ProbingError, match=message) as raised:
        probing.run(*positional, **({"paths": {"root": root}} | options))
    assert "\n" not in str(raised.value)
    assert not root.exists() or not list(root.rglob("*.*"))


def test_a_model_in_memory_is_read_and_its_record_is_a_command(
    given: tuple[Any, Any],
    small: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model, tokenizer = given
    frame = probing.run(small, model=model, tokenizer=tokenizer, task="grammar/tense")
    assert [name.rpartition("-")[0] for name in set(frame["model"])] == ["tiny-model"]
    assert model.training
    from_folder = probing.run(small | {"model.name": model.name_or_path}, model="hf")
    scores = ["layer", "head", "dev", "test"]
    pd.testing.assert_frame_equal(frame[scores], from_folder[scores])

    written = overrides_of(tmp_path / "out")
    (overrides,) = [each for each in written if any("model.label=tiny-model-" in word for word in each)]
    (named,) = [each.partition("=")[2] for each in overrides if each.startswith("model.name=")]
    assert Path(named).parent == tmp_path / "out" / "models" / "given"
    capsys.readouterr()
    assert cli.main([*overrides, f"paths.root={tmp_path / 'out'}"]) == 0
    assert "nothing to extract or train" in capsys.readouterr().err

    assert keys(probing.run(small, model=model, tokenizer=tokenizer)) == keys(frame)
    assert "nothing to extract or train" in capsys.readouterr().err
    with torch.no_grad():
        model.get_input_embeddings().weight[9:, 0] += 0.5
    changed = probing.run(small, model=model, tokenizer=tokenizer)
    assert not keys(changed) & keys(frame)
    assert not changed["test"].equals(frame["test"])
    assert not set(changed["model"]) & set(frame["model"])  # one model's baseline is not the other's
    for folder in (tmp_path / "out" / "models" / "given").iterdir():
        os.utime(folder, (0, 0))
    moved = (tmp_path / "out").rename(tmp_path / "moved")
    clean(["models", "--yes", f"paths.root={moved}"])
    assert len(list((moved / "models" / "given").iterdir())) == 2


def test_a_model_in_memory_has_baselines_and_is_ablated(
    given: tuple[Any, Any], small: dict[str, Any]
) -> None:
    model, tokenizer = given
    own: dict[str, Any] = {"model": model, "tokenizer": tokenizer, "task.limit": 20, "model.label": "mine"}
    untrained = probing.run(small, baseline="untrained", **own)
    assert set(untrained["baseline"]) == {"untrained"}
    assert set(untrained["model"]) == {"mine"}
    loss = probing.run(small, analysis="ablation", objective="lm", **own)
    assert set(loss["objective"]) == {"lm"}
    whole = loss["full"].iloc[0]
    assert loss["value"].abs().max() > 0
    assert whole > 0
