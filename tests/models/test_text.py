"""Models of images and sound are refused in one line; the side that reads text is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    AutoModel,
    AutoTokenizer,
    CLIPTextModel,
    PreTrainedModel,
)
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

import probing
from probing.cli import main as cli
from probing.models.family import default_pooling
from probing.models.loading import load_model
from probing.models.model_choice import ModelConfig
from probing.models.model_files import find_files
from tests.models.families import FAMILIES, HALF, config_of
from tests.tiny import WORDS, make_bart, make_bert, make_t5

pytestmark = pytest.mark.slow

SIZE = len(WORDS) + 5
TEXT: dict[str, Any] = HALF | {
    "vocab_size": SIZE, "eos_token_id": 3, "bos_token_id": 2, "pad_token_id": 0, "num_key_value_heads": 4,
    "max_position_embeddings": 64,
}  # fmt: skip
IMAGES: dict[str, Any] = HALF | {"image_size": 16, "patch_size": 4}
PAIRS: dict[str, dict[str, Any]] = {
    "clip": {"text_config": TEXT, "vision_config": IMAGES},
    "siglip": {"text_config": TEXT, "vision_config": IMAGES},
    "blip": {"text_config": TEXT | {"encoder_hidden_size": 32}, "vision_config": IMAGES},
    "chinese_clip": {"text_config": TEXT, "vision_config": IMAGES},
    "llava": {
        "text_config": TEXT | {"model_type": "llama"},
        "vision_config": IMAGES | {"model_type": "clip_vision_model"},
    },
}
SPEECH: dict[str, Any] = {
    "vocab_size": SIZE, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
    "decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "input_feat_per_channel": 8,
    "conv_channels": 16,
}  # fmt: skip
VILT: dict[str, Any] = TEXT | IMAGES
REFUSED = {
    "vit": "(vit): reads pixel_values, not text",
    "dinov2": "(dinov2): reads pixel_values, not text",
    "swin": "(swin): reads pixel_values, not text",
    "wav2vec2": "(wav2vec2): reads input_values, not text",
    "hubert": "(hubert): reads input_values, not text",
    "whisper": "(whisper): reads input_features, not text",
    "speech_to_text": "(speech_to_text): reads input_features, not text",
    "vilt": "(vilt): does not read text without image",
}


def _model(name: str) -> PreTrainedModel:
    torch.manual_seed(0)
    given = {**PAIRS, "speech_to_text": SPEECH, "vilt": VILT}.get(name)
    found = [family for family in FAMILIES if str(family) == name]
    config = CONFIG_MAPPING[name](**given) if given is not None else config_of(found[0])
    make: Any = AutoModel.from_config
    model: PreTrainedModel = make(config)
    model.train(False)
    return model


def _folder(name: str, folder: Path) -> Path:
    """The model with a tokenizer of words, as a user would put one there."""
    make_bert(folder)
    for old in ("config.json", "model.safetensors"):
        (folder / old).unlink()
    _model(name).save_pretrained(folder)
    return folder


def _arguments(folder: Path, root: Path, *more: str) -> list[str]:
    return [f"paths.root={root}", "model=hf", f"model.name={folder}", "task=grammar/tense", "task.n_train=40",
            "task.n_dev=20", "task.n_test=20", "extract.threads=1", "probe.l2=[0.01]", *more]  # fmt: skip


@pytest.mark.parametrize("more", [[], ["analysis=importance", "objective=lm"], ["analysis=entropy"]])
@pytest.mark.parametrize("name", REFUSED)
def test_what_reads_no_text_is_refused_in_one_line(
    name: str, more: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if name == "vilt" and "objective=lm" in more:
        pytest.skip("it has no language model, which is another line")
    root = tmp_path / "out"
    code = cli.main(_arguments(_folder(name, tmp_path / name), root, *more))
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("probing: ")]
    assert code == cli.MISTAKE
    assert len(said) == 1
    assert REFUSED[name] in said[0]
    assert "only text models are supported" in said[0]
    assert not [path for path in root.rglob("*") if path.suffix in (".parquet", ".log")]


@pytest.mark.parametrize("name", PAIRS)
def test_the_text_side_of_a_pair_gives_its_own_heads(name: str, tmp_path: Path) -> None:
    folder = _folder(name, tmp_path / name)
    rows = probing.run(_arguments(folder, tmp_path / "out"))
    assert sorted(set(zip(rows["layer"], rows["head"], strict=True))) == [
        (layer, head) for layer in range(2) for head in range(4)
    ]
    loaded = load_model(find_files(ModelConfig(str(folder))), device=torch.device("cpu"))
    ids = AutoTokenizer.from_pretrained(folder)("the old dog sees a cat .", return_tensors="pt")["input_ids"]
    whole = AutoModel.from_pretrained(folder).train(False)
    tower = whole.language_model if name == "llava" else whole.text_model
    with torch.no_grad():
        own = loaded.model(input_ids=ids).last_hidden_state
        torch.testing.assert_close(own, tower(input_ids=ids).last_hidden_state)


def test_the_tower_of_clip_is_the_one_that_the_library_loads_from_the_folder(tmp_path: Path) -> None:
    folder = _folder("clip", tmp_path / "clip")
    mine = load_model(find_files(ModelConfig(str(folder))), device=torch.device("cpu")).model
    library = CLIPTextModel.from_pretrained(folder).train(False)
    ids = torch.tensor([[2, 5, 6, 7, 3]])
    with torch.no_grad():
        assert torch.equal(mine(ids).last_hidden_state, library(ids).last_hidden_state)


def test_a_causal_tower_is_read_at_its_last_token(tmp_path: Path) -> None:
    expected = {"clip": "last", "llava": "last", "siglip": "first", "blip": "first", "chinese_clip": "first"}
    for name, pooling in expected.items():
        folder = _folder(name, tmp_path / name)
        assert default_pooling(find_files(ModelConfig(str(folder)))) == pooling, name


@pytest.mark.parametrize("make", [make_t5, make_bart])
def test_the_encoder_of_text_models_is_read_as_before(make: Any, tmp_path: Path) -> None:  # noqa: ANN401
    folder = make(tmp_path / "model")
    rows = probing.run(_arguments(folder, tmp_path / "out"))
    assert len(set(zip(rows["layer"], rows["head"], strict=True))) == 8
    assert np.isfinite(rows["test"]).all()
    loaded = load_model(find_files(ModelConfig(str(folder))), device=torch.device("cpu"))
    ids = torch.tensor([[2, 5, 6, 7, 3]])
    whole = AutoModel.from_pretrained(folder).train(False)
    with torch.no_grad():
        expected = whole(input_ids=ids, decoder_input_ids=ids).encoder_last_hidden_state
        torch.testing.assert_close(loaded.model(input_ids=ids).last_hidden_state, expected)
