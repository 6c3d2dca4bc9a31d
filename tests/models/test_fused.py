"""Attention weights are read, and replaced, only where eager attention is the function that is fused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, FalconConfig, FalconForCausalLM, PreTrainedModel

from probing.cli import main as cli
from probing.errors import ProbingError
from probing.models.capture import capture
from probing.models.fused import TEXTS, check_eager
from probing.models.masking import mask_heads
from probing.models.trace import find_sites
from tests.models.families import FAMILIES, Family, build, inputs_of
from tests.tiny import SIZES, SPECIAL, make_bert

pytestmark = pytest.mark.slow

BY_NAME = {str(family): family for family in FAMILIES}
DIFFERENT = ("falcon alibi",)
"""Its eager attention adds alibi to scores that have it already."""


def _model(name: str, implementation: str = "eager") -> tuple[PreTrainedModel, dict[str, torch.Tensor]]:
    model = build(BY_NAME[name], implementation)
    for parameter in model.parameters():  # heads of the library's random weights hardly say a thing
        parameter.data *= 4 if parameter.ndim == 2 else 1
    return model, inputs_of(BY_NAME[name], model.config)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_eager_attention_is_the_fused_function_in_all_families_but_one(family: Family) -> None:
    model, inputs = _model(str(family))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    configs = [m.config._attn_implementation for m in model.modules() if isinstance(m, PreTrainedModel)]
    if str(family) in DIFFERENT:
        with pytest.raises(ProbingError, match=rf"^{family.model_type}: with eager attention"):
            check_eager(model, inputs)
    else:
        check_eager(model, inputs)
    after = model.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    assert configs == [
        m.config._attn_implementation for m in model.modules() if isinstance(m, PreTrainedModel)
    ]


def test_the_comparison_runs_what_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fused attention that is off by a little is noticed in every family that has it."""
    real = torch.nn.functional.scaled_dot_product_attention
    calls: list[bool] = []

    def off(*args: Any, **kwargs: Any) -> torch.Tensor:  # noqa: ANN401
        calls.append(True)
        return real(*args, **kwargs) * 1.1

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", off)
    for name in ("bert", "gpt2", "llama", "t5", "bart", "falcon multi-query"):
        calls.clear()
        model, inputs = _model(name)
        with pytest.raises(ProbingError, match="of the largest value"):
            check_eager(model, inputs)
        assert calls, name


def test_rows_that_are_padding_do_not_count() -> None:
    model, inputs = _model("gpt2")
    inputs["attention_mask"][0, :5] = 0  # these see nothing: eager and fused differ, and nobody reads them
    check_eager(model, inputs)


def test_a_few_texts_of_a_large_batch_are_compared() -> None:
    """The hidden states of all layers are kept meanwhile, in float32."""
    model, inputs = _model("bert")
    sizes: list[int] = []
    model.register_forward_pre_hook(
        lambda _, __, given: sizes.append(len(given["input_ids"])), with_kwargs=True
    )
    many = {name: value.repeat(100, *[1] * (value.ndim - 1)) for name, value in inputs.items()}
    check_eager(model, many)
    assert sizes == [TEXTS, TEXTS]
    model, inputs = _model("falcon alibi")
    many = {name: value.repeat(100, *[1] * (value.ndim - 1)) for name, value in inputs.items()}
    with pytest.raises(ProbingError, match=r"^falcon: with eager attention"):
        check_eager(model, many)


def test_a_model_that_agreed_is_not_run_again() -> None:
    model, inputs = _model("bert")
    runs: list[int] = []
    model.register_forward_pre_hook(lambda *_: runs.append(1))
    check_eager(model, inputs)
    check_eager(model, inputs)
    assert len(runs) == 2


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_hides_no_difference_and_makes_none(dtype: torch.dtype) -> None:
    for name in ("bert", "t5", "llama"):
        model, inputs = _model(name)
        torch.nn.Module.to(model, dtype)
        before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
        check_eager(model, inputs)
        assert all(torch.equal(tensor, before[key]) for key, tensor in model.state_dict().items())
        assert {tensor.dtype for tensor in model.parameters()} == {dtype}
    model, inputs = _model("falcon alibi")
    with pytest.raises(ProbingError, match=r"^falcon: .*differ .* by [0-9.]+e-02 of the largest value"):
        check_eager(torch.nn.Module.to(model, dtype), inputs)


def test_weights_of_such_a_model_are_neither_read_nor_replaced() -> None:
    model, inputs = _model("falcon alibi")
    sites = find_sites(model, inputs)
    read: list[torch.Tensor] = []
    with (
        pytest.raises(ProbingError, match=r"^falcon: with eager attention"),
        capture(model, sites.attention, lambda _, weights: read.append(weights)) as forward,
    ):
        forward(**inputs)
    assert not read
    with (
        pytest.raises(ProbingError, match=r"^falcon: .*mask with zero or mean"),
        mask_heads(model, [(0, 1)], "uniform"),
    ):
        pass
    with mask_heads(model, [(0, 1)], "zero"):  # needs no weights
        model(**inputs)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_weights_are_read_once_however_often_the_model_is_compared() -> None:
    model, inputs = _model("bert")
    sites = find_sites(model, inputs)
    read: list[int] = []
    with capture(model, sites.attention, lambda site, _: read.append(site.layer)) as forward:
        forward(**inputs)
        forward(**inputs)
    assert read == [0, 1, 0, 1]


@pytest.mark.parametrize(
    "words",
    [
        ["analysis=entropy"],
        ["analysis=ablation", "analysis.how=uniform", "objective=lm", "analysis.kinds=[leave_one_out]"],
    ],
)
def test_a_run_that_needs_weights_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    folder = make_bert(tmp_path / "falcon")
    config = FalconConfig(
        **(SIZES | SPECIAL | {"alibi": True, "multi_query": False, "initializer_range": 0.2})
    )
    torch.manual_seed(0)
    FalconForCausalLM(config).save_pretrained(folder)
    root = tmp_path / "out"
    small = ["task=grammar/tense", "task.n_train=40", "task.n_dev=20", "task.n_test=20", "extract.threads=1"]
    code = cli.main([f"paths.root={root}", "model=hf", f"model.name={folder}", *small, *words])
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert code == cli.MISTAKE
    assert last.startswith("probing: falcon: with eager attention")
    assert not list(root.rglob("*.parquet"))
    # the pair is the library's own: eager and fused
    pair = [
        AutoModelForCausalLM.from_pretrained(folder, attn_implementation=kind).train(False)
        for kind in ("eager", "sdpa")
    ]
    ids = torch.arange(4, 14)[None]
    with torch.no_grad():
        eager, fused = (model(ids, output_hidden_states=True).hidden_states[-1] for model in pair)
    assert (eager - fused).abs().max() > 1e-3 * fused.abs().max()
    assert AutoConfig.from_pretrained(folder).alibi
