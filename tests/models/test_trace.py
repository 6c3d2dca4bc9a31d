"""Finding heads: counts, sizes, order, independence of the input, and what has none."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from probing.errors import ProbingError
from probing.models.capture import capture
from probing.models.sites import Kind, Layout, Side
from probing.models.trace import find_sites
from tests.models.families import FAMILIES, REFUSED, SOUND, Family, build, inputs_of

pytestmark = pytest.mark.slow

torch.set_num_threads(1)

HYBRID = {"qwen3_next": 1, "jamba": 1, "zamba2": 2, "recurrent_gemma": 1}


def _named(label: str) -> Family:
    return next(f for f in FAMILIES if str(f) == label)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_counts_and_sizes_are_those_of_the_config(family: Family) -> None:
    model = build(family)
    config = model.config
    sites = find_sites(model, inputs_of(family, config))
    usual = [site for site in sites.heads if not site.note and family.reads in ("text", "sound")]
    assert all(site.heads == 4 for site in usual)
    dims = {"mobilebert": 32, "llama with free head_dim": 6, "zamba2": 16}
    dims |= dict.fromkeys(("deepseek_v2", "deepseek_v3", "minicpm3"), 6)
    assert all(site.head_dim == dims.get(str(family), 8) for site in usual)
    layers = [(site.stack, site.cross, site.layer) for site in sites.heads]
    assert len(set(layers)) == len(layers)
    if config.is_encoder_decoder:
        stacks = [("encoder", False), ("decoder", False), ("decoder", True)]
        assert sorted(layers) == sorted((*stack, i) for stack in stacks for i in range(2))
    elif family.reads == "text" and family.model_type not in {"canine", "funnel"}:
        assert layers == [("", False, i) for i in range(HYBRID.get(family.model_type, 2))]


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_the_sites_do_not_depend_on_the_input(family: Family) -> None:
    model = build(family)
    first = find_sites(model, inputs_of(family, model.config))
    second = find_sites(model, inputs_of(family, model.config, batch=2, length=17))
    assert first == second
    if family.reads in ("text", "image"):
        assert find_sites(model) == first


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
@pytest.mark.parametrize("label", ["bert", "gpt2", "llama", "t5", "bart", "distilbert"])
def test_the_heads_do_not_depend_on_the_implementation(label: str, implementation: str) -> None:
    model = build(_named(label), implementation)
    assert find_sites(model).heads == find_sites(build(_named(label))).heads
    assert bool(find_sites(model).attention) is (model.config._attn_implementation == "eager")


@pytest.mark.parametrize("model_type", REFUSED)
def test_what_cannot_be_read_is_told(model_type: str) -> None:
    special: dict[str, Any] = {
        "rwkv": {"attention_hidden_size": 32}, "mamba": {"state_size": 4}, "wavlm": SOUND,
        "jetmoe": {"kv_channels": 8, "num_key_value_heads": 2},
    }  # fmt: skip
    reads: Any = "sound" if model_type == "wavlm" else "text"
    family = Family(model_type, special.get(model_type, {}), reads=reads)
    model = build(family)
    inputs = inputs_of(family, model.config)
    if model_type in {"mamba", "rwkv", "fnet"}:
        del inputs["attention_mask"]
    with pytest.raises(ProbingError, match=rf"^{model_type}: .*{REFUSED[model_type]}") as caught:
        find_sites(model, inputs)
    assert "\n" not in str(caught.value)


def test_the_model_and_the_random_state_are_left_as_they_were() -> None:
    model = build(_named("bert"))
    model.train()
    model.get_submodule("encoder.layer.0").train(False)
    modes = [module.training for module in model.modules()]
    find_sites(model)  # The library leaves its own recorders at the first request for hidden states.
    hooks = [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in model.modules()]
    state = torch.random.get_rng_state()
    with torch.inference_mode():
        find_sites(model)
    assert torch.equal(state, torch.random.get_rng_state())
    assert modes == [module.training for module in model.modules()]
    assert hooks == [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in model.modules()]


def test_block_sparse_attention_stays_block_sparse() -> None:
    model = build(_named("big_bird"))
    find_sites(model)
    assert model.attention_type == "block_sparse"


def test_layers_that_share_a_module_are_told_apart_by_its_calls() -> None:
    heads = find_sites(build(_named("albert"))).heads
    assert len({site.module for site in heads}) == 1
    assert [(site.layer, site.call) for site in heads] == [(0, 0), (1, 1)]


@pytest.mark.parametrize(
    ("label", "layout"),
    [
        ("bert", Layout.BATCH_SEQ),
        ("fsmt", Layout.SEQ_BATCH),
        ("squeezebert", Layout.FEATURES_SEQ),
        ("xlnet", Layout.SEQ_BATCH_HEADS),
        ("swin", Layout.WINDOWS),
    ],
)
def test_layouts_are_recognised(label: str, layout: Layout) -> None:
    assert {site.layout for site in find_sites(build(_named(label))).heads} == {layout}


@pytest.mark.parametrize(
    ("label", "note"),
    [
        ("bitnet", "norm over all heads"),
        ("diffllama", "2 heads although the config states 4"),
        ("convbert", "other features enter"),
        ("reformer", "no softmax"),
        ("yoso", "no softmax"),
        ("mra", "no softmax"),
        ("swin", "ordered by window"),
    ],
)
def test_unusual_heads_say_so(label: str, note: str) -> None:
    assert all(note in site.note for site in find_sites(build(_named(label))).heads)


@pytest.mark.parametrize("label", ["funnel", "canine"])
def test_pooled_sequences_say_so(label: str) -> None:
    heads = find_sites(build(_named(label))).heads
    assert {site.aligned for site in heads} == {True, False}
    assert all(("pooled" in site.note) is not site.aligned for site in heads)


def test_an_encoder_on_its_own_has_no_stack() -> None:
    encoder = build(_named("t5")).get_encoder()
    sites = find_sites(encoder)
    assert [(site.stack, site.cross, site.layer) for site in sites.heads] == [("", False, 0), ("", False, 1)]
    assert [site.layer for site in sites.hidden] == [-1, 0, 1]


def test_states_that_no_module_shows_are_read_from_the_output() -> None:
    model = build(_named("xlm"))
    sites = find_sites(model)
    last = [site for site in sites.hidden if site.side is Side.RESULT]
    assert [site.layer for site in last] == [1]
    inputs = inputs_of(_named("xlm"), model.config)
    read: list[torch.Tensor] = []
    with torch.no_grad(), capture(model, last, lambda _, t: read.append(t.clone())) as forward:
        forward(**inputs)
    assert torch.equal(read[0], model(**inputs).last_hidden_state)


def test_cross_attention_of_a_decoder_is_found_when_it_has_something_to_look_at() -> None:
    family = _named("gpt2 with cross-attention")
    model = build(family)
    inputs = inputs_of(family, model.config) | {"encoder_hidden_states": torch.randn(3, 7, 32)}
    found = [(site.layer, site.cross) for site in find_sites(model, inputs).heads]
    assert found == [(0, False), (0, True), (1, False), (1, True)]


def test_a_model_of_sound_needs_inputs() -> None:
    with pytest.raises(ProbingError, match="pass inputs"):
        find_sites(build(_named("wav2vec2")))


def test_inputs_that_the_model_cannot_run_on_are_told() -> None:
    model = build(_named("bert"))
    hooks = [len(m._forward_pre_hooks) for m in model.modules()]
    with pytest.raises(ProbingError, match=r"^bert: cannot run on input_ids \(.*pass the inputs it needs$"):
        find_sites(model, {"input_ids": torch.ones(2, 65, dtype=torch.long)})
    assert hooks == [len(m._forward_pre_hooks) for m in model.modules()]


def test_a_part_that_is_no_model_is_refused() -> None:
    encoder: Any = build(_named("fsmt")).get_submodule("encoder")
    with pytest.raises(ProbingError, match=r"model is a FSMTEncoder; give a PreTrainedModel$"):
        find_sites(encoder)


def test_weights_of_a_chunk_are_not_taken_for_all() -> None:
    sites = find_sites(build(_named("canine"), "eager"))
    assert [site.layer for site in sites.heads] == [0, 1, 2, 3]
    assert [site.layer for site in sites.attention] == [1, 2, 3]  # Only the first block reads in chunks.


def test_kinds_that_are_missing_are_told() -> None:
    sites = find_sites(build(_named("bert"), "eager"))
    assert sites.of(Kind.HEAD) == sites.heads
    assert sites.of(Kind.HIDDEN) == sites.hidden
    assert sites.of(Kind.ATTENTION) == sites.attention
