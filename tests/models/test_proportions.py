"""The proportions that a configuration declares are those of the model that is traced."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel

from probing.models.loading import load_model
from probing.models.model_choice import ModelConfig
from probing.models.model_files import find_files
from probing.models.proportions import Proportions, proportions
from probing.models.trace import find_sites
from tests.tiny import make_bart, make_bert, make_gpt2, make_llama, make_mamba, make_t5


@pytest.mark.parametrize("make", [make_bert, make_gpt2, make_llama, make_bart, make_t5])
def test_they_are_those_of_the_traced_model(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    files = find_files(ModelConfig(str(make(tmp_path / "model"))))
    found = proportions(files.settings)
    loaded = load_model(files, device=torch.device("cpu"), dtype=torch.float32)
    model: PreTrainedModel = loaded.model
    heads = [site for site in find_sites(model).heads if not site.cross]
    assert found is not None
    assert found.layers == len(heads)
    assert {(site.heads, site.head_dim) for site in heads} == {(found.heads, found.head_dim)}
    assert found.width == 32


def test_a_model_without_heads_has_none(tmp_path: Path) -> None:
    assert proportions(find_files(ModelConfig(str(make_mamba(tmp_path / "mamba")))).settings) is None


def test_the_weights_of_bert_base_are_about_those_of_its_layers() -> None:
    found = Proportions(12, 768, 12, 64)
    assert found.weights == pytest.approx(85_054_464, rel=0.01)
