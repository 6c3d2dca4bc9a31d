"""Every analysis of a GGUF file finds what it finds for the same model in an ordinary folder."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch

import probing
from probing.cli import main as cli
from probing.models.loading import load_model
from probing.models.model_choice import ModelConfig
from probing.models.model_files import find_files
from tests.tiny_gguf import make_gguf, need_gguf

need_gguf()
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A GGUF file, and the folder that transformers saves for what it reads from it."""
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROBING_CACHE", str(folder / "cache"))
        file = make_gguf(folder / "tiny.gguf")
        loaded = load_model(find_files(ModelConfig(str(file))), device=torch.device("cpu"), purpose="lm")
    loaded.model.save_pretrained(folder / "tiny")
    loaded.tokenizer.save_pretrained(folder / "tiny")
    return file, folder / "tiny"


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBING_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize(
    "words",
    [
        ["analysis=probe"],
        ["analysis=probe", "granularity=layer", "baseline=untrained"],
        ["analysis=entropy"],
        ["analysis=ablation", "objective=lm"],
        ["analysis=importance", "objective=lm"],
        ["analysis=prune", "objective=lm"],
    ],
    ids=" ".join,
)
def test_an_analysis_finds_the_same(words: list[str], pair: tuple[Path, Path], tmp_path: Path) -> None:
    frames = [
        probing.run(
            [f"paths.root={tmp_path / str(number)}", "model=hf", f"model.name={model}", "task=grammar/tense",
             "task.n_train=40", "task.n_dev=20", "task.n_test=20", "extract.threads=1", "extract.device=cpu",
             *words]
        )
        for number, model in enumerate(pair)
    ]  # fmt: skip
    frames = [frame[frame["metric"] != "seconds"] for frame in frames]
    assert len(frames[0])
    measured = [name for name in ("value", "dev", "test", "layer", "head") if name in frames[0]]
    pd.testing.assert_frame_equal(frames[0][measured], frames[1][measured])


def test_a_wrong_digest_is_one_line(
    pair: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "model=hf",
        f"model.name={pair[0]}",
        f"model.sha256={'0' * 64}",
        f"paths.root={tmp_path / 'out'}",
    ]
    assert cli.main(words) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "tiny.gguf: sha256 is" in line
