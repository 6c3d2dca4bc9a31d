"""Language-model losses are the library's own, and what is masked depends on the text alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import probing
from probing.config.compose import compose_config, plain_values
from probing.config.run_config import build_config
from probing.objectives.objective import Evaluator
from probing.runs.prepare import prepare
from tests import tiny

pytestmark = pytest.mark.slow


def _ready(root: Path, model: Path, *more: str) -> Evaluator:
    asked = [f"paths.root={root}", "model=hf", f"model.name={model}", "analysis=importance", "objective=lm",
             "task=grammar/tense", "task.n_train=20", "task.n_dev=20", "task.n_test=20", *more]  # fmt: skip
    return prepare(build_config(plain_values(compose_config(asked)))).context().evaluator()


@pytest.mark.parametrize(
    "make", [tiny.make_causal, tiny.make_llama, tiny.make_masked, tiny.make_bart, tiny.make_t5]
)
def test_the_loss_is_that_of_the_library(make: Callable[[Path], Path], tmp_path: Path) -> None:
    ready = _ready(tmp_path / "out", make(tmp_path / "model"))
    for batch in ready.batches("dev"):
        labels = batch.extra["labels"]
        shifted = "decoder_input_ids" not in batch.inputs and ready.model.config.model_type in {
            "gpt2",
            "llama",
        }
        if shifted:  # the library shifts by itself
            labels = torch.cat([torch.full_like(labels[:, :1], -100), labels[:, :-1]], 1)
        with torch.no_grad():
            own = ready.model(**batch.inputs, labels=labels).loss
            output = ready.run(batch)
        assert float(output.loss.sum() / batch.counts.sum()) == pytest.approx(float(own), rel=1e-4)
        assert (output.answer.numpy() <= batch.counts).all()


def test_what_is_masked_does_not_depend_on_the_batch(tmp_path: Path) -> None:
    model = tiny.make_masked(tmp_path / "model")
    found = []
    for tokens in (32, 4096):
        ready = _ready(tmp_path / "out", model, f"extract.batch_tokens={tokens}")
        loss = np.zeros(len(ready.task))
        for batch in ready.batches("dev"):
            with torch.no_grad():
                loss[batch.rows] = ready.run(batch).loss.numpy()
        found.append(loss)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4, atol=1e-5)
    assert found[0].sum() > 0


@pytest.mark.parametrize("make", [tiny.make_bart, tiny.make_t5])
def test_an_encoder_decoder_has_a_grid_for_every_stack(make: Callable[[Path], Path], tmp_path: Path) -> None:
    model = ["model=hf", f"model.name={make(tmp_path / 'model')}"]
    base = [f"paths.root={tmp_path / 'out'}", *model, "objective=lm",
            "task=grammar/tense", "task.n_train=20", "task.n_dev=20", "task.n_test=20"]  # fmt: skip
    for analysis, variant in (("importance", "per_example"), ("ablation", "leave_one_out")):
        frame = probing.run([*base, f"analysis={analysis}"])
        rows = frame[frame["main"] & (frame["variant"] == variant)]
        assert rows.groupby("stack").size().to_dict() == {"encoder": 8, "decoder": 8, "cross": 8}
        assert rows["value"].astype(float).abs().max() > 0
        assert rows["rank"].min() == 1
