"""Shapes of attention maps: planted lines, diagonals and blocks, and what uniform attention gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from probing.analyses.map_patterns import PATTERNS, Rules, excess
from probing.representations.reductions.shapes import SHAPES, Shapes
from probing.representations.reductions.token_batch import TokenBatch
from tests.attention import attention_of, token_batch

N = 12


def two_segments() -> TokenBatch:
    """[CLS], five tokens, [SEP], four tokens, [SEP]."""
    inputs = token_batch([["[CLS]", *"abcde", "[SEP]", *"fghi", "[SEP]"]])
    inputs.segments[0, 7:11] = 1
    return inputs


def columns(weights: Tensor, inputs: TokenBatch) -> dict[str, NDArray[np.float64]]:
    found = Shapes().reduce(attention_of(weights, inputs)).numpy()
    return dict(zip(Shapes().columns, found.transpose(2, 0, 1), strict=True))


def planted() -> Tensor:
    """A map of each pattern, (1, 5, N, N)."""
    lines = torch.zeros(N, N)
    lines[:, [0, 6, 11]] = 1 / 3
    diagonal = torch.eye(N).roll(1, 1)
    diagonal[-1] = torch.eye(N)[-1]
    same = torch.zeros(N, N)
    same[:7, :7], same[7:, 7:] = 1 / 7, 1 / 5
    return torch.stack([lines, diagonal, (lines + diagonal) / 2, same, torch.full((N, N), 1 / N)])[None]


def test_a_map_of_each_pattern_is_found_to_have_it() -> None:
    found = Rules().patterns(columns(planted(), two_segments()))
    assert [PATTERNS[number] for number in found[0]] == list(PATTERNS)


def test_excess_is_0_for_uniform_attention_and_1_for_the_shape_alone() -> None:
    found = columns(planted(), two_segments())
    for at, name in enumerate(SHAPES):
        counted = "in_segments" if name == "block" else "queries"
        above = excess(found, name, counted)[0]
        assert above[4] == pytest.approx(0, abs=1e-6)
        assert above[[0, 1, 3][at]] == pytest.approx(1, abs=1e-6)


def test_one_segment_has_no_blocks() -> None:
    inputs = token_batch([["[CLS]", *["a"] * (N - 2), "[SEP]"]])
    found = columns(planted(), inputs)
    assert not found["in_segments"].any()
    assert "block" not in {PATTERNS[number] for number in Rules().patterns(found)[0]}


def test_causal_attention_is_compared_with_the_tokens_before() -> None:
    before = torch.ones(N, N).tril()
    uniform = before / before.sum(1, keepdim=True)
    sink = torch.zeros(N, N)
    sink[:, 0] = 1
    back = torch.eye(N).roll(-1, 1).tril() + 1e-9 * before
    found = columns(torch.stack([uniform, sink, back])[None], two_segments())
    assert (found["queries"] == N - 1).all()
    assert excess(found, "vertical", "queries")[0, 0] == pytest.approx(0, abs=1e-6)
    numbers = Rules().patterns(found)[0]
    assert [PATTERNS[number] for number in numbers] == ["heterogeneous", "vertical", "diagonal"]


def test_padding_and_other_texts_change_nothing() -> None:
    torch.manual_seed(0)
    short = torch.rand(1, 3, 5, 5).softmax(-1)
    pieces = ["[CLS]", "a", "b", "c", "[SEP]"]
    alone = Shapes().reduce(attention_of(short, token_batch([pieces])))
    padded = torch.rand(2, 3, 8, 8).softmax(-1)
    padded[0] = torch.nn.functional.pad(short[0], (0, 3, 0, 3))
    padded[0, :, 5:, :5] = 1 / 5  # what a model computes for queries that are padding means nothing
    together = Shapes().reduce(attention_of(padded, token_batch([pieces, [*pieces, *pieces[:3]]])))
    torch.testing.assert_close(together[0], alone[0], atol=1e-6, rtol=1e-5)
