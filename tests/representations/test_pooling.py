"""Pooling against a loop over lists, under padding on either side."""

from __future__ import annotations

import pytest
import torch

from probing.errors import ProbingError
from probing.representations.reductions.pooling import Pooling, pool

HOWS: tuple[Pooling, ...] = ("first", "last", "mean", "max")


def naive(states: torch.Tensor, tokens: torch.Tensor, how: Pooling) -> torch.Tensor:
    rows = []
    for row, marks in zip(states, tokens, strict=True):
        real = [vector for vector, mark in zip(row, marks, strict=True) if mark]
        stacked = torch.stack(real)
        rows.append(
            {"first": real[0], "last": real[-1], "mean": sum(real) / len(real), "max": stacked.amax(0)}[how]
        )
    return torch.stack(rows)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("shape", [(5, 7, 3, 4), (1, 6, 2, 3), (4, 1, 3, 2), (3, 5, 8)])
@pytest.mark.parametrize("side", ["left", "right", "gaps"])
def test_pooling_agrees_with_a_loop(how: Pooling, shape: tuple[int, ...], side: str) -> None:
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(shape, generator=generator)
    batch, seq = shape[:2]
    lengths = torch.randint(1, seq + 1, (batch, 1), generator=generator)
    tokens = torch.arange(seq) < lengths
    if side == "left":
        tokens = tokens.flip(1)
    if side == "gaps":
        tokens = tokens[:, torch.randperm(seq, generator=generator)]
    torch.testing.assert_close(pool(states, tokens, how), naive(states, tokens, how))


@pytest.mark.parametrize("how", HOWS)
def test_what_lies_on_padding_leaves_no_trace(how: Pooling) -> None:
    states = torch.randn(2, 5, 3)
    tokens = torch.tensor([[True, True, False, False, False], [False, False, False, True, True]])
    spoiled = states.masked_fill(~tokens.unsqueeze(2), torch.nan)
    torch.testing.assert_close(pool(spoiled, tokens, how), pool(states, tokens, how))


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_several_units_of_one_text(how: Pooling, dtype: torch.dtype) -> None:
    """Means are taken in single precision whatever the model computes in."""
    states = torch.randn(2, 6, 4, 3, dtype=dtype)
    texts = torch.tensor([1, 0, 1])
    tokens = torch.tensor([[0, 1, 1, 0, 0, 0], [1, 1, 1, 1, 0, 0], [0, 0, 0, 1, 0, 0]]).bool()
    expected = naive(states.float()[texts], tokens, how)
    torch.testing.assert_close(pool(states, tokens, how, texts).float(), expected)
    states[1, 0] = torch.nan  # no unit has this token
    torch.testing.assert_close(pool(states, tokens, how, texts).float(), expected)


def test_result_keeps_nothing_of_the_states_alive() -> None:
    states = torch.randn(2, 3, 4)
    for how in HOWS:
        pooled = pool(states, torch.ones(2, 3, dtype=torch.bool), how)
        assert pooled.untyped_storage().data_ptr() != states.untyped_storage().data_ptr()
        assert pooled.untyped_storage().nbytes() == pooled.numel() * 4


def test_a_sequence_that_the_model_shortened_is_refused() -> None:
    with pytest.raises(ProbingError, match="3 positions for 6 tokens"):
        pool(torch.randn(1, 3, 4), torch.ones(1, 6, dtype=torch.bool), "mean")
