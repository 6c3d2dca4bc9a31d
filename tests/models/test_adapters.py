"""Adapters are read as peft reads them, are part of a model's identity, and leave a model like any other."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

import probing
from probing.cli import main as cli
from probing.errors import ProbingError
from probing.models.capture import capture
from probing.models.checkpoints import matching_models
from probing.models.loading import LoadedModel, Purpose, load_model
from probing.models.masking import mask_heads
from probing.models.model_choice import ModelConfig
from probing.models.model_files import find_files
from probing.models.trace import find_sites
from tests import tiny

pytestmark = pytest.mark.slow

peft = pytest.importorskip("peft")
CPU = torch.device("cpu")
TEXTS = ["the old farmer sees a dog .", "a tall horse walks slowly by the river"]
SMALL = ["task=grammar/tense", "task.n_train=40", "task.n_dev=20", "task.n_test=20", "probe.l2=[1e-2]"]
MAKE: dict[str, Callable[[Path], Path]] = {
    "bert": tiny.make_bert, "gpt2": tiny.make_gpt2, "llama": tiny.make_llama, "bart": tiny.make_bart
}  # fmt: skip
QUERIES = {
    "bert": ["query", "value"], "gpt2": ["c_attn"], "llama": ["q_proj", "v_proj"],
    "bart": ["q_proj", "v_proj"],
}  # fmt: skip
OUTPUTS = {
    "bert": "attention.output.dense",
    "gpt2": "attn.c_proj",
    "llama": "o_proj",
    "bart": "self_attn.out_proj",
}


def add(
    base: Path,
    folder: Path,
    targets: list[str],
    kind: object = AutoModel,
    *,
    alone: bool = True,
    **more: object,
) -> Path:
    """Save a LoRA adapter of large random weights on a model, alone or with a copy of the model."""
    model = cast("Any", kind).from_pretrained(base)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        config = peft.LoraConfig(r=4, lora_alpha=32, target_modules=targets, init_lora_weights=False, **more)
        adapted = peft.get_peft_model(model, config)
        for name, parameter in adapted.named_parameters():
            if "modules_to_save" in name:
                parameter.data.normal_(0, 0.5)
    if not alone:
        shutil.copytree(base, folder)
    adapted.save_pretrained(folder)
    return folder


def load(folder: Path, purpose: Purpose = "read") -> LoadedModel:
    """A model in double precision, so that tolerances are of the adapter's arithmetic alone."""
    return load_model(find_files(ModelConfig(str(folder))), device=CPU, dtype=torch.float64, purpose=purpose)


def in_peft(model: nn.Module, folder: Path) -> Any:  # noqa: ANN401
    """The same model as peft reads it."""
    return peft.PeftModel.from_pretrained(model, folder).double().eval()


def inputs(folder: Path) -> dict[str, Tensor]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    rows = [tokenizer(text)["input_ids"][:6] for text in TEXTS]
    return {"input_ids": torch.tensor(rows)}


def heads_of(loaded: LoadedModel, given: dict[str, Tensor]) -> list[Tensor]:
    found: list[Tensor] = []
    with (
        torch.no_grad(),
        capture(loaded.model, find_sites(loaded.model).heads, lambda _, x: found.append(x.clone())) as run,
    ):
        run(**given)
    return found


def projected(model: nn.Module, name: str, given: dict[str, Tensor]) -> list[Tensor]:
    """The inputs of the output projections of a model, in order."""
    found: list[Tensor] = []
    handles = [
        module.register_forward_pre_hook(lambda _, args: found.append(args[0].clone()))
        for path, module in model.named_modules()
        if path.endswith(name)
    ]
    with torch.no_grad():
        model(**given)
    for handle in handles:
        handle.remove()
    return found


@pytest.mark.parametrize("where", ["queries", "outputs", "both"])
@pytest.mark.parametrize("family", MAKE)
def test_captured_heads_are_those_of_the_model_in_peft(family: str, where: str, tmp_path: Path) -> None:
    base = MAKE[family](tmp_path / "base")
    targets = {"queries": QUERIES[family], "outputs": [OUTPUTS[family]]}
    chosen = targets.get(where, [*QUERIES[family], OUTPUTS[family]])
    folder = add(base, tmp_path / "adapter", chosen)
    given = inputs(base)
    model = in_peft(AutoModel.from_pretrained(base), folder).base_model.model
    plain = AutoModel.from_pretrained(base).double().eval()
    if family == "bart":
        model, plain = model.get_encoder(), plain.get_encoder()
    expected, bare = (projected(each, OUTPUTS[family], given) for each in (model, plain))
    found = heads_of(load(folder), given)
    assert len(found) == len(expected) >= 2
    for mine, reference in zip(found, expected, strict=True):
        torch.testing.assert_close(mine.flatten(2), reference, rtol=1e-6, atol=1e-6)
    assert max(float((one - other).abs().max()) for one, other in zip(expected, bare, strict=True)) > 1e-2


def test_an_adapter_next_to_its_base_is_another_model_with_another_name(tmp_path: Path) -> None:
    base = tiny.make_bert(tmp_path / "base")
    both = add(base, tmp_path / "both", QUERIES["bert"], alone=False)
    alone = add(base, tmp_path / "alone", QUERIES["bert"])
    plain, adapted, apart = (find_files(ModelConfig(str(folder))) for folder in (base, both, alone))
    assert plain.identity == {name: adapted.identity[name] for name in plain.identity}
    assert adapted.identity != plain.identity
    assert apart.identity == adapted.identity
    assert (plain.title, adapted.title, apart.title) == ("base", "both+lora", "alone+lora")
    assert find_files(ModelConfig(str(both), label="mine")).title == "mine"
    given = inputs(base)
    mine, other, bare = (heads_of(load(folder), given) for folder in (both, alone, base))
    for one, same, different in zip(mine, other, bare, strict=True):
        assert torch.equal(one, same)
        assert not torch.equal(one, different)


def test_any_change_to_an_adapter_is_another_identity(tmp_path: Path) -> None:
    base = tiny.make_bert(tmp_path / "base")
    folder = add(base, tmp_path / "adapter", QUERIES["bert"])
    before = find_files(ModelConfig(str(folder))).identity
    settings = json.loads((folder / "adapter_config.json").read_text())

    def changed(**values: object) -> dict[str, str]:
        (folder / "adapter_config.json").write_text(json.dumps(settings | values))
        return find_files(ModelConfig(str(folder))).identity

    assert changed(peft_version="0.0", inference_mode=False, base_model_name_or_path="../base") == before
    assert changed(lora_alpha=33) != before
    assert changed() == before
    weights = (folder / "adapter_model.safetensors").read_bytes()
    (folder / "adapter_model.safetensors").write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    assert find_files(ModelConfig(str(folder))).identity != before


def test_a_run_on_the_base_is_not_served_for_the_adapter(tmp_path: Path) -> None:
    base = tiny.make_bert(tmp_path / "base")
    both = add(base, tmp_path / "both", QUERIES["bert"], alone=False)
    root, fresh = (f"paths.root={tmp_path / name}" for name in ("out", "fresh"))
    first = probing.run([root, *SMALL, "model=hf", f"model.name={base}"])
    second = probing.run([root, *SMALL, "model=hf", f"model.name={both}"])
    alone = probing.run([fresh, *SMALL, "model=hf", f"model.name={both}"])
    assert second["key"].iloc[0] == alone["key"].iloc[0] != first["key"].iloc[0]
    np.testing.assert_array_equal(second["test"], alone["test"])
    assert set(second["model"]) == {"both+lora"}


@pytest.mark.parametrize("how", ["absolute", "next to it", "from here"])
def test_a_base_is_found_by_its_path(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = tiny.make_bert(tmp_path / "base")
    folder = add(base, tmp_path / "run" / "adapter", QUERIES["bert"])
    names = {"absolute": str(base), "next to it": "../../base", "from here": "base"}
    settings = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(
        json.dumps(settings | {"base_model_name_or_path": names[how]})
    )
    if how == "from here":
        monkeypatch.chdir(tmp_path)
    files = find_files(ModelConfig(str(folder)))
    assert files.folder.resolve() == base.resolve()
    assert files.tokenizer_folder == files.folder
    AutoTokenizer.from_pretrained(base).save_pretrained(folder)
    assert find_files(ModelConfig(str(folder))).tokenizer_folder == folder


def test_a_classifier_that_came_with_an_adapter_is_the_models(tmp_path: Path) -> None:
    base = tiny.make_bert(tmp_path / "base")

    class Three:
        @staticmethod
        def from_pretrained(path: Path) -> nn.Module:
            model: nn.Module = AutoModelForSequenceClassification.from_pretrained(path, num_labels=3)
            return model

    folder = add(base, tmp_path / "adapter", QUERIES["bert"], Three, task_type="SEQ_CLS")
    given = inputs(base)
    model = in_peft(Three.from_pretrained(base), folder)
    with torch.no_grad():
        expected = model(**given).logits
        found = load(folder, "classify").model(**given).logits
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
    body = projected(model.base_model.model.bert, OUTPUTS["bert"], given)
    for mine, reference in zip(heads_of(load(folder), given), body, strict=True):
        torch.testing.assert_close(mine.flatten(2), reference, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("make", [tiny.make_causal, tiny.make_llama])
def test_a_language_models_adapter_serves_its_losses_and_its_heads(
    make: Callable[[Path], Path], tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM

    base = make(tmp_path / "base")
    family = "llama" if make is tiny.make_llama else "gpt2"
    folder = add(base, tmp_path / "adapter", QUERIES[family], AutoModelForCausalLM, task_type="CAUSAL_LM")
    given = inputs(base)
    model = in_peft(AutoModelForCausalLM.from_pretrained(base), folder)
    with torch.no_grad():
        torch.testing.assert_close(
            load(folder, "lm").model(**given).logits, model(**given).logits, rtol=1e-6, atol=1e-6
        )
    expected = projected(model.base_model.model, OUTPUTS[family], given)
    for mine, reference in zip(heads_of(load(folder), given), expected, strict=True):
        torch.testing.assert_close(mine.flatten(2), reference, rtol=1e-6, atol=1e-6)
    headless = add(base, tmp_path / "headless", QUERIES[family])
    with torch.no_grad():
        logits = load(headless, "lm").model(**given).logits
    torch.testing.assert_close(logits, load(folder, "lm").model(**given).logits, rtol=1e-6, atol=1e-6)


def test_masked_and_pruned_heads_are_those_of_the_adapted_model(tmp_path: Path) -> None:
    base = tiny.make_bert(tmp_path / "base")
    folder = add(base, tmp_path / "adapter", [*QUERIES["bert"], OUTPUTS["bert"]])
    given = inputs(base)
    model = in_peft(AutoModel.from_pretrained(base), folder).base_model.model

    def silent(_: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        states = args[0].clone()
        states[..., 8:16] = 0  # head 1 of size 8
        return (states, *args[1:])

    model.encoder.layer[1].attention.output.dense.register_forward_pre_hook(silent)
    with torch.no_grad():
        expected = model(**given).last_hidden_state
        mine = load(folder).model
        with mask_heads(mine, [(1, 1)]):
            masked = mine(**given).last_hidden_state
        pruned = probing.prune_heads(mine, {1: [1]}, strict=True)
        smaller = mine(**given).last_hidden_state
        probing.save_pruned(mine, tmp_path / "small", pruned)
        again = probing.load_pruned(tmp_path / "small", dtype=torch.float64)(**given).last_hidden_state
    for found in (masked, smaller, again):
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)


def test_an_untrained_twin_needs_neither_adapter_nor_peft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tiny.make_bert(tmp_path / "base")
    folder = add(base, tmp_path / "adapter", QUERIES["bert"])
    _without_peft(monkeypatch)
    files = find_files(ModelConfig(str(folder), pretrained=False))
    assert files.title == "adapter-untrained-0"
    assert files.identity == find_files(ModelConfig(str(base), pretrained=False)).identity


def test_without_peft_the_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = add(tiny.make_bert(tmp_path / "base"), tmp_path / "both", QUERIES["bert"], alone=False)
    _without_peft(monkeypatch)
    capsys.readouterr()
    assert cli.main(["model=hf", f"model.name={folder}", f"paths.root={tmp_path / 'out'}", *SMALL]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.endswith("install it with: pip install 'transformer-probing[adapters]'")
    assert not (tmp_path / "out").exists()


def _without_peft(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "peft" else find(name, *rest)
    )


def test_adapters_that_were_saved_during_training_are_read_in_order(tmp_path: Path) -> None:
    base = tiny.make_bert(tmp_path / "base")
    for step in (20, 3):
        add(base, tmp_path / "run" / f"checkpoint-{step}", QUERIES["bert"])
    found = matching_models([f"{tmp_path}/run/checkpoint-*"])
    files = [find_files(ModelConfig(path)) for path in found]
    assert [each.title for each in files] == ["run@checkpoint-3+lora", "run@checkpoint-20+lora"]
    assert [each.config.step for each in files] == [3, 20]
    AutoTokenizer.from_pretrained(base).save_pretrained(tmp_path / "run")
    assert find_files(ModelConfig(found[0])).tokenizer_folder == tmp_path / "run"


def test_of_several_adapters_the_log_says_which_is_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    base = tiny.make_bert(tmp_path / "base")
    folder = add(base, tmp_path / "adapter", QUERIES["bert"])
    add(base, folder / "second", QUERIES["bert"])
    with caplog.at_level("INFO"):
        load(folder)
    assert "merged into the weights; further adapters in second are not read" in caplog.text


def _prompts(base: Path, folder: Path) -> None:
    model = AutoModel.from_pretrained(base)
    config = peft.PromptTuningConfig(num_virtual_tokens=2, task_type="FEATURE_EXTRACTION")
    peft.get_peft_model(model, config).save_pretrained(folder)


def _pickle(base: Path, folder: Path) -> None:
    add(base, folder, QUERIES["bert"])
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")


def _of_another(base: Path, folder: Path) -> None:
    add(tiny.make_llama(base.parent / "llama"), folder, QUERIES["llama"])
    settings = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(settings | {"base_model_name_or_path": str(base)}))


def _without_base(base: Path, folder: Path) -> None:
    add(base, folder, QUERIES["bert"])
    shutil.rmtree(base)


def _on_an_adapter(base: Path, folder: Path) -> None:
    add(base, folder, QUERIES["bert"])
    for path in folder.glob("adapter_*"):
        shutil.copy(path, base)


def _broken(base: Path, folder: Path) -> None:
    add(base, folder, QUERIES["bert"])
    (folder / "adapter_config.json").write_text("{")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_prompts, "changes the input, not the weights"),
        (_pickle, r"no adapter_model\.safetensors \(pickles are not read\)"),
        (_of_another, "it adapts .*q_proj.*, which BertModel does not have"),
        (_without_base, "its base model .* is not available"),
        (_on_an_adapter, "also has an adapter"),
        (_broken, "cannot be read as JSON"),
    ],
)
def test_an_adapter_that_cannot_be_read_is_refused(
    make: Callable[[Path, Path], None], message: str, tmp_path: Path
) -> None:
    make(tiny.make_bert(tmp_path / "base"), tmp_path / "adapter")
    with pytest.raises(ProbingError, match=message) as caught:
        load(tmp_path / "adapter")
    assert "\n" not in str(caught.value)


def test_the_random_state_is_left_alone(tmp_path: Path) -> None:
    folder = add(tiny.make_bert(tmp_path / "base"), tmp_path / "adapter", QUERIES["bert"])
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    load(folder)
    assert torch.equal(torch.rand(3), expected)


def test_an_adapter_of_a_quantised_model_is_refused(tmp_path: Path) -> None:
    """Merged, its weights would be rounded with those of the model, or packed numbers taken for weights."""
    base = tiny.make_llama(tmp_path / "base")
    folder = add(base, tmp_path / "adapter", QUERIES["llama"])
    path = base / "config.json"
    quantised = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"quantization_config": quantised}))
    with pytest.raises(ProbingError, match=r"cannot be merged into the quantised weights of .*base; use"):
        load_model(find_files(ModelConfig(str(folder))), device=CPU)
