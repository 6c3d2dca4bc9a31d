"""A model's identity changes with every file that the library reads, and with no other."""

from __future__ import annotations

import ast
import json
import shutil
from fnmatch import fnmatch
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoModel

from probing.errors import ProbingError
from probing.models.digests import TOKENIZER
from probing.models.loading import load_model
from probing.models.model_choice import ModelConfig
from probing.models.model_files import find_files
from tests.tiny import make_bert

pytestmark = pytest.mark.slow


def identity(folder: Path, *, code: bool = False) -> dict[str, str]:
    return find_files(ModelConfig(str(folder), trust_remote_code=code)).identity


def write(folder: Path, name: str, content: object) -> None:
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_bert(tmp_path / "model")


def _vocabulary_names() -> set[str]:
    """The files that the library's tokenizers read, from the tables in their sources."""
    found: set[str] = set()
    root = Path(transformers.__file__).parent
    for path in [*root.glob("models/*/tokenization_*.py"), root / "tokenization_utils_base.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [target.id for target in getattr(node, "targets", ()) if isinstance(target, ast.Name)]
            table = getattr(node, "value", None)
            if any("VOCAB_FILES" in name for name in names) and isinstance(table, ast.Dict):
                found |= {
                    str(item.value) for item in table.values if isinstance(item, ast.Constant) and item.value
                }
    return found


def test_the_files_of_every_tokenizer_of_the_library_are_digested() -> None:
    names = _vocabulary_names()
    assert {"vocab.txt", "merges.txt", "spiece.model", "tokenizer.json"} <= names
    more = {"special_tokens_map.json", "added_tokens.json", "tokenizer_config.json", "tekken.json"}
    lost = sorted(name for name in names | more if not any(fnmatch(name, pattern) for pattern in TOKENIZER))
    assert lost == []


@pytest.mark.parametrize(
    "name",
    ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.txt",
     "vocab.json", "merges.txt", "spiece.model", "sentencepiece.bpe.model", "qwen.tiktoken", "tekken.json",
     "emoji.json", "byte_maps.json", "word_shape.json", "entity_vocab.json", "source.spm", "bpe.codes",
     "config.json"],
)  # fmt: skip
def test_a_changed_file_is_another_identity(name: str, model: Path) -> None:
    before = identity(model)
    content = json.loads((model / name).read_text()) if (model / name).is_file() else {}
    write(model, name, content | {"something": "else"})
    assert identity(model) != before


@pytest.mark.parametrize(
    "name",
    ["README.md", "trainer_state.json", "training_args.bin", "optimizer.pt", "chat_template.jinja",
     "generation_config.json", "pytorch_model.bin", "classifier.safetensors", "model.py"],
)  # fmt: skip
def test_a_file_that_is_not_read_changes_nothing(name: str, model: Path) -> None:
    before = identity(model)
    write(model, name, "something else")
    assert identity(model) == before


def test_weights_are_those_that_the_library_prefers(model: Path, tmp_path: Path) -> None:
    split = Path(shutil.copytree(model, tmp_path / "split"))
    (split / "model.safetensors").unlink()
    AutoModel.from_pretrained(model).save_pretrained(split, max_shard_size="20KB")
    shards = sorted(split.glob("model-*.safetensors"))
    assert len(shards) > 1
    index = json.loads((split / "model.safetensors.index.json").read_text())
    write(split, "model.safetensors.index.json", index)
    before = identity(split)
    names = iter(sorted(index["weight_map"]))
    moved = {**index["weight_map"], next(names): shards[-1].name}
    write(split, "model.safetensors.index.json", index | {"weight_map": moved})
    assert identity(split) != before
    write(split, "model.safetensors.index.json", index)
    assert identity(split) == before
    shutil.copy(shards[0], split / "model-00001-of-00099.safetensors")  # of an earlier save
    assert identity(split) == before
    renamed = {name: file.replace("model-", "part-") for name, file in index["weight_map"].items()}
    for shard in shards:
        shard.rename(split / shard.name.replace("model-", "part-"))
    write(split, "model.safetensors.index.json", index | {"weight_map": renamed})
    weights = load_model(find_files(ModelConfig(str(split))), device=torch.device("cpu")).model.state_dict()
    own = AutoModel.from_pretrained(model).state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in own.items())
    some = identity(split)
    part = next(split.glob("part-*"))
    tensors = load_file(part)
    save_file({name: value + 1 for name, value in tensors.items()}, part, metadata={"format": "pt"})
    assert identity(split) != some
    part.unlink()
    with pytest.raises(ProbingError, match=r"part-.*: is missing, although .* names it"):
        identity(split)


def test_stale_shards_next_to_whole_weights_are_not_read(model: Path) -> None:
    before = identity(model)
    (model / "model-00001-of-00002.safetensors").write_bytes(b"of an earlier save")
    assert identity(model) == before


def test_weights_that_the_configuration_names_are_those_that_are_read(model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    (model / "other.safetensors").write_bytes((model / "model.safetensors").read_bytes())
    write(model, "config.json", config | {"transformers_weights": "other.safetensors"})
    before = identity(model)
    tensors = load_file(model / "other.safetensors")
    save_file(
        {name: 2 * value for name, value in tensors.items()},
        model / "other.safetensors",
        metadata={"format": "pt"},
    )
    assert identity(model) != before
    found = load_model(find_files(ModelConfig(str(model))), device=torch.device("cpu")).model.state_dict()
    assert torch.equal(
        found["embeddings.word_embeddings.weight"], 2 * tensors["embeddings.word_embeddings.weight"]
    )


def test_the_configuration_for_this_version_of_the_library_counts(model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    write(model, "config.json", config | {"configuration_files": ["config.4.0.0.json"]})
    write(model, "config.4.0.0.json", config | {"hidden_act": "relu"})
    files = find_files(ModelConfig(str(model)))
    assert files.settings["hidden_act"] == "relu"
    assert load_model(files, device=torch.device("cpu")).model.config.hidden_act == "relu"
    before = files.identity
    write(model, "config.4.0.0.json", config | {"hidden_act": "silu"})
    assert identity(model) != before


def test_architectures_count_because_some_families_choose_their_class_by_them(model: Path) -> None:
    before = identity(model)
    config = json.loads((model / "config.json").read_text())
    write(model, "config.json", config | {"architectures": ["Other"]})
    assert identity(model) != before


def test_trusted_code_counts_wherever_it_lies(model: Path, tmp_path: Path) -> None:
    other = make_bert(tmp_path / "other")
    config = json.loads((model / "config.json").read_text())
    write(model, "config.json", config | {"auto_map": {"AutoModel": f"{other}--modeling.Mine"}})
    found = [identity(model, code=True)]
    for folder, name in ((model, "modeling.py"), (model, "inner/part.py"), (other, "modeling.py")):
        (folder / name).parent.mkdir(exist_ok=True)
        write(folder, name, "A = 1")
        found.append(identity(model, code=True))
    assert len({each["code"] for each in found}) == 4


CODE = """
from transformers import BertConfig, BertModel
class MineConfig(BertConfig):
    model_type = "mine"
class Mine(BertModel):
    config_class = MineConfig
"""


def test_code_that_is_not_trusted_is_named_with_its_option(model: Path) -> None:
    config = json.loads((model / "config.json").read_text()) | {"model_type": "mine"}
    config["auto_map"] = {"AutoConfig": "mine.MineConfig", "AutoModel": "mine.Mine"}
    write(model, "config.json", config)
    write(model, "mine.py", CODE)
    with pytest.raises(ProbingError, match=r"model\.trust_remote_code=true") as caught:
        find_files(ModelConfig(str(model)))
    assert "\n" not in str(caught.value)
    trusted = find_files(ModelConfig(str(model), trust_remote_code=True))
    assert type(load_model(trusted, device=torch.device("cpu")).model).__name__ == "Mine"
