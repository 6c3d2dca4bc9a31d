"""The sign-flip test against all patterns of signs, its level, and its correction for the best row."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import binomtest

from probing.statistics.sign_flips import sign_flip_p, sums_by_text


def test_p_is_the_share_of_all_patterns_of_signs() -> None:
    rows = np.random.default_rng(0).normal(0.5, 1, (3, 8))
    p, adjusted = sign_flip_p(rows, draws=20_000)
    signs = np.array(list(product([-1, 1], repeat=8)))
    scaled = rows / np.sqrt((rows**2).sum(1, keepdims=True))
    sums = scaled @ signs.T
    observed = scaled.sum(1, keepdims=True) - 1e-9
    np.testing.assert_allclose(p, (sums >= observed).mean(1), atol=0.01)
    np.testing.assert_allclose(adjusted, (sums.max(0) >= observed).mean(1), atol=0.01)
    assert (adjusted >= p).all()


def test_one_item_a_text_gives_the_exact_test_of_mcnemar() -> None:
    differences = np.repeat([1.0, -1.0, 0.0], [14, 5, 30])[None]
    p, adjusted = sign_flip_p(differences, draws=20_000)
    assert p[0] == pytest.approx(binomtest(14, 19, alternative="greater").pvalue, abs=0.005)
    assert adjusted[0] == p[0]


def test_the_best_of_many_rows_without_an_effect_is_rarely_significant() -> None:
    generator = np.random.default_rng(0)
    smallest = [sign_flip_p(generator.normal(size=(50, 30)), draws=199, seed=at) for at in range(200)]
    assert np.mean([p.min() < 0.05 for p, _ in smallest]) > 0.8
    assert np.mean([adjusted.min() <= 0.05 for _, adjusted in smallest]) <= 0.09


def test_rows_without_differences_and_worse_rows_are_not_significant() -> None:
    p, adjusted = sign_flip_p(np.stack([np.zeros(20), -np.ones(20), np.ones(20)]), draws=999)
    assert p.tolist() == pytest.approx([1, 1, 0.001])
    assert adjusted.tolist() == pytest.approx([1, 1, 0.001])


def test_items_of_a_text_count_together() -> None:
    summed = sums_by_text(np.array([[1.0, 2, 3, 4]]), np.array([7, 3, 7, 3]))
    assert summed.tolist() == [[6, 4]]
    # ten items of one text are no more evidence than the text is
    p, _ = sign_flip_p(sums_by_text(np.ones((1, 10)), np.zeros(10, dtype=np.int64)), draws=999)
    assert p[0] > 0.4


def test_sums_of_many_texts_need_memory_for_the_items_alone() -> None:
    texts = np.random.default_rng(0).integers(0, 10**9, 300_000)
    values = np.ones((2, len(texts)))
    summed = sums_by_text(values, texts)  # a table of items and texts would need 700 GB
    np.testing.assert_array_equal(summed[1], np.unique(texts, return_counts=True)[1])
    assert sums_by_text(values[:, :0], texts[:0]).shape == (2, 0)
