"""Folders without a model, or without a model of text: one line, exit code 2, nothing is written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoModel

from probing.cli import main as cli
from probing.errors import ProbingError
from probing.models.broken import library_loads
from probing.models.loading import load_model
from probing.models.model_choice import ModelConfig
from probing.models.model_files import find_files
from probing.models.pruned import load_pruned
from probing.models.saving import save_pruned
from tests import tiny

pytestmark = pytest.mark.slow

WORDS = "embeddings.word_embeddings.weight"
DENSE = "encoder.layer.1.output.dense.weight"
Damage = Callable[[Path], object]


def _set(**values: object) -> Damage:
    """Other values in config.json."""
    return lambda folder: _edit(folder / "config.json", lambda settings: settings.update(values))


def _without(*keys: str) -> Damage:
    return lambda folder: _edit(folder / "config.json", lambda settings: [settings.pop(key) for key in keys])


def _tokenizer(**values: object) -> Damage:
    return lambda folder: _edit(folder / "tokenizer_config.json", lambda settings: settings.update(values))


def _words(change: Callable[[dict[str, int]], object]) -> Damage:
    return lambda folder: _edit(folder / "tokenizer.json", lambda found: change(found["model"]["vocab"]))


def _edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found))


def _write(name: str, content: bytes) -> Damage:
    return lambda folder: (folder / name).write_bytes(content)


def _remove(*names: str) -> Damage:
    def damage(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return damage


def _cut(name: str, start: int, stop: int) -> Damage:
    def damage(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[start:stop])

    return damage


def _weights(**changes: Callable[[Tensor], Tensor]) -> Damage:
    names = {"words": WORDS, "dense": DENSE}

    def damage(folder: Path) -> None:
        weights = load_file(folder / "model.safetensors")
        for key, change in changes.items():
            weights[names[key]] = change(weights[names[key]]).contiguous()
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})

    return damage


def _prefixed(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    save_file({f"other.{name}": tensor for name, tensor in weights.items()}, folder / "model.safetensors")


def _emptied(folder: Path) -> None:
    save_file({}, folder / "model.safetensors", metadata={"format": "pt"})


def _in_parts(then: Damage) -> Damage:
    def damage(folder: Path) -> None:
        model = AutoModel.from_pretrained(folder)
        (folder / "model.safetensors").unlink()
        model.save_pretrained(folder, max_shard_size="20KB")
        then(folder)

    return damage


def _both(*several: Damage) -> Damage:
    return lambda folder: [damage(folder) for damage in several]


INDEX = "model.safetensors.index.json"
PART = "model-00002-of-00006.safetensors"
BERT: Mapping[str, tuple[Damage, str]] = {
    "no heads": (_set(num_attention_heads=0), "config.json: num_attention_heads is 0"),
    "heads in words": (_set(num_attention_heads="two"), "config.json: num_attention_heads: expected int"),
    "negative heads": (_set(num_attention_heads=-4), "config.json: num_attention_heads is -4"),
    "a fraction of a head": (_set(num_attention_heads=2.5), "config.json: num_attention_heads: expected"),
    "null heads": (_set(num_attention_heads=None), "config.json: num_attention_heads: expected int"),
    "a list of heads": (_set(num_attention_heads=[4]), "config.json: num_attention_heads: expected int"),
    "heads that do not divide": (
        _set(num_attention_heads=5), "config.json: does not describe a model: The hidden",
    ),
    "no features": (_set(hidden_size=0), "config.json: hidden_size is 0"),
    "negative features": (_set(hidden_size=-32), "config.json: hidden_size is -32"),
    "features in words": (_set(hidden_size="wide"), "config.json: hidden_size: expected int, got str"),
    "features that are NaN": (_set(hidden_size=float("nan")), "config.json: hidden_size: expected int"),
    "too many features": (_set(hidden_size=64), "LayerNorm.bias has shape (32,) in the weights, but config"),
    "features beyond all memory": (_set(hidden_size=4 * 10**11), "config.json: does not describe a model"),
    "no layers": (_set(num_hidden_layers=0), "config.json: num_hidden_layers is 0"),
    "layers in words": (_set(num_hidden_layers="3"), "config.json: num_hidden_layers: expected int"),
    "too many layers": (_set(num_hidden_layers=5), "its weights lack encoder.layer.3.attention.output"),
    "another width": (_set(intermediate_size=64), "intermediate.dense.bias has shape (48,) in the weights"),
    "no words": (_set(vocab_size=0), "config.json: vocab_size is 0"),
    "fewer words": (
        _set(vocab_size=10), f"{WORDS} has shape (39, 32) in the weights, but config.json requires",
    ),
    "fewer positions": (_set(max_position_embeddings=4), "position_embeddings.weight has shape (64, 32)"),
    "positions in words": (_set(max_position_embeddings="many"), "config.json: max_position_embeddings: exp"),
    "an unknown activation": (
        _set(hidden_act="foo"), "hidden_act is 'foo', which transformers does not know",
    ),
    "a null activation": (_set(hidden_act=None), "config.json: hidden_act: expected str"),
    "dropout in words": (_set(hidden_dropout_prob="x"), "config.json: hidden_dropout_prob: 'x' doesn't"),
    "dropout above 1": (
        _set(hidden_dropout_prob=2.0), "config.json: does not describe a model: dropout prob",
    ),
    "an unknown type": (
        _set(model_type="nosuch"), "config.json: does not describe a model: The checkpoint you",
    ),
    "a list of types": (_set(model_type=["bert"]), "config.json: does not describe a model"),
    "another family's type": (_set(model_type="gpt2"), "its weights lack h.0."),
    "an unknown dtype": (_set(dtype="float99"), "config.json: dtype is 'float99', which transformers"),
    "an unknown implementation": (_set(_attn_implementation="foo"), 'attn_implementation="foo"'),
    "padding beyond the words": (_set(pad_token_id=900), "config.json: pad_token_id is 900, but the model"),
    "padding in words": (_set(pad_token_id="PAD"), "config.json: pad_token_id: 'PAD' doesn't match"),
    "a flag in words": (_set(is_decoder="x"), "config.json: is_decoder: expected bool"),
    "an unknown quantisation": (
        _set(quantization_config={"quant_method": "gptq", "bits": 4}), "cannot be loaded: Loading a GPTQ"
    ),
    "no configuration": (_remove("config.json"), "no config.json"),
    "an empty configuration": (_write("config.json", b""), "config.json: cannot be read as JSON"),
    "an object without keys": (_write("config.json", b"{}"), "config.json: does not describe a model"),
    "a list of settings": (_write("config.json", b"[]"), "config.json: is not a JSON object"),
    "bytes for a configuration": (_write("config.json", b"\xff\xfe\x00"), "config.json: cannot be read"),
    "a type and no sizes": (_write("config.json", b'{"model_type": "bert"}'), "config.json requires (768,)"),
    "no weights": (_remove("model.safetensors"), "no model.safetensors"),
    "empty weights": (_write("model.safetensors", b""), "model.safetensors: cannot be read as safetensors"),
    "weights cut short": (_cut("model.safetensors", 0, -10), "model.safetensors: cannot be read as safet"),
    "a header cut short": (_cut("model.safetensors", 0, 20), "model.safetensors: cannot be read as safet"),
    "other bytes": (_write("model.safetensors", b"garbage" * 99), "model.safetensors: cannot be read as"),
    "a pointer": (
        _write("model.safetensors", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
        "model.safetensors: is only a Git LFS pointer; fetch the file with: git lfs pull",
    ),
    "no tensors": (_emptied, "its weights lack embeddings.LayerNorm.bias"),
    "other names": (_prefixed, "its weights lack embeddings.LayerNorm.bias"),
    "whole numbers": (_weights(words=Tensor.long), f"model.safetensors: {WORDS} is stored as I64"),
    "truth values": (_weights(dense=Tensor.bool), f"model.safetensors: {DENSE} is stored as BOOL"),
    "another shape": (_weights(dense=lambda t: t[:, 1:]), f"{DENSE} has shape (32, 47) in the weights"),
    "a flat tensor": (_weights(dense=torch.flatten), f"{DENSE} has shape (1536,) in the weights, but config"),
    "weights that are NaN": (_weights(dense=lambda t: t * float("nan")), "layer 2 head 0: the vector of"),
    "infinite weights": (_weights(dense=lambda t: t * float("inf")), "weights or its config.json are dam"),
    "fewer rows than words": (
        _both(_weights(words=lambda t: t[:10]), _set(vocab_size=10)),
        "word_embeddings has 10 rows, but the token '.' has id 38",
    ),
    "a part that is missing": (_in_parts(_remove(PART)), f"{PART}: is missing, although {INDEX} names it"),
    "a part cut short": (_in_parts(_cut(PART, 0, -9)), f"{PART}: cannot be read as safetensors"),
    "parts without an index": (_in_parts(_remove(INDEX)), f"{INDEX}: is missing"),
    "a broken index": (_in_parts(_write(INDEX, b"{")), f"{INDEX}: cannot be read as a weight index"),
    "a list for an index": (_in_parts(_write(INDEX, b"[]")), f"{INDEX}: cannot be read as a weight index"),
    "no tokenizer": (_remove("tokenizer.json", "tokenizer_config.json"), "has no tokenizer"),
    "half a tokenizer": (_remove("tokenizer.json"), "no tokenizer can be built from tokenizer_config.json"),
    "a broken tokenizer": (_write("tokenizer.json", b"{"), "tokenizer.json: cannot be read as JSON"),
    "an empty tokenizer": (_write("tokenizer.json", b"{}"), "no tokenizer can be built from tokenizer.json"),
    "a list for a tokenizer": (_write("tokenizer.json", b"[]"), "tokenizer.json: is not a JSON object"),
    "bytes for a tokenizer": (_write("tokenizer.json", b"\xff"), "tokenizer.json: cannot be read as JSON"),
    "broken settings": (_write("tokenizer_config.json", b"{"), "tokenizer_config.json: cannot be read"),
    "a list of settings of it": (
        _write("tokenizer_config.json", b"[]"), "tokenizer_config.json: is not a JSON object",
    ),
    "broken special tokens": (_write("special_tokens_map.json", b"{"), "special_tokens_map.json: cannot be"),
    "a length in words": (_tokenizer(model_max_length="long"), "model_max_length is 'long', but must be"),
    "a length of none": (_tokenizer(model_max_length=0), "model_max_length is 0, but must be"),
    "a negative length": (_tokenizer(model_max_length=-1), "model_max_length is -1, but must be"),
    "a class that is a number": (_tokenizer(tokenizer_class=3), "no tokenizer can be built from"),
    "no unknown word": (_words(lambda words: words.pop("[UNK]")), "its tokenizer cannot read texts such as"),
    "words beyond the rows": (_words(lambda words: words.update({".": 1038})), "token '.' has id 1038"),
}  # fmt: skip
OTHERS: Mapping[str, tuple[Callable[[Path], Path], Damage, list[str], str]] = {
    "GPT-2 without heads": (tiny.make_gpt2, _set(n_head=0), [], "config.json: n_head is 0"),
    "GPT-2 with heads in words": (tiny.make_gpt2, _set(n_head="two"), [], "n_head: expected int"),
    "GPT-2 with an activation": (tiny.make_gpt2, _set(activation_function="foo"), [], "activation_function"),
    "GPT-2 with 5 heads": (
        tiny.make_gpt2, _set(n_head=5), [], "config.json: does not describe a model: `emb",
    ),
    "Llama with 3 key heads": (
        tiny.make_llama, _set(num_key_value_heads=3), [], "k_proj.weight has shape (16, 32) in the weights"
    ),
    "Llama without key heads": (tiny.make_llama, _set(num_key_value_heads=0), [], "num_key_value_heads is 0"),
    "Llama with heads of nothing": (tiny.make_llama, _set(head_dim=0), [], "config.json: head_dim is 0"),
    "Llama of unknown positions": (
        tiny.make_llama, _set(rope_parameters={"rope_type": "nosuch"}), [],
        "config.json: rope_parameters.rope_type is 'nosuch'",
    ),
    "Llama padded by no token": (
        tiny.make_llama, _set(pad_token_id=99999), [], "config.json: pad_token_id is 99999, but the model has"
    ),
    "an untrained Llama padded by no token": (
        tiny.make_llama, _set(pad_token_id=99999), ["model.pretrained=false"], "pad_token_id is 99999"
    ),
    "T5 without heads": (tiny.make_t5, _set(num_heads=0), [], "config.json: num_heads is 0"),
    "BART without heads": (
        tiny.make_bart, _set(decoder_attention_heads=0), ["analysis=importance", "objective=lm"],
        "decoder_attention_heads is 0",
    ),
    "Mamba": (tiny.make_mamba, lambda _: None, [], "has no attention heads"),
    "an untrained BERT": (
        tiny.make_bert, _set(hidden_act="foo"), ["model.pretrained=false"], "hidden_act is 'foo'"
    ),
    "an untrained BERT of words": (
        tiny.make_bert, _set(vocab_size=10), ["model.pretrained=false"], "the token '.' has id 38"
    ),
    "a revision": (tiny.make_bert, lambda _: None, ["model.revision=x"], "is local and has no revisions"),
    "a digest": (tiny.make_bert, lambda _: None, ["model.sha256=abc"], "not the expected abc"),
    "entropy of fewer rows": (
        tiny.make_bert, _words(lambda words: words.update({".": 1038})), ["analysis=entropy"],
        "the token '.' has id 1038",
    ),
    "importance of fewer rows": (
        tiny.make_masked, _words(lambda words: words.update({".": 1038})),
        ["analysis=importance", "objective=lm"], "the token '.' has id 1038",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty sentences; reading it takes no time."""
    path = tmp_path_factory.mktemp("table") / "sentences.csv"
    rows = [
        f"the {word} sees {i % 7} dogs .,{'odd' if i % 2 else 'even'}" for i, word in enumerate(tiny.WORDS)
    ]
    path.write_text("\n".join(["text,label", *rows, *rows]) + "\n")
    return path


def _complaint(capsys: pytest.CaptureFixture[str], table: Path, folder: Path, root: Path, *more: str) -> str:
    """The one line of a run that fails as it should."""
    code = cli.main(
        [f"paths.root={root}", "model=hf", f"model.name={folder}", "task=table", f"task.path={table}",
         "task.text=text", "task.label=label", "extract.threads=1", *more]
    )  # fmt: skip
    said = capsys.readouterr().err.splitlines()
    complaints = [number for number, line in enumerate(said) if line.startswith("probing: ")]
    assert code == cli.MISTAKE
    assert complaints == [len(said) - 1]
    assert not any("Traceback" in line for line in said)
    assert not [path for path in root.rglob("*") if path.is_file() and path.suffix != ".lock"]
    return said[-1]


@pytest.mark.parametrize("case", BERT)
def test_a_broken_folder_is_one_line(
    case: str, tiny_bert: Path, table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage, said = BERT[case]
    folder = Path(shutil.copytree(tiny_bert, tmp_path / "model"))
    damage(folder)
    assert said in _complaint(capsys, table, folder, tmp_path / "out")


@pytest.mark.parametrize("case", OTHERS)
def test_a_broken_folder_of_another_family_is_one_line(
    case: str, table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make, damage, more, said = OTHERS[case]
    folder = make(tmp_path / "model")
    damage(folder)
    assert said in _complaint(capsys, table, folder, tmp_path / "out", *more)


def test_the_line_names_the_choices_of_an_activation(
    tiny_bert: Path, table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(tiny_bert, tmp_path / "model"))
    _set(hidden_act="foo")(folder)
    said = _complaint(capsys, table, folder, tmp_path / "out")
    assert {"gelu", "relu", "silu"} <= set(said.partition("one of ")[2].split(", "))
    assert str(folder / "config.json") in said


def test_errors_of_our_own_lines_stay_errors(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from probing.models import loading as load

    def wrong(*_: object, **__: object) -> None:
        raise TypeError("ours")

    def elsewhere(*_: object, **__: object) -> None:
        json.loads("{")

    files = find_files(ModelConfig(str(tiny_bert)))
    wrong.__code__ = wrong.__code__.replace(co_filename=load.__file__)
    monkeypatch.setattr(load, "_pretrained", wrong)
    with pytest.raises(TypeError, match="ours"):
        load_model(files, device=torch.device("cpu"))
    with pytest.raises(ProbingError, match="cannot be loaded"), library_loads(files, "weights"):
        elsewhere()


def test_layers_that_are_not_counted_are_named(
    tiny_bert: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = Path(shutil.copytree(tiny_bert, tmp_path / "model"))
    load_model(find_files(ModelConfig(str(folder))), device=torch.device("cpu"))
    assert not caplog.records
    _set(num_hidden_layers=2)(folder)
    load_model(find_files(ModelConfig(str(folder))), device=torch.device("cpu"))
    assert "more layers than config.json states: encoder.layer.2." in caplog.text


def test_a_pruned_model_of_another_shape_names_the_tensor(tiny_bert: Path, tmp_path: Path) -> None:
    from probing.models.removal import prune_heads

    model = AutoModel.from_pretrained(tiny_bert)
    save_pruned(model, tmp_path / "pruned", prune_heads(model, {0: [1]}))
    _set(vocab_size=10)(tmp_path / "pruned")
    with pytest.raises(ProbingError, match=r"word_embeddings\.weight has shape \(39, 32\) in the weights"):
        load_pruned(tmp_path / "pruned")
