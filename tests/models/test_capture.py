"""The identities that reading and writing heads must keep, for every family."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from probing.errors import ProbingError
from probing.models.capture import capture, edit
from probing.models.fused import not_compared
from probing.models.sites import Kind, Layout, Side, Site, Sites
from probing.models.trace import find_sites
from tests.models.families import FAMILIES, Family, build, inputs_of

pytestmark = pytest.mark.slow

torch.set_num_threads(1)

MAIN = [f for f in FAMILIES if str(f) in {"bert", "gpt2", "llama", "t5", "fsmt", "squeezebert", "xlnet"}]
VALUES = ("value", "v_lin", "v_proj", "v", "v_head", "Wv", "c_attn")
ALTERED = {
    "qwen3_next": "a gate multiplies the heads",
    "bitnet": "a norm over all heads follows",
    "diffllama": "heads are combined in pairs",
    "nystromformer": "a convolution of the values is added",
    "deberta": "the values are part of one projection, with a bias of their own",
    "gpt_bigcode": "keys and values have one projection for each head",
    "convbert": "the values have their own head count",
}
"""Families whose heads are more than weights times values, or whose values lie elsewhere."""
UNLIKE = {
    "clip": "returns weights inside the outputs of its towers",
    "siglip": "returns weights inside the outputs of its towers",
    "squeezebert": "returns scores before the softmax",
    "big_bird": "returns nothing once a short input has swapped its attention modules",
}
"""Families whose own attention weights cannot be compared with."""


@lru_cache(maxsize=4)
def _model(family: str, implementation: str | None) -> tuple[PreTrainedModel, Sites, dict[str, Tensor]]:
    found = next(f for f in FAMILIES if str(f) == family)
    model = build(found, implementation)
    inputs = inputs_of(found, model.config)
    return model, find_sites(model, inputs), inputs


def _ready(
    family: Family, implementation: str | None = None
) -> tuple[PreTrainedModel, Sites, dict[str, Tensor]]:
    return _model(str(family), implementation)


def _run(model: PreTrainedModel, inputs: dict[str, Tensor], **flags: bool) -> Any:  # noqa: ANN401
    torch.manual_seed(0)
    with torch.no_grad():
        return model(**inputs, **flags)


def _read(
    model: PreTrainedModel, sites: Sequence[Site], inputs: dict[str, Tensor], **options: bool
) -> dict[Site, Tensor]:
    vectors: dict[Site, Tensor] = {}

    def read(site: Site, tensor: Tensor) -> None:
        assert site not in vectors
        vectors[site] = tensor.clone()

    torch.manual_seed(0)
    with torch.no_grad(), not_compared(model), capture(model, sites, read, **options) as forward:
        forward(**inputs)
    return vectors


@contextmanager
def _watched(model: PreTrainedModel, site: Site) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """All inputs and outputs of a projection."""
    seen: list[tuple[Tensor, Tensor]] = []

    def hook(_: nn.Module, args: tuple[Tensor, ...], output: object) -> None:
        seen.append((args[0].clone(), _leaves(output)[0].clone()))

    handle = model.get_submodule(site.module).register_forward_hook(hook)
    try:
        yield seen
    finally:
        handle.remove()


def _leaves(value: object) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [leaf for item in value for leaf in _leaves(item)] if isinstance(value, list | tuple) else []


def _hooks(model: nn.Module) -> list[tuple[int, ...]]:
    return [
        (len(m._forward_hooks), len(m._forward_pre_hooks), len(m._forward_hooks_with_kwargs), len(vars(m)))
        for m in model.modules()
    ]


def _slice(site: Site, head: int) -> slice:
    start = site.offset + head * site.head_dim
    return slice(start, start + site.head_dim)


def _weight(module: nn.Module, features: slice) -> Tensor:
    """The projection's columns for some input features, as (features, outputs)."""
    weight = module.weight
    assert isinstance(weight, Tensor)
    if isinstance(module, Conv1D):
        return weight[features]
    return weight.flatten(1)[:, features].T


def _ordered(site: Site, tensor: Tensor, batch: int) -> Tensor:
    """Input or output of a projection as (batch, seq, features), written anew."""
    match site.layout:
        case Layout.SEQ_BATCH:
            return tensor.permute(1, 0, 2)
        case Layout.FEATURES_SEQ:
            return tensor.permute(0, 2, 1)
        case Layout.WINDOWS | Layout.FLAT:
            return tensor.reshape(batch, -1, tensor.shape[-1])
        case Layout.GRID:
            return tensor.flatten(1, 2)
        case _:
            return tensor


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_captured_heads_side_by_side_are_what_is_projected(family: Family) -> None:
    model, sites, inputs = _ready(family)
    for site in sites.heads:
        if site.side is Side.METHOD:
            continue
        with _watched(model, site) as seen:
            heads = _read(model, [site], inputs, stop_early=False)[site]
        raw, out = seen[site.call]
        batch, length = heads.shape[:2]
        flat = _ordered(site, raw, batch)[:, :length].clone()
        width = site.heads * site.head_dim
        flat[..., site.offset : site.offset + width] = heads.flatten(2)
        module = model.get_submodule(site.module)
        again = _leaves(module(flat.transpose(1, 2) if isinstance(module, nn.Conv1d) else flat))[0]
        again = again.transpose(1, 2) if isinstance(module, nn.Conv1d) else again
        torch.testing.assert_close(again, _ordered(site, out, batch)[:, :length], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_zeroing_a_head_takes_exactly_its_contribution_away(family: Family) -> None:
    model, sites, inputs = _ready(family)
    for site in sites.heads[-1:]:
        if site.side is Side.METHOD:
            continue
        head = site.heads - 1
        with _watched(model, site) as seen, torch.no_grad():
            heads = _read(model, [site], inputs, stop_early=False)[site]

            def zero(_: Site, tensor: Tensor) -> Tensor:
                mask = torch.ones(tensor.shape[2], 1)
                mask[head] = 0  # noqa: B023
                return tensor * mask

            seen.clear()
            _run(model, inputs)
            with edit(model, [site], zero):
                _run(model, inputs)
        half = len(seen) // 2
        batch, length = heads.shape[:2]
        full, less = (_ordered(site, seen[i][1], batch)[:, :length] for i in (site.call, half + site.call))
        weight = _weight(model.get_submodule(site.module), _slice(site, head))
        torch.testing.assert_close(full - less, heads[:, :, head] @ weight, rtol=1e-4, atol=1e-5)
        # Without its CUDA kernel, mra's attention is zero.
        assert torch.equal(full, less) is (family.model_type == "mra")


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_attention_weights_are_the_library_s_and_sum_to_one(family: Family) -> None:
    model, sites, inputs = _ready(family, "eager")
    if not sites.attention:
        pytest.skip("gives no attention weights")
    output = _run(model, inputs, output_attentions=True)
    read = _read(model, sites.attention, inputs)
    assert set(read) == set(sites.attention)
    assert {_place(site) for site in sites.attention} <= {_place(site) for site in sites.heads}
    returned = [t for name in output for t in _leaves(output[name]) if "attentions" in name]
    for site, weights in read.items():
        if str(family) not in UNLIKE:
            assert any(w.shape == weights.shape and torch.equal(w, weights) for w in returned)
        if family.model_type not in {"gpt_oss", "nystromformer", "longformer", "led"}:
            torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:3]))
        assert weights.shape[:2] == (3, site.heads)


def _place(site: Site) -> tuple[int, str, bool]:
    return site.layer, site.stack, site.cross


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_weights_times_values_are_the_captured_heads(family: Family) -> None:
    model, sites, inputs = _ready(family, "eager")
    if family.model_type in ALTERED:
        pytest.skip(ALTERED[family.model_type])
    by_place = {_place(site): site for site in sites.attention}
    pairs = [
        (site, by_place[_place(site)])
        for site in sites.heads
        if site.side is Side.INPUT and _place(site) in by_place
    ]
    checked = 0
    for head, attention in pairs:
        leaf = not list(model.get_submodule(attention.module).children())
        block = attention.module.rpartition(".")[0] if leaf else attention.module
        names = [n for n, _ in model.named_modules() if n.startswith(f"{block}.")]
        values = [name for name in names if name.rpartition(".")[2] in VALUES]
        if not block or len(values) != 1 or attention.side is not Side.OUTPUT:
            continue
        value = replace(head, module=values[0], call=attention.call)
        out: list[Tensor] = []
        handle = model.get_submodule(value.module).register_forward_hook(
            lambda m, a, o, out=out: out.append(o)
        )
        read = _read(model, [head, attention], inputs, stop_early=False)
        handle.remove()
        vectors, weights = read[head], read[attention]
        rows = _ordered(replace(head, layout=head.layout), out[attention.call], len(vectors))
        if values[0].endswith("c_attn"):
            rows = rows.chunk(3, -1)[2]
        heads = rows.reshape(*rows.shape[:2], -1, head.head_dim).transpose(1, 2)
        heads = heads.repeat_interleave(weights.shape[1] // heads.shape[1], 1)
        torch.testing.assert_close((weights @ heads).transpose(1, 2), vectors, rtol=1e-4, atol=1e-5)
        checked += 1
    if not checked:
        pytest.skip("its values are not the output of a module")


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_hidden_states_are_the_library_s_to_the_bit(family: Family) -> None:
    model, sites, inputs = _ready(family)
    output = _run(model, inputs, output_hidden_states=True)
    read = _read(model, sites.hidden, inputs, stop_early=False)
    fields = ("hidden_states", "encoder_hidden_states", "decoder_hidden_states")
    states = [state for name in fields for state in (getattr(output, name, None) or ())]
    assert len(states) == len(sites.hidden)
    for state, site in zip(states, sites.hidden, strict=True):
        expected = state.flatten(2).transpose(1, 2) if state.ndim == 4 else state
        assert torch.equal(read[site], expected[:, : read[site].shape[1]]), site


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_reading_changes_nothing_and_leaves_nothing(family: Family) -> None:
    model, sites, inputs = _ready(family)
    before = _run(model, inputs)
    hooks = _hooks(model)
    torch.manual_seed(0)
    everything = [site for site in sites.heads + sites.hidden if site.side is not Side.RESULT]
    with torch.no_grad(), capture(model, everything, lambda _, __: None, stop_early=False):
        after = model(**inputs)
        assert _hooks(model) != hooks
    assert _hooks(model) == hooks
    pairs = list(zip(_leaves(before.to_tuple()), _leaves(after.to_tuple()), strict=True))
    assert pairs
    assert all(torch.equal(x, y) for x, y in pairs)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_rows_of_a_batch_are_its_sequences(family: Family) -> None:
    if family.model_type in {"reformer", "yoso", "mra", "bitnet", "canine"}:
        pytest.skip("hashes or quantises: rows depend on the order")
    model, sites, inputs = _ready(family)
    order = torch.tensor([2, 0, 1])
    turned = {name: value[order] for name, value in inputs.items()}
    straight, other = (_read(model, sites.heads, each) for each in (inputs, turned))
    for site in sites.heads:
        torch.testing.assert_close(straight[site][order], other[site], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_positions_are_the_tokens(family: Family) -> None:
    model, sites, inputs = _ready(family)
    for site, heads in _read(model, sites.heads, inputs).items():
        assert heads.shape[0] == 3
        assert heads.shape[2:] == (site.heads, site.head_dim)
        if family.reads == "text":
            length = inputs["decoder_input_ids" if site.stack == "decoder" else "input_ids"].shape[1]
            assert (heads.shape[1] == length) is site.aligned


PADDED = "bert roberta electra distilbert albert mpnet squeezebert xlnet longformer gpt2 llama fsmt bart t5"


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("family", [f for f in FAMILIES if str(f) in PADDED.split()], ids=str)
def test_padding_does_not_reach_real_tokens(family: Family, side: str) -> None:
    """A row's real tokens are the same whatever the padding of that row holds."""
    model, sites, inputs = _ready(family)
    mask = inputs["attention_mask"].clone()
    padded = slice(0, 4) if side == "left" else slice(-4, None)
    mask[1, padded] = 0
    noise = inputs["input_ids"].clone()
    noise[1, padded] = torch.tensor([50, 60, 70, 80])
    first, second = (
        _read(
            model, [s for s in sites.heads if s.stack != "decoder"], inputs | {"attention_mask": mask} | extra
        )
        for extra in ({}, {"input_ids": noise})
    )
    for site in first:
        real = mask.bool()
        torch.testing.assert_close(first[site][real], second[site][real], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", MAIN, ids=str)
def test_an_error_while_reading_leaves_nothing(family: Family) -> None:
    model, sites, inputs = _ready(family)
    hooks = _hooks(model)

    def fail(_: Site, __: Tensor) -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"), capture(model, sites.heads, fail) as forward:
        forward(**inputs)
    assert _hooks(model) == hooks
    with (
        pytest.raises(ProbingError, match="no such module"),
        capture(model, [sites.heads[0], replace(sites.heads[0], module="nowhere")], fail),
    ):
        pass
    assert _hooks(model) == hooks


@pytest.mark.parametrize("family", MAIN, ids=str)
@pytest.mark.parametrize("stop_early", [True, False])
def test_a_site_that_is_not_reached_is_an_error(family: Family, stop_early: bool) -> None:
    model, sites, inputs = _ready(family)
    lost = replace(sites.heads[0], call=7)
    with (
        capture(model, [*sites.heads, lost], lambda _, __: None, stop_early=stop_early) as forward,
        pytest.raises(ProbingError, match=r"head outputs of layer 0 .* not reached"),
    ):
        forward(**inputs)
    with edit(model, [lost], lambda _, __: None), pytest.raises(ProbingError, match="not reached"):
        model(**inputs)


def test_the_forward_pass_stops_after_the_last_wanted_site() -> None:
    model, sites, inputs = _ready(FAMILIES[0])
    reached: list[str] = []
    handles = [
        module.register_forward_hook(lambda m, a, o, name=name: reached.append(name))
        for name, module in model.named_modules()
    ]
    _read(model, sites.heads[:1], inputs)
    for handle in handles:
        handle.remove()
    assert "encoder.layer.0.attention.self" in reached
    assert "encoder.layer.0.attention.output.dense" not in reached
    assert not any("layer.1" in name for name in reached)


@pytest.mark.parametrize("name", ["head_mask", "decoder_head_mask", "cross_attn_head_mask"])
def test_a_head_mask_is_refused(name: str) -> None:
    model, sites, inputs = _ready(FAMILIES[0])
    with capture(model, sites.heads, lambda _, __: None) as forward:
        with pytest.raises(ProbingError, match="ignores it silently"):
            forward(**inputs, **{name: torch.ones(2, 4)})
        forward(**inputs, **{name: None})


def test_attention_weights_need_eager() -> None:
    model, sites, _ = _ready(FAMILIES[0], "sdpa")
    with pytest.raises(ProbingError, match='attn_implementation="eager"'):
        sites.of(Kind.ATTENTION)
    eager = _ready(FAMILIES[0], "eager")[1].attention
    with (
        pytest.raises(ProbingError, match='attn_implementation="eager"'),
        capture(model, eager, lambda _, __: None),
    ):
        pass


@pytest.mark.parametrize("family", MAIN, ids=str)
def test_writing_back_what_was_read_changes_nothing(family: Family) -> None:
    model, sites, inputs = _ready(family)
    before = _run(model, inputs)
    everything = [s for s in sites.heads + sites.hidden if s.side is not Side.RESULT]
    with edit(model, everything, lambda _, tensor: tensor.clone()):
        after = _run(model, inputs)
    assert torch.equal(before.last_hidden_state, after.last_hidden_state)


@pytest.mark.parametrize("family", MAIN, ids=str)
def test_a_state_taken_from_another_input_carries_the_model_there(family: Family) -> None:
    model, sites, inputs = _ready(family)
    if model.config.is_encoder_decoder:
        model = model.get_submodule("encoder")  # type: ignore[assignment]
        if not isinstance(model, PreTrainedModel):
            pytest.skip("its encoder is not a model of its own")
        sites = find_sites(model)
    here = {name: inputs[name] for name in ("input_ids", "attention_mask")}
    other = here | {"input_ids": here["input_ids"].flip(0, 1)}
    for site in sites.hidden[:2]:
        states = _read(model, [site], other)
        with edit(model, [site], lambda site, _, states=states: states[site]):  # type: ignore[misc]
            moved = _run(model, here).last_hidden_state
        torch.testing.assert_close(moved, _run(model, other).last_hidden_state)
        assert not torch.allclose(moved, _run(model, here).last_hidden_state)


@pytest.mark.parametrize("family", MAIN, ids=str)
def test_reading_within_writing_sees_what_was_written(family: Family) -> None:
    model, sites, inputs = _ready(family)
    hooks = _hooks(model)
    site = sites.heads[0]
    with edit(model, [site], lambda _, tensor: torch.ones_like(tensor)):
        assert bool((_read(model, [site], inputs)[site] == 1).all())
        assert bool((_read(model, [site], inputs)[site] == 1).all())
    assert not bool((_read(model, [site], inputs)[site] == 1).all())
    assert _hooks(model) == hooks


@pytest.mark.parametrize("family", MAIN, ids=str)
def test_gradients_reach_a_mask(family: Family) -> None:
    model, sites, inputs = _ready(family)
    site = sites.heads[0]
    mask = torch.ones(site.heads, 1, requires_grad=True)
    with edit(model, [site], lambda _, tensor: tensor * mask):
        model(**inputs).last_hidden_state.square().sum().backward()
    assert mask.grad is not None
    assert bool((mask.grad != 0).all())
    assert mask.grad.isfinite().all()


def test_a_replacement_of_another_shape_is_an_error() -> None:
    model, sites, inputs = _ready(FAMILIES[0])
    with (
        edit(model, sites.heads, lambda _, tensor: tensor[:, :1]),
        pytest.raises(ProbingError, match="the replacement has shape"),
    ):
        model(**inputs)


def test_weights_and_final_states_cannot_be_written() -> None:
    model, sites, _ = _ready(FAMILIES[0], "eager")
    with (
        pytest.raises(ProbingError, match="cannot be written, only read"),
        edit(model, sites.attention, lambda _, __: None),
    ):
        pass


def test_views_share_the_memory_of_the_model() -> None:
    model, sites, inputs = _ready(FAMILIES[0])
    pointers: list[int] = []
    with (
        torch.inference_mode(),
        capture(model, sites.heads[:1], lambda _, t: pointers.append(t.data_ptr()), stop_early=False) as run,
        _watched_pointer(model, sites.heads[0]) as raw,
    ):
        run(**inputs)
    assert pointers == raw


@contextmanager
def _watched_pointer(model: PreTrainedModel, site: Site) -> Iterator[list[int]]:
    seen: list[int] = []
    module = model.get_submodule(site.module)
    handle = module.register_forward_pre_hook(lambda _, args: seen.append(args[0].data_ptr()))
    try:
        yield seen
    finally:
        handle.remove()


def test_heads_of_xlnet_are_projected_by_its_bare_parameter() -> None:
    family = next(f for f in FAMILIES if str(f) == "xlnet")
    model, sites, inputs = _ready(family)
    for site in sites.heads:
        block: Any = model.get_submodule(site.module)
        given: list[Tensor] = []
        out: list[Tensor] = []
        handles = [
            block.register_forward_pre_hook(lambda _, args, given=given: given.append(args[0])),
            block.register_forward_hook(lambda _, __, o, out=out: out.append(o[0])),
        ]
        heads = _read(model, [site], inputs, stop_early=False)[site]
        for handle in handles:
            handle.remove()
        projected = torch.einsum("bind,hnd->ibh", heads, block.o)
        torch.testing.assert_close(block.layer_norm(projected + given[0]), out[0])
    assert math.prod(heads.shape) == 3 * 11 * 32
