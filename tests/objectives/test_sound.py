"""A model whose loss is NaN, or another each time, is refused before anything is made of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from probing.ablations.evaluate import MaskedEvaluator
from probing.cli import main as cli
from probing.errors import ProbingError
from probing.objectives.language import Language
from probing.objectives.sound import check_sound
from tests.objectives.made import ready_of, small
from tests.tiny import make_bert, make_causal, make_masked


class Dropped(nn.Module):
    """Dropout that no evaluation mode switches off."""

    def forward(self, states: Tensor) -> Tensor:
        return nn.functional.dropout(states, 0.5, training=True)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (make_masked, ["analysis=importance", "objective=lm"]),
        (make_masked, ["analysis=ablation", "objective=lm"]),
        (make_bert, ["analysis=ablation", "objective=readout"]),
        (make_bert, ["analysis=entropy"]),
    ],
)
def test_a_model_that_gives_nan_is_one_line(
    make: Callable[[Path], Path], words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make(tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    for name in weights:
        if name.endswith("encoder.layer.1.output.dense.weight"):
            weights[name] *= float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    root = tmp_path / "out"
    code = cli.main(
        [f"paths.root={root}", "model=hf", f"model.name={folder}", "task=grammar/tense", "task.n_train=20",
         "task.n_dev=10", "task.n_test=10", "extract.threads=1", *words]
    )  # fmt: skip
    last = capsys.readouterr().err.splitlines()[-1]
    assert code == cli.MISTAKE
    assert last.startswith("probing: ")
    assert "not finite (NaN or infinity); the model's weights" in last
    assert not list((root / "results").rglob("*.parquet"))


@pytest.mark.parametrize("make", [make_masked, make_causal])
def test_a_loss_that_is_drawn_at_random_is_refused(make: Callable[[Path], Path], tmp_path: Path) -> None:
    ready = ready_of(make(tmp_path / "model"), Language(), small())
    assert check_sound(ready, "float32") is ready
    for module in list(ready.model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Dropout):
                setattr(module, name, Dropped())
    with pytest.raises(ProbingError, match=r"losses that differ .* computes something at random"):
        check_sound(ready, "float32")


def test_a_loss_that_is_nan_only_under_a_mask_is_no_score(tmp_path: Path) -> None:
    ready = ready_of(make_masked(tmp_path / "model"), Language(), small())
    masks = np.ones((1, len(ready.heads)), dtype=bool)
    assert np.isfinite(MaskedEvaluator(ready, threads=1).answers("test", masks).loss).all()
    parameter = next(
        p for name, p in ready.model.named_parameters() if name.endswith("1.output.dense.weight")
    )
    parameter.data *= float("nan")
    with pytest.raises(ProbingError, match="loss is NaN"):
        MaskedEvaluator(ready, threads=1).answers("test", masks)
