"""Rows of attention between words: those of all words of a text are its map."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from probing.errors import ProbingError
from probing.representations.reductions.word_level import word_attention
from probing.representations.reductions.word_rows import SPECIAL, WordRows, special_attention
from tests.attention import attention_of, token_batch
from tests.representations.test_word_targets import PIECES, WORDS, of_words

START = 1 + len(SPECIAL)


def weights(*size: int) -> Tensor:
    return torch.rand(*size, generator=torch.Generator().manual_seed(0), dtype=torch.float64).softmax(-1)


@pytest.mark.parametrize("rows", ["mean", "first"])
def test_the_rows_of_a_text_are_its_map(rows: str) -> None:
    batch = of_words(weights(2, 3, 7, 7), [PIECES, PIECES[:4]], [WORDS, WORDS[:4]])
    found = WordRows(6, rows).reduce(batch)  # type: ignore[arg-type]
    assert found.dtype == torch.float64
    assert found.shape == (6, 3, len(WordRows(6).columns))
    assert found[:, 0, 0].tolist() == [0, 1, 2, 3, 0, 1]
    whole = word_attention(batch, rows)  # type: ignore[arg-type]
    torch.testing.assert_close(found[:4, :, START : START + 4].transpose(0, 1), whole[0])
    torch.testing.assert_close(found[4:, :, START : START + 2].transpose(0, 1), whole[1, :, :2, :2])
    assert float(found[4:, :, START + 2 :].abs().max()) == 0


def test_a_row_with_its_special_tokens_sums_to_1() -> None:
    found = WordRows(4).reduce(of_words(weights(1, 2, 7, 7), [PIECES], [WORDS]))
    torch.testing.assert_close(found[:, :, [1, 2, *range(START, START + 4)]].sum(2), found.new_ones(4, 2))


def test_attention_of_special_tokens_is_summed_over_pieces_and_averaged_over_separators() -> None:
    own = weights(1, 2, 7, 7)
    pieces = ["[CLS]", "un", "##til", "[SEP]", "it", "rains", "[SEP]"]
    words = [-1, 0, 0, -1, 1, 2, -1]
    found = special_attention(attention_of(own, token_batch([pieces], words=[words])))[0]
    torch.testing.assert_close(found[:, 0, 0], own[0, :, [1, 2], 0].mean(1))
    torch.testing.assert_close(found[:, 1, 1], own[0, :, 4, [3, 6]].sum(1))
    torch.testing.assert_close(found[:, 0, 2], own[0, :, 0, [1, 2]].sum(1))
    torch.testing.assert_close(found[:, 0, 3], own[0][:, [3, 6]][:, :, [1, 2]].sum(2).mean(1))


def test_without_special_tokens_the_first_piece_is_the_first_token() -> None:
    own = weights(1, 2, 4, 4)
    words = [0, 0, 1, 2]
    found = special_attention(attention_of(own, token_batch([PIECES[1:5]], words=[words])))[0]
    torch.testing.assert_close(found[:, 1, 0], own[0, :, 2, 0])
    assert float(found[:, :, [1, 3]].abs().max()) == 0


def test_a_word_without_a_token_of_its_own_has_the_number_of_the_one_that_it_shares() -> None:
    batch = of_words(weights(1, 2, 7, 7), [PIECES], [WORDS])
    shared = batch.tokens.clone()
    shared[2] = shared[1]
    shared[3] |= shared[1]  # touches the token before, and has one of its own
    found = WordRows(4).reduce(type(batch)(batch.weights, batch.real, shared, batch.texts, batch.inputs))
    assert found[:, 0, 0].tolist() == [0, 1, 1, 3]


def test_texts_without_words_have_rows_of_zeros_and_longer_texts_are_refused() -> None:
    found = WordRows(4).reduce(attention_of(weights(1, 2, 7, 7), token_batch([PIECES])))
    assert found.shape == (1, 2, START + 4)
    assert float(found[0, 0, 0]) == -1
    assert float(found[:, :, START:].abs().max()) == 0
    with pytest.raises(ProbingError, match="a text has 4 words"):
        WordRows(3).reduce(of_words(weights(1, 2, 7, 7), [PIECES], [WORDS]))


def test_padding_changes_nothing_even_where_a_model_computes_nan() -> None:
    own = weights(1, 2, 4, 4)
    alone = WordRows(4).reduce(of_words(own, [PIECES[:4]], [WORDS[:4]]))
    both = weights(2, 2, 7, 7)
    both[0] = torch.nn.functional.pad(own[0], (0, 3, 0, 3))
    both[0, :, 4:] = torch.nan
    together = WordRows(4).reduce(of_words(both, [PIECES[:4], PIECES], [WORDS[:4], WORDS]))
    torch.testing.assert_close(together[:2], alone)
