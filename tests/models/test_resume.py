"""Passes that begin in the middle give what whole passes give, or are not used."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel

from probing.ablations.evaluate import MaskedEvaluator
from probing.ablations.shortcut import find_shortcut
from probing.models.default_inputs import default_inputs
from probing.models.resume import Plan, Prefix, make_plan
from tests.ablations.bare import Bare
from tests.models.families import FAMILIES, Family, build, inputs_of

pytestmark = pytest.mark.slow

torch.set_num_threads(1)

BY_NAME = {str(family): family for family in FAMILIES}
WHOLE = {
    "albert": "blocks share their modules, of which calls are counted",
    "reformer": "modules return tuples of other kinds",
    "swin": "windows come before the batch",
    "xlnet": "heads are projected outside of modules",
    **dict.fromkeys(("clip", "siglip"), "there is no default for two towers"),
    **dict.fromkeys(("whisper", "wav2vec2", "hubert"), "there is no default for sound"),
}
"""Families of which every pass is run whole: 9 of 106."""


@lru_cache(maxsize=2)
def _model(name: str) -> PreTrainedModel:
    model = build(BY_NAME[name])
    if BY_NAME[name].reads == "text":
        for parameter in model.parameters():  # heads of the library's random weights hardly say a thing
            parameter.data *= 3 if parameter.ndim == 2 else 1
    return model


def _inputs(family: Family, model: PreTrainedModel, batch: int, length: int) -> dict[str, Tensor]:
    inputs = inputs_of(family, model.config, batch, length)
    if family.reads == "text" and batch > 1:
        inputs["attention_mask"][-1, -2:] = 0
    return inputs


def _ready(name: str, *shapes: tuple[int, int], read: str = "all") -> Bare:
    family, model = BY_NAME[name], _model(name)
    ready = Bare(model, [_inputs(family, model, *shape) for shape in shapes], read)
    if family.reads in ("sound", "both"):
        from probing.models.heads import Heads
        from probing.models.trace import find_sites

        ready.__dict__["heads"] = Heads(find_sites(model, _inputs(family, model, 3, 11)).heads)
    return ready


def _masks(ready: Bare) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """The whole model, every head that is first in its layer, and two of different layers."""
    starts = [ready.heads.slices[site].start for site in ready.heads.sites]
    masks = np.ones((len(starts) + 2, len(ready.heads)), dtype=bool)
    masks[1 + np.arange(len(starts)), starts] = False
    masks[-1, [starts[0], starts[-1]]] = False
    return masks


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_shortcuts_change_nothing_and_are_found_wherever_they_can_be(family: Family) -> None:
    """A batch of one, one as large as heads and length, and one of other sizes; all from one trace."""
    ready = _ready(str(family), (4, 4), (1, 9), (2, 7))
    masks = _masks(ready)
    short = MaskedEvaluator(ready, threads=1).answers("dev", masks)
    assert (find_shortcut(ready) is None) is (str(family) in WHOLE)
    whole = MaskedEvaluator(ready, threads=1, shortcuts=False).answers("dev", masks)
    np.testing.assert_allclose(short.loss, whole.loss, rtol=2e-4, atol=1e-5)
    changed = np.abs(whole.loss[1:-1] / whole.loss[0] - 1).max()
    assert changed > 1e-3 or str(family) == "mra", "masks do nothing here"


def test_the_number_of_masks_in_a_pass_and_their_order_do_not_matter() -> None:
    ready = _ready("bert", (3, 6), (5, 9))
    draw = np.random.default_rng(0)
    masks = draw.random((12, len(ready.heads))) < 0.8
    masks[3] = True
    found = MaskedEvaluator(ready, threads=1).answers("dev", masks)
    order = draw.permutation(12)
    again = MaskedEvaluator(ready, threads=1).answers("dev", masks[order])
    np.testing.assert_allclose(again.loss, found.loss[order], rtol=1e-4)
    for mask, loss in zip(masks, found.loss, strict=True):
        alone = MaskedEvaluator(ready, threads=1).answers("dev", mask[None])
        np.testing.assert_allclose(alone.loss[0], loss, rtol=1e-4)


@pytest.mark.parametrize("name", ["bert", "gpt2", "llama", "bart", "opt"])
@pytest.mark.parametrize("read", ["first", "all"])
def test_what_no_one_reads_is_left_out_only_if_no_one_reads_it(name: str, read: str) -> None:
    """The shortest batch is of single tokens, of which every guess is right."""
    lengths = [(2, 1), (3, 6), (2, 9)]
    family, model = BY_NAME[name], _model(name)
    ready = Bare(model, [inputs_of(family, model.config, *shape) for shape in lengths], read)
    masks = _masks(ready)
    short = MaskedEvaluator(ready, threads=1).answers("dev", masks)
    shortcut = find_shortcut(ready)
    assert shortcut is not None
    assert (shortcut._lone == 0) is (read == "first" and name != "bart")
    whole = MaskedEvaluator(ready, threads=1, shortcuts=False).answers("dev", masks)
    np.testing.assert_allclose(short.loss, whole.loss, rtol=2e-4, atol=1e-5)


def test_nothing_below_the_masked_layer_is_computed_twice() -> None:
    ready = _ready("bert", (4, 6))
    calls = dict.fromkeys(("embeddings", "encoder.layer.0.intermediate.dense"), 0)
    site = ready.heads.sites[1]
    masks = np.ones((1 + site.heads, len(ready.heads)), dtype=bool)
    masks[1 + np.arange(site.heads), ready.heads.slices[site].start + np.arange(site.heads)] = False
    MaskedEvaluator(ready, threads=1).answers("dev", masks)  # finds the shortcut

    def count(name: str) -> None:
        calls[name] += 1

    handles = []
    for name in calls:
        module = ready.model.get_submodule(name)
        inner = next(iter(module.children()), module)
        handles.append(inner.register_forward_hook(lambda *_, name=name: count(name)))
    MaskedEvaluator(ready, threads=1).answers("dev", masks)
    for handle in handles:
        handle.remove()
    assert calls == dict.fromkeys(calls, 1)


def test_results_are_kept_apart_from_what_the_model_writes_into_them() -> None:
    ready = _ready("bert", (4, 6))
    model, (batch,) = ready.model, ready.batches("dev")
    plan = make_plan(model, ready.heads.sites, default_inputs(model))
    assert isinstance(plan, Plan)
    prefix = Prefix(model, plan)
    with torch.inference_mode():
        with prefix.recording():
            whole = ready.run(batch).loss
        handle = model.get_submodule("encoder.layer.0").register_forward_hook(lambda *a: _double(a[2]))
        for _ in range(2):
            with prefix.resumed(ready.heads.sites[1], 1):
                ready.run(batch)
        handle.remove()
        with prefix.resumed(ready.heads.sites[1], 1):
            torch.testing.assert_close(ready.run(batch).loss, whole)


def _double(output: object) -> None:
    for tensor in output if isinstance(output, tuple) else (output,):
        assert isinstance(tensor, Tensor)
        tensor.mul_(2)


def test_a_pass_from_the_middle_leaves_nothing_behind() -> None:
    ready = _ready("bert", (4, 6))
    model, (batch,) = ready.model, ready.batches("dev")
    plan = make_plan(model, ready.heads.sites, default_inputs(model))
    assert isinstance(plan, Plan)
    before = [(len(m._forward_hooks), len(m._forward_pre_hooks), set(vars(m))) for m in model.modules()]
    prefix = Prefix(model, plan)
    with torch.inference_mode(), prefix.recording():
        ready.run(batch)
    with pytest.raises(KeyError), prefix.resumed(ready.heads.sites[1], 2):
        raise KeyError
    after = [(len(m._forward_hooks), len(m._forward_pre_hooks), set(vars(m))) for m in model.modules()]
    assert before == after


def test_gates_between_open_and_closed_take_shortcuts_too() -> None:
    ready = _ready("llama", (3, 6), (2, 9))
    gates = np.ones((5, len(ready.heads)))
    gates[1, 0], gates[2, -1], gates[3, [1, 6]], gates[4, 5] = 0.5, 0.0, (0.2, 1.5), -1
    short = MaskedEvaluator(ready, threads=1).answers("dev", gates)
    assert find_shortcut(ready) is not None
    whole = MaskedEvaluator(ready, threads=1, shortcuts=False).answers("dev", gates)
    np.testing.assert_allclose(short.loss, whole.loss, rtol=2e-4)
    closed = MaskedEvaluator(ready, threads=1).answers("dev", gates != 0)
    np.testing.assert_allclose(closed.loss[2], short.loss[2], rtol=2e-4)
