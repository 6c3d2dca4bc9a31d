"""Models are named by content, loaded whole or not at all, and never from pickles."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, RobertaConfig, RobertaModel, T5Config, T5Model

from probing.errors import ProbingError
from probing.models.family import default_pooling
from probing.models.loading import LoadedModel, load_model
from probing.models.model_choice import ModelConfig
from probing.models.model_files import find_files


def load(folder: Path, **options: bool | int) -> LoadedModel:
    return load_model(find_files(ModelConfig(str(folder), **options)), device=torch.device("cpu"))  # type: ignore[arg-type]


def copy(source: Path, target: Path) -> Path:
    return Path(shutil.copytree(source, target))


def test_the_loaded_model_is_the_librarys(tiny_bert: Path) -> None:
    loaded = load(tiny_bert)
    own = AutoModel.from_pretrained(tiny_bert).state_dict()
    mine = loaded.model.state_dict()
    assert own.keys() == mine.keys()
    assert all(torch.equal(own[name], mine[name]) for name in own)
    assert not loaded.model.training
    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())


def test_identity_is_content_and_not_path(tiny_bert: Path, tmp_path: Path) -> None:
    moved = copy(tiny_bert, tmp_path / "elsewhere")
    config = json.loads((moved / "config.json").read_text())
    (moved / "config.json").write_text(
        json.dumps(config | {"transformers_version": "4.0", "_name_or_path": "x"})
    )
    identity = find_files(ModelConfig(str(tiny_bert))).identity
    assert find_files(ModelConfig(str(moved))).identity == identity
    weights = load_file(moved / "model.safetensors")
    weights["embeddings.word_embeddings.weight"][0, 0] += 1
    save_file(weights, moved / "model.safetensors", metadata={"format": "pt"})
    assert find_files(ModelConfig(str(moved))).identity["weights"] != identity["weights"]


def test_a_wrong_digest_is_refused_before_loading(tiny_bert: Path) -> None:
    digest = find_files(ModelConfig(str(tiny_bert))).identity["weights"]
    right = find_files(ModelConfig(str(tiny_bert), sha256=digest))
    assert load_model(right, device=torch.device("cpu")).max_length == 64
    wrong = find_files(ModelConfig(str(tiny_bert), sha256="0" * 64))
    with pytest.raises(ProbingError, match=f"sha256 is {digest}, not the expected 0000"):
        load_model(wrong, device=torch.device("cpu"))


def test_untrained_twins_are_seeded_and_leave_the_random_state_alone(tiny_bert: Path) -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    first, again, other = (load(tiny_bert, pretrained=False, seed=seed).model for seed in (0, 0, 1))
    assert torch.equal(torch.rand(3), expected)
    name = "encoder.layer.1.output.dense.weight"
    assert torch.equal(first.state_dict()[name], again.state_dict()[name])
    assert not torch.equal(first.state_dict()[name], other.state_dict()[name])


def test_the_untrained_twin_needs_no_weights(tiny_bert: Path, tmp_path: Path) -> None:
    bare = copy(tiny_bert, tmp_path / "bare")
    (bare / "model.safetensors").unlink()
    assert load(bare, pretrained=False).max_length == 64
    with pytest.raises(ProbingError, match=r"no model\.safetensors"):
        load(bare)


def test_pickled_weights_are_not_read(tiny_bert: Path, tmp_path: Path) -> None:
    pickled = copy(tiny_bert, tmp_path / "pickled")
    (pickled / "model.safetensors").unlink()
    torch.save({}, pickled / "pytorch_model.bin")
    with pytest.raises(ProbingError, match="weights in other formats are not read"):
        load(pickled)


def test_weights_that_would_stay_random_are_refused(tiny_bert: Path, tmp_path: Path) -> None:
    holey = copy(tiny_bert, tmp_path / "holey")
    weights = load_file(holey / "model.safetensors")
    del weights["encoder.layer.2.attention.output.dense.weight"]
    save_file(weights, holey / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ProbingError, match=r"lack encoder\.layer\.2\.attention\.output\.dense\.weight"):
        load(holey)


def test_weights_in_several_files_are_one_model(tiny_bert: Path, tmp_path: Path) -> None:
    model = AutoModel.from_pretrained(tiny_bert)
    split = copy(tiny_bert, tmp_path / "split")
    (split / "model.safetensors").unlink()
    model.save_pretrained(split, max_shard_size="20KB")
    files = find_files(ModelConfig(str(split)))
    assert len(files.weights) > 1
    loaded = load(split).model.state_dict()
    assert all(torch.equal(value, loaded[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("./nowhere", "model folder nowhere does not exist"),
        ("package:no_such_package/model", r"not installed; install it with: pip install"),
        ("no-org/no-model", "not a local folder, not in the Hub's cache"),
        ("a/b/c/d", "a/b/c/d: not a local folder"),
    ],
)
def test_a_model_that_is_nowhere(name: str, message: str) -> None:
    with pytest.raises(ProbingError, match=message) as caught:
        find_files(ModelConfig(name))
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ProbingError, match=r"no config\.json"):
        find_files(ModelConfig(str(tmp_path)))
    (tmp_path / "config.json").write_text('{"model_type": "no-such-type"}')
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ProbingError, match="no tokenizer"):
        find_files(ModelConfig(str(tmp_path)))
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ProbingError, match="cannot be read as safetensors"):
        load(tmp_path)


def test_default_pooling_follows_the_family(tiny_bert: Path, tiny_gpt2: Path) -> None:
    assert default_pooling(find_files(ModelConfig(str(tiny_bert)))) == "first"
    assert default_pooling(find_files(ModelConfig(str(tiny_gpt2)))) == "last"


def test_positions_up_to_the_padding_index_are_not_counted(tiny_bert: Path, tmp_path: Path) -> None:
    folder = copy(tiny_bert, tmp_path / "roberta")
    config = RobertaConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=34, pad_token_id=1,
    )  # fmt: skip
    RobertaModel(config).save_pretrained(folder)
    assert load(folder).max_length == 32


def test_of_an_encoder_decoder_model_the_encoder_is_read(tiny_bert: Path, tmp_path: Path) -> None:
    folder = copy(tiny_bert, tmp_path / "t5")
    T5Model(T5Config(vocab_size=50, d_model=16, d_kv=8, d_ff=16, num_layers=2, num_heads=2)).save_pretrained(
        folder
    )
    assert type(load(folder).model).__name__ == "T5Stack"
