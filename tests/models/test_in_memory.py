"""Models and tokenizers in memory: saved as they are or refused, found again by content, left unchanged."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    BertModel,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

import probing
from probing.errors import ProbingError
from probing.models.in_memory import label_of, save_in_memory
from probing.models.loading import Purpose, load_model
from probing.models.model_choice import ModelConfig
from probing.models.model_files import find_files
from tests.tiny import (
    make_bart,
    make_bert,
    make_causal,
    make_classifier,
    make_gpt2,
    make_llama,
    make_masked,
    make_t5,
)

pytestmark = pytest.mark.slow

FAMILIES: dict[str, tuple[Callable[[Path], Path], Any, Purpose]] = {
    "encoder": (make_bert, AutoModel, "read"),
    "masked": (make_masked, AutoModelForMaskedLM, "lm"),
    "other head": (make_masked, AutoModelForTokenClassification, "read"),
    "classifier": (make_classifier, AutoModelForSequenceClassification, "classify"),
    "decoder": (make_gpt2, AutoModel, "read"),
    "causal": (make_causal, AutoModelForCausalLM, "lm"),
    "llama": (make_llama, AutoModelForCausalLM, "lm"),
    "bart": (make_bart, AutoModelForSeq2SeqLM, "lm"),
    "encoder and decoder": (make_bart, AutoModel, "read"),
    "t5": (make_t5, AutoModelForSeq2SeqLM, "lm"),
}
CPU = torch.device("cpu")


def loaded(family: str, folder: Path, **options: Any) -> tuple[Any, Any]:  # noqa: ANN401
    make, kind, _ = FAMILIES[family]
    path = make(folder / f"{make.__name__}")
    return kind.from_pretrained(path, **options), AutoTokenizer.from_pretrained(path)


def state(model: PreTrainedModel) -> dict[str, Any]:
    """All that a user could notice about a model."""
    return {
        "weights": {name: weight.clone() for name, weight in model.state_dict().items()},
        "settings": copy.deepcopy(vars(model.config)),
        "generation": copy.deepcopy(vars(model.generation_config)) if model.can_generate() else None,
        "modes": [module.training for module in model.modules()],
        "learning": [weight.requires_grad for weight in model.parameters()],
        "gradients": [weight.grad for weight in model.parameters()],
        "hooks": [
            [len(hooks) for name, hooks in vars(module).items() if name.endswith("_hooks")]
            for module in model.modules()
        ],
        "types": [(weight.dtype, weight.device) for weight in model.parameters()],
        "random": torch.get_rng_state(),
    }


def assert_same(one: object, other: object) -> None:
    torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)


def same_state(before: dict[str, Any], after: dict[str, Any]) -> bool:
    for name in ("weights", "random"):
        assert_same(before[name], after[name])
    assert all(one is other for one, other in zip(before["gradients"], after["gradients"], strict=True))
    others = set(before) - {"weights", "random", "gradients"}
    return all(before[name] == after[name] for name in others)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_saved_is_the_model(tmp_path: Path, family: str, dtype: torch.dtype) -> None:
    model, tokenizer = loaded(family, tmp_path, dtype=dtype)
    model.train()
    model.get_input_embeddings().weight.grad = torch.ones_like(model.get_input_embeddings().weight)
    next(model.parameters()).requires_grad_(False)
    before = state(model)
    folder = save_in_memory(model, tokenizer, tmp_path / "given")
    assert same_state(before, state(model))
    files = find_files(ModelConfig(str(folder)))
    again = load_model(files, device=CPU, dtype=dtype, purpose=FAMILIES[family][2])
    known = {name.removeprefix(f"{model.base_model_prefix}."): w for name, w in model.state_dict().items()}
    for name, weight in again.model.state_dict().items():
        own = name.removeprefix(f"{model.base_model_prefix}.")
        own = own if own in known or f"encoder.{own}" not in known else f"encoder.{own}"
        if "pooler" not in own or own in known:
            assert_same(weight, known[own])
    assert again.tokenizer("the old dog")["input_ids"] == tokenizer("the old dog")["input_ids"]


def test_the_same_content_is_found_and_another_is_not(tmp_path: Path) -> None:
    model, tokenizer = loaded("masked", tmp_path)
    given = tmp_path / "given"
    first = save_in_memory(model, tokenizer, given)
    times = {path: path.stat().st_mtime_ns for path in first.iterdir()}
    tokenizer(["the dog", "a cat"], padding=True, truncation=True, max_length=3)  # changes tokenizer.json
    copied = copy.deepcopy(model).eval().requires_grad_(False)
    copied.config._name_or_path = "elsewhere"
    assert save_in_memory(copied, tokenizer, given) == first
    assert {path: path.stat().st_mtime_ns for path in first.iterdir()} == times
    identity = find_files(ModelConfig(str(first))).identity

    with torch.no_grad():
        copied.bert.encoder.layer[2].attention.output.dense.weight[3, 4] += 1e-6
    second = save_in_memory(copied, tokenizer, given)
    assert find_files(ModelConfig(str(second))).identity["weights"] != identity["weights"]
    tokenizer.add_tokens(["zebra"])
    third = save_in_memory(model, tokenizer, given)
    assert find_files(ModelConfig(str(third))).identity["tokenizer"] != identity["tokenizer"]
    model.config.layer_norm_eps = 1e-3
    for module in model.modules():
        if isinstance(module, nn.LayerNorm):
            module.eps = 1e-3
    assert len({first, second, third, save_in_memory(model, tokenizer, given)}) == 4
    assert len(list(given.iterdir())) == 4  # and nothing half-written


def test_a_damaged_folder_is_written_again(tmp_path: Path) -> None:
    model, tokenizer = loaded("encoder", tmp_path)
    folder = save_in_memory(model, tokenizer, tmp_path / "given")
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    assert save_in_memory(model, tokenizer, tmp_path / "given") == folder
    assert weights.read_bytes() == whole
    (folder / "config.json").unlink()
    assert save_in_memory(model, tokenizer, tmp_path / "given") == folder
    assert (folder / "config.json").is_file()


def test_a_pruned_model_keeps_its_cuts(tmp_path: Path) -> None:
    model, tokenizer = loaded("masked", tmp_path)
    whole = save_in_memory(model, tokenizer, tmp_path / "given")
    probing.prune_heads(model, {0: [1], 2: [0, 3]})
    folder = save_in_memory(model, tokenizer, tmp_path / "given")
    assert folder != whole
    assert [site.heads for site in probing.find_sites(probing.load_pruned(folder)).heads] == [3, 4, 2]


def test_the_name_of_a_model_is_that_of_its_folder_or_class(tmp_path: Path) -> None:
    model, _ = loaded("encoder", tmp_path)
    saved = Path("given/0123456789abcdef")
    assert label_of(model, saved) == "make_bert-012345"
    plain = copy.deepcopy(model.config)
    plain._name_or_path = ""
    assert label_of(BertModel(plain), saved) == "BertModel-012345"


def test_a_model_without_its_tokenizer_takes_that_of_its_folder(tmp_path: Path) -> None:
    model, tokenizer = loaded("encoder", tmp_path)
    given = tmp_path / "given"
    assert save_in_memory(model, None, given) == save_in_memory(model, tokenizer, given)
    model.name_or_path = str(tmp_path / "nowhere")
    with pytest.raises(ProbingError, match=r"no tokenizer in .*nowhere .* pass tokenizer=\.\.\. too"):
        save_in_memory(model, None, given)
    model.name_or_path = ""
    with pytest.raises(ProbingError, match=r"does not say where its tokenizer is; pass tokenizer="):
        save_in_memory(model, None, given)


class Same(BertModel):  # type: ignore[no-untyped-call]
    """A class of the user's own that computes the same."""


class Other(BertModel):  # type: ignore[no-untyped-call]
    """A class of the user's own that computes something else."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Return twice the hidden states."""
        found = super().forward(*args, **kwargs)
        found.last_hidden_state = found.last_hidden_state * 2
        return found


class Inside(PreTrainedModel):  # type: ignore[no-untyped-call]
    """A model of the user's own with a model of transformers in it."""

    _supports_sdpa = True

    def __init__(self, bert: BertModel) -> None:
        """Keep the model."""
        super().__init__(bert.config)
        self.bert = bert


def test_a_class_of_the_users_own_that_computes_the_same_is_taken(tmp_path: Path) -> None:
    model, tokenizer = loaded("encoder", tmp_path)
    own = Same.from_pretrained(model.name_or_path)
    given = tmp_path / "given"
    assert save_in_memory(own, tokenizer, given) == save_in_memory(model, tokenizer, given)


def hooked(model: Any) -> Any:  # noqa: ANN401
    dense = model.encoder.layer[1].attention.output.dense
    dense.register_forward_hook(lambda _, __, output: output * 1.01)
    return model


def patched(model: Any) -> Any:  # noqa: ANN401
    own = model.encoder.layer[0].forward

    def forward(states: Tensor, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        return own(states + 0.01, *args, **kwargs)

    model.encoder.layer[0].forward = forward
    return model


def activated(model: Any) -> Any:  # noqa: ANN401
    model.encoder.layer[2].intermediate.intermediate_act_fn = nn.ReLU()
    return model


def deeper(model: Any) -> Any:  # noqa: ANN401
    model.encoder.layer.append(copy.deepcopy(model.encoder.layer[0]))
    return model


def wider(model: Any) -> Any:  # noqa: ANN401
    model.encoder.layer[0].extra = nn.Linear(4, 4)
    own = model.encoder.layer[0].output.dense
    model.encoder.layer[0].output.dense = nn.Sequential(own, nn.Linear(32, 32))
    return model


def parametrized(model: Any) -> Any:  # noqa: ANN401
    parametrizations.weight_norm(model.encoder.layer[1].output.dense)
    return model


def adapted(model: Any) -> Any:  # noqa: ANN401
    return peft.get_peft_model(model, peft.LoraConfig(target_modules=["query"]))


def injected(model: Any) -> Any:  # noqa: ANN401
    return peft.inject_adapter_in_model(peft.LoraConfig(target_modules=["query"]), model)


def dynamic(model: Any) -> Any:  # noqa: ANN401
    quantize: Any = torch.ao.quantization.quantize_dynamic
    return quantize(model, {nn.Linear}, dtype=torch.qint8)


def eight_bits(model: Any) -> Any:  # noqa: ANN401
    dense = model.encoder.layer[0].output.dense
    dense.weight = nn.Parameter(dense.weight.data.to(torch.float8_e4m3fn), requires_grad=False)
    return model


def marked(model: Any) -> Any:  # noqa: ANN401
    model.config.quantization_config = {"quant_method": "bitsandbytes", "load_in_8bit": True}
    return model


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (hooked, r"BertModel is read back from disk with outputs that differ by .* remove hooks"),
        (patched, r"read back from disk with outputs that differ"),
        (activated, r"read back from disk with outputs that differ"),
        (lambda model: Other(model.config).train(False), r"Other is read back from disk with out"),
        (deeper, r"BertModel is (not read back|read back).* remove hooks, patched methods and replaced"),
        (wider, r"BertModel is (not read back|read back).* remove hooks, patched methods and replaced"),
        (parametrized, r"parametrized weights in encoder\.layer\.1\.output\.dense; call torch\.nn\.utils"),
        (adapted, r"adapter of peft that is not merged; call merge_and_unload\(\) first"),
        (injected, r"adapter of peft that is not merged; call merge_and_unload\(\) first"),
        (dynamic, r"(not a tensor|cannot be saved|quantised)"),
        (eight_bits, r"layer\.0\.output\.dense\.weight as Parameter of torch\.float8_e4m3fn; .* quantised"),
        (marked, r"has quantised weights; call dequantize\(\) first"),
        (lambda model: model.to("meta"), r"has no data for embeddings\.word_embeddings\.weight; load"),
        (Inside, r"Inside is not a class of transformers; pass the transformers model in it"),
        (nn.DataParallel, r"DataParallel is not a transformers model; pass the model in it, x\.module"),
        (lambda model: model.encoder, r"BertEncoder is not a transformers model; give a transformers PreTr"),
        (lambda model: str(model.name_or_path), r"str is not a transformers model; .* name such as 'minilm'"),
    ],
)  # fmt: skip
def test_what_would_not_be_the_model_is_refused(
    tmp_path: Path, change: Callable[[Any], Any], message: str
) -> None:
    model, tokenizer = loaded("encoder", tmp_path)
    model = change(model)
    with pytest.raises(ProbingError, match=message) as raised:
        save_in_memory(model, tokenizer, tmp_path / "given")
    assert "\n" not in str(raised.value)
    assert list((tmp_path / "given").glob("*")) == []


def test_a_hook_is_refused_even_if_the_plain_model_was_saved(tmp_path: Path) -> None:
    model, tokenizer = loaded("masked", tmp_path)
    folder = save_in_memory(model, tokenizer, tmp_path / "given")
    seen: list[int] = []
    handle = model.bert.register_forward_hook(lambda *_: seen.append(1))  # one that changes nothing is taken
    assert save_in_memory(model, tokenizer, tmp_path / "given") == folder
    assert seen
    handle.remove()
    hooked(model.bert)
    with pytest.raises(ProbingError, match="remove hooks"):
        save_in_memory(model, tokenizer, tmp_path / "given")


def test_an_adapter_that_was_merged_is_taken(tmp_path: Path) -> None:
    model, tokenizer = loaded("encoder", tmp_path)
    plain = save_in_memory(model, tokenizer, tmp_path / "given")
    adapter = adapted(model)
    with torch.no_grad():
        for name, weight in adapter.named_parameters():
            if "lora_B" in name:
                weight.add_(0.1)
    merged = adapter.merge_and_unload()
    assert save_in_memory(merged, tokenizer, tmp_path / "given") != plain


class Shouting(PreTrainedTokenizerFast):
    """A tokenizer that does more than its files say."""

    def __call__(self, text: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Read the first word only."""
        return super().__call__(text.split(" ")[0], *args, **kwargs)


def test_a_tokenizer_that_cannot_be_read_back_is_refused(tmp_path: Path) -> None:
    model, tokenizer = loaded("encoder", tmp_path)
    odd = Shouting(tokenizer_object=tokenizer.backend_tokenizer, pad_token="[PAD]", unk_token="[UNK]")  # type: ignore[no-untyped-call]
    with pytest.raises(ProbingError, match=r"tokenizer: this Shouting is read back from disk with other tok"):
        save_in_memory(model, odd, tmp_path / "given")
    with pytest.raises(
        ProbingError, match=r"tokenizer: this str is not a tokenizer of transformers; give th"
    ):
        save_in_memory(model, "bert", tmp_path / "given")
