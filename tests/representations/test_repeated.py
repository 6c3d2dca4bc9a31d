"""Vectors are a function of the text, and finite; a model whose vectors are not is refused by layer."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import probing
from probing.errors import ProbingError
from probing.models.loading import load_model
from probing.models.model_choice import ModelConfig
from probing.models.model_files import find_files
from probing.representations.forward import ModelReader
from probing.representations.passes import estimate
from probing.representations.request import Request
from probing.representations.settings import ExtractConfig
from probing.tasks.task import Unit

pytestmark = pytest.mark.slow

UNITS = [
    Unit(text) for text in ("the old dog sees a cat .", "a river .", "farmers walk slowly and see horses")
]


class Dropped(nn.Module):
    """Dropout that no evaluation mode switches off, as some models with code of their own have it."""

    def forward(self, states: Tensor) -> Tensor:
        return nn.functional.dropout(states, 0.5, training=True)


class Rounded(nn.Module):
    """Sums in no fixed order, as on graphics cards."""

    def forward(self, states: Tensor) -> Tensor:
        return states * (1 + 1e-6 * torch.rand(()))


def _reader(folder: Path) -> ModelReader:
    files = find_files(ModelConfig(str(folder)))
    loaded = load_model(files, device=torch.device("cpu"))
    request = Request(
        model=files.identity, site="head", reduction="first", max_length=None, dtype="float32", transformers=5
    )
    return ModelReader.of(loaded, request, ExtractConfig(device="cpu", threads=1))


def test_a_model_that_draws_at_random_is_refused_before_it_is_read(tiny_bert: Path) -> None:
    reader = _reader(tiny_bert)
    assert estimate([reader], UNITS) > 0
    reader.loaded.model.get_submodule("encoder.layer.0.output").dropout = Dropped()
    with pytest.raises(ProbingError, match=r"^layer 1: two passes .* computes something at random"):
        estimate([reader], UNITS)
    reader.loaded.model.get_submodule("encoder.layer.0.output").dropout = Rounded()
    assert estimate([reader], UNITS) > 0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_values_beyond_half_precision_name_the_layer_and_a_dtype_that_works(
    dtype: str, tiny_bert: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_bert, tmp_path / "large"))
    weights = load_file(folder / "model.safetensors")
    for name in ("weight", "bias"):
        weights[f"encoder.layer.1.attention.self.value.{name}"] *= 1e7
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    run = [f"paths.root={tmp_path / 'out'}", "model=hf", f"model.name={folder}", "task=grammar/tense",
           "task.n_train=40", "task.n_dev=20", "task.n_test=20", "extract.threads=1",
           "probe.l2=[0.01]"]  # fmt: skip
    if dtype == "float16":
        with pytest.raises(ProbingError, match=r"^layer 1 head 0: .* use extract\.dtype=float32$"):
            probing.run([*run, f"extract.dtype={dtype}"])
        assert not list((tmp_path / "out").rglob("*.parquet"))
        dtype = "float32"
    rows = probing.run([*run, f"extract.dtype={dtype}"])
    assert set(rows["layer"]) == {0, 1, 2}
    assert rows["test"].notna().all()
