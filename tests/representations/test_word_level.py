"""Attention between words: keys are summed over pieces and queries averaged."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from probing.errors import ProbingError
from probing.representations.reductions.statistic import AttentionBatch
from probing.representations.reductions.word_level import word_attention
from tests.attention import attention_of, token_batch

PIECES = ["[CLS]", "un", "##til", "now", ",", "it", "[SEP]"]
WORDS = [-1, 0, 0, 1, -1, 3, -1]  # the comma is outside of words, and word 2 has no token


def weights(*size: int, seed: int = 0) -> Tensor:
    """Random attention in float64 whose rows sum to 1."""
    return torch.rand(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).softmax(-1)


def by_loop(own: np.ndarray, members: list[int], rows: str) -> np.ndarray:
    """Attention of one head between words, word by word."""
    count = max(members) + 1
    places = [[at for at, word in enumerate(members) if word == each] for each in range(count)]
    found = np.zeros((count, count))
    for i, queries in enumerate(places):
        for j, keys in enumerate(places):
            chosen = queries if rows == "mean" else queries[:1]
            if chosen:
                found[i, j] = np.mean([sum(own[query, key] for key in keys) for query in chosen])
    return found


@pytest.mark.parametrize("rows", ["mean", "first"])
def test_words_attend_as_a_slow_loop_says(rows: str) -> None:
    own = weights(2, 3, 7, 7)
    inputs = token_batch([PIECES, PIECES[:4]], words=[WORDS, WORDS[:4]])
    own[1, :, :, 4:] = 0
    found = word_attention(attention_of(own, inputs), rows)  # type: ignore[arg-type]
    assert found.shape == (2, 3, 4, 4)
    for head in range(3):
        np.testing.assert_allclose(found[0, head], by_loop(own[0, head].numpy(), WORDS, rows), atol=1e-12)
        short = by_loop(own[1, head, :4, :4].numpy(), WORDS[:4], rows)
        np.testing.assert_allclose(found[1, head, :2, :2], short, atol=1e-12)
    assert float(found[1, :, 2:].abs().max()) == float(found[1, :, :, 2:].abs().max()) == 0


def test_a_row_sums_to_what_other_tokens_leave() -> None:
    own = weights(1, 2, 7, 7)
    found = word_attention(attention_of(own, token_batch([PIECES], words=[WORDS])))
    outside = own[:, :, :, [0, 4, 6]].sum(-1)
    torch.testing.assert_close(found.sum(-1)[:, :, 0], 1 - outside[:, :, 1:3].mean(-1))
    torch.testing.assert_close(found.sum(-1)[:, :, [1, 3]], 1 - outside[:, :, [3, 5]])
    assert float(found[:, :, 2].abs().max()) == float(found[:, :, :, 2].abs().max()) == 0


def test_mean_and_first_differ_only_for_words_of_several_pieces() -> None:
    batch = attention_of(weights(1, 2, 7, 7), token_batch([PIECES], words=[WORDS]))
    mean, first = word_attention(batch), word_attention(batch, "first")
    torch.testing.assert_close(mean[:, :, 1:], first[:, :, 1:])
    assert float((mean - first)[:, :, 0].abs().max()) > 0.01
    torch.testing.assert_close(first[0, :, 0, 1], batch.weights[0, :, 1, 3])


def test_other_texts_and_padding_change_nothing_even_where_a_model_computes_nan() -> None:
    own = weights(1, 2, 4, 4)
    inputs = token_batch([PIECES[:4]], words=[WORDS[:4]])
    alone = word_attention(attention_of(own, inputs))
    both = weights(2, 2, 7, 7, seed=1)
    both[0] = torch.nn.functional.pad(own[0], (0, 3, 0, 3))
    both[0, :, 4:] = torch.nan
    together = word_attention(attention_of(both, token_batch([PIECES[:4], PIECES], words=[WORDS[:4], WORDS])))
    torch.testing.assert_close(together[:1, :, :2, :2], alone)
    assert bool(together.isfinite().all())


def test_texts_without_words_have_none() -> None:
    found = word_attention(attention_of(weights(1, 2, 7, 7), token_batch([PIECES])))
    assert found.shape == (1, 2, 0, 0)


def test_half_precision_is_summed_in_single() -> None:
    found = word_attention(attention_of(weights(1, 2, 7, 7).half(), token_batch([PIECES], words=[WORDS])))
    assert found.dtype == torch.float32


def test_attention_that_is_not_between_tokens_is_refused() -> None:
    inputs = token_batch([PIECES], words=[WORDS])
    pooled = AttentionBatch(weights(1, 2, 3, 7), inputs.real, inputs.real, None, inputs, 1)
    with pytest.raises(ProbingError, match=r"^layer 1: its 3 queries and 7 keys are not the 7 tokens"):
        word_attention(pooled)
