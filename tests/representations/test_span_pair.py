"""Attention between two spans, and over the same distances elsewhere, against a slow loop."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from probing.representations.reductions.span_pair import COLUMNS, SpanPair
from probing.representations.reductions.statistic import AttentionBatch
from tests.attention import attention_of, token_batch

PIECES = ["[CLS]", "a", "b", "c", "d", "e", "[SEP]"]
SPANS = [-1, 0, 0, -1, 1, -1, -1]


def pairs_of(weights: Tensor, pieces: list[list[str]], spans: list[list[int]]) -> AttentionBatch:
    """The attention with one pair of spans for each text; 0 and 1 mark their tokens."""
    batch = attention_of(weights, token_batch(pieces))
    length = weights.shape[2]
    marks = torch.tensor([[*row, *[-1] * (length - len(row))] for row in spans])
    return replace(batch, tokens=marks == 0, second=marks == 1)


def columns(weights: Tensor, pieces: list[list[str]], spans: list[list[int]]) -> dict[str, Tensor]:
    """The columns of each text, (texts, heads) each."""
    found = SpanPair().reduce(pairs_of(weights, pieces, spans))
    return dict(zip(COLUMNS, found.unbind(2), strict=True))


def by_loop(own: np.ndarray, spans: list[int], first: int) -> tuple[float, float]:
    """The attention of one head from one span to the other, and elsewhere, pair by pair."""
    inner = range(1, len(spans) - 1)
    queries, keys = ([at for at in inner if spans[at] == span] for span in (first, 1 - first))
    mean, elsewhere = 0.0, 0.0
    pairs = [(i, j) for i in queries for j in keys]
    for i, j in pairs:
        others = [
            own[q, k] for q in inner for k in inner if k - q == j - i and not (q in queries and k in keys)
        ]
        mean += own[i, j] / len(queries)
        elsewhere += (np.mean(others) if others else own[i, j]) / len(queries)
    return mean, elsewhere


def test_both_directions_are_those_of_a_slow_loop() -> None:
    weights = torch.rand(1, 3, 7, 7, generator=torch.Generator().manual_seed(0)).softmax(-1)
    for spans in (SPANS, [-1, 0, 0, 0, -1, 1, -1], [-1, 0, 0, -1, -1, 1, -1], [-1, 1, 0, 0, 1, 1, -1]):
        found = columns(weights, [PIECES], [spans])
        for head in range(3):
            own = weights[0, head].double().numpy()
            np.testing.assert_allclose(
                [float(found[name][0, head]) for name in ("to_second", "to_second_elsewhere")],
                by_loop(own, spans, 0),
            )
            np.testing.assert_allclose(
                [float(found[name][0, head]) for name in ("to_first", "to_first_elsewhere")],
                by_loop(own, spans, 1),
            )


def test_a_head_that_knows_only_distances_scores_what_it_does_elsewhere() -> None:
    profile = torch.rand(13, generator=torch.Generator().manual_seed(0))
    places = torch.arange(7)
    weights = profile[places - places[:, None] + 6].expand(1, 1, 7, 7)
    found = columns(weights, [PIECES], [SPANS])
    torch.testing.assert_close(found["to_second"], found["to_second_elsewhere"])
    torch.testing.assert_close(found["to_first"], found["to_first_elsewhere"])


def test_a_planted_pair_is_seen_only_where_it_is() -> None:
    weights = torch.full((1, 2, 7, 7), 1 / 7)
    weights[0, 0] = 0
    weights[0, 0, [1, 2], 4] = 1.0
    found = {name: float(values[0, 0]) for name, values in columns(weights, [PIECES], [SPANS]).items()}
    assert found["to_second"] == 1
    assert found["to_second_elsewhere"] == found["to_first"] == 0


def test_pairs_that_cannot_be_seen_are_not_elsewhere() -> None:
    # chunks of four tokens: the spans are in one, and no pair at their distances is visible across chunks
    weights = torch.zeros(1, 1, 7, 7)
    weights[..., :4, :4], weights[..., 4:, 4:] = 1 / 4, 1 / 3
    found = columns(weights, [["a", "b", "c", "d", "e", "f", "g"]], [[0, -1, 1, -1, -1, -1, -1]])
    # two tokens apart: b to d in the chunk of the spans, and e to g
    assert float(found["to_second_elsewhere"]) == pytest.approx((1 / 4 + 1 / 3) / 2)


def test_padding_and_other_texts_change_nothing() -> None:
    torch.manual_seed(0)
    pieces, spans = ["[CLS]", "a", "b", "c", "[SEP]"], [-1, 0, -1, 1, -1]
    short = torch.rand(1, 3, 5, 5).softmax(-1)
    alone = SpanPair().reduce(pairs_of(short, [pieces], [spans]))
    padded = torch.rand(2, 3, 7, 7).softmax(-1)
    padded[0] = torch.nn.functional.pad(short[0], (0, 2, 0, 2))
    padded[0, :, 5:] = torch.nan
    both = SpanPair().reduce(pairs_of(padded, [pieces, PIECES], [spans, SPANS]))
    torch.testing.assert_close(both[:1], alone)
    assert bool(both.isfinite().all())


def test_a_span_without_tokens_is_reported() -> None:
    weights = torch.rand(1, 2, 7, 7).softmax(-1)
    found = columns(weights, [PIECES], [[-1, 0, 0, -1, -1, -1, -1]])
    assert found["both"].tolist() == [[0, 0]]
    assert float(found["to_second"].abs().sum()) == 0


def test_many_pairs_of_one_text_are_each_as_if_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    weights = torch.rand(2, 3, 7, 7, generator=generator).softmax(-1)
    of_texts, spans = [], []
    for text in (1, 0):  # in any order, and more than are reduced at once
        for first, second in itertools.permutations(range(1, 6), 2):
            of_texts.append(text)
            spans.append([{first: 0, second: 1}.get(at, -1) for at in range(7)])
    marks = torch.tensor(spans)
    batch = replace(
        attention_of(weights, token_batch([PIECES, PIECES])),
        tokens=marks == 0, second=marks == 1, texts=torch.tensor(of_texts),
    )  # fmt: skip
    together = SpanPair().reduce(batch)
    assert together.shape == (40, 3, len(COLUMNS))
    alone = [
        SpanPair().reduce(pairs_of(weights[[text]], [PIECES], [span]))
        for text, span in zip(of_texts, spans, strict=True)
    ]
    torch.testing.assert_close(together, torch.cat(alone), rtol=0, atol=1e-12)


def test_a_token_of_both_spans_belongs_to_the_first() -> None:
    weights = torch.rand(1, 2, 7, 7).softmax(-1)
    batch = pairs_of(weights, [PIECES], [SPANS])
    assert batch.second is not None
    shared = replace(batch, second=batch.second | batch.tokens)
    torch.testing.assert_close(SpanPair().reduce(shared), SpanPair().reduce(batch))
    nested = SpanPair().reduce(replace(batch, second=batch.tokens))
    assert nested[..., COLUMNS.index("both")].tolist() == [[0, 0]]


def test_units_without_spans_have_no_attention_between_them() -> None:
    batch = attention_of(torch.rand(1, 2, 7, 7).softmax(-1), token_batch([PIECES]))
    assert not SpanPair().reduce(batch).any()
