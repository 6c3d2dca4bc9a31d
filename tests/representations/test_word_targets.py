"""The words that a word's attention singles out, on attention whose answers are known, and padded."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from probing.representations.reductions.statistic import AttentionBatch
from probing.representations.reductions.word_targets import COLUMNS, WordTargets
from tests.attention import attention_of, token_batch

PIECES = ["[CLS]", "un", "##til", "now", "it", "rains", "[SEP]"]
WORDS = [-1, 0, 0, 1, 2, 3, -1]


def of_words(weights: Tensor, pieces: list[list[str]], words: list[list[int]]) -> AttentionBatch:
    """The attention with a unit for every word of every text."""
    whole = attention_of(weights, token_batch(pieces, words=words))
    units = [(text, word) for text, row in enumerate(words) for word in range(max(row) + 1)]
    assert whole.inputs is not None
    tokens = torch.stack([whole.inputs.words[text] == word for text, word in units])
    return replace(whole, tokens=tokens, texts=torch.tensor([text for text, _ in units]))


def columns(batch: AttentionBatch, rows: str = "mean") -> dict[str, Tensor]:
    """The columns of each word, (words, heads) each."""
    found = WordTargets(rows).reduce(batch)  # type: ignore[arg-type]
    assert found.dtype == torch.float64
    return dict(zip(COLUMNS, found.unbind(2), strict=True))


def pointing(*targets: int) -> Tensor:
    """Attention of words 0 to 3 to these words by 0.6, to themselves by 0.3, to [CLS] by 0.1."""
    found = torch.zeros(1, 1, 7, 7)
    first = [1, 3, 4, 5]
    for query in range(1, 6):
        word = WORDS[query]
        found[0, 0, query, first[targets[word]]] += 0.6
        found[0, 0, query, query] += 0.3
        found[0, 0, query, 0] += 0.1
    return found


def test_planted_words_are_found_in_both_directions() -> None:
    found = columns(of_words(pointing(1, 2, 3, 0), [PIECES], [WORDS]))
    assert found["to"].T.tolist() == [[1, 2, 3, 0]]
    assert found["from"].T.tolist() == [[3, 0, 1, 2]]
    assert found["to_earlier"].T.tolist() == [[-1, -1, -1, 0]]
    assert found["from_earlier"].T.tolist() == [[-1, 0, 1, 2]]


def test_the_transposed_attention_answers_in_the_other_direction() -> None:
    weights = torch.rand(1, 3, 7, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    inner = weights.clone()
    inner[:, :, [1, 2]] = inner[:, :, [1, 2]].mean(2, keepdim=True)  # so that pieces of a word do not matter
    inner[..., [1, 2]] = inner[..., [1, 2]].mean(3, keepdim=True)
    inner[:, :, [1, 2]] /= 2**0.5
    inner[..., [1, 2]] /= 2**0.5
    scaled = inner.clone()
    scaled[:, :, [1, 2]] *= 2**0.5
    scaled[..., [1, 2]] /= 2**0.5
    turned = inner.transpose(2, 3).clone()
    turned[:, :, [1, 2]] *= 2**0.5
    turned[..., [1, 2]] /= 2**0.5
    one = columns(of_words(scaled, [PIECES], [WORDS]))
    two = columns(of_words(turned, [PIECES], [WORDS]))
    assert one["to"].tolist() == two["from"].tolist()
    assert one["from"].tolist() == two["to"].tolist()


def test_the_word_itself_and_special_tokens_are_never_found() -> None:
    weights = torch.zeros(1, 1, 7, 7)
    weights[..., 0] = 0.5  # most attention to [CLS]
    weights += 0.4 * torch.eye(7)
    weights[..., 4] += 0.1
    found = columns(of_words(weights, [PIECES], [WORDS]))
    assert found["to"].T.tolist() == [[2, 2, -1, 2]]


def test_the_first_of_equal_words_counts() -> None:
    found = columns(of_words(torch.full((1, 1, 5, 5), 1 / 5), [PIECES[:1] + PIECES[3:]], [[-1, 0, 1, 2, -1]]))
    assert found["to"].T.tolist() == [[1, 0, 0]]
    assert found["from"].T.tolist() == [[1, 0, 0]]


def test_a_first_word_of_a_causal_model_has_no_other_word() -> None:
    weights = torch.ones(1, 1, 7, 7).tril()
    found = columns(of_words(weights / weights.sum(3, keepdim=True), [PIECES], [WORDS]))
    assert found["to"].T.tolist() == [[-1, 0, 0, 0]]
    assert found["from"].T.tolist() == [[1, 2, 3, -1]]


def test_padding_and_other_texts_change_nothing() -> None:
    torch.manual_seed(0)
    short = torch.rand(1, 3, 4, 4).softmax(-1)
    alone = WordTargets().reduce(of_words(short, [PIECES[:4]], [WORDS[:4]]))
    padded = torch.rand(2, 3, 7, 7).softmax(-1)
    padded[0] = torch.nn.functional.pad(short[0], (0, 3, 0, 3))
    padded[0, :, 4:] = torch.nan
    together = WordTargets().reduce(of_words(padded, [PIECES[:4], PIECES], [WORDS[:4], WORDS]))
    torch.testing.assert_close(together[:2], alone)


def test_a_unit_that_is_not_a_word_has_no_answers() -> None:
    batch = attention_of(torch.rand(1, 2, 7, 7), token_batch([PIECES]))
    assert WordTargets().reduce(batch).tolist() == [[[-1] * 4 + [0, -1, 0, -1]] * 2]
