"""Means over texts whose moments alone are kept, against all texts at once."""

from __future__ import annotations

import numpy as np

from probing.statistics.ratios import ratio, ratio_of_blocks


def test_blocks_give_what_all_texts_give() -> None:
    generator = np.random.default_rng(0)
    counts = np.broadcast_to(generator.integers(0, 9, (40, 1)).astype(float), (40, 5)).copy()
    sums = counts * generator.uniform(0.2, 0.4, (40, 5))
    sums[:, 4] = 0  # a head has no distance to itself
    parts = [(sums[start : start + 7], counts[start : start + 7]) for start in range(0, 40, 7)]
    for whole, blocks in zip(ratio(sums, counts), ratio_of_blocks(parts), strict=True):
        np.testing.assert_allclose(blocks, whole, rtol=1e-10, atol=1e-12)


def test_one_text_has_no_interval() -> None:
    value, low, high = ratio_of_blocks([(np.array([[3.0]]), np.array([[6.0]]))])
    assert value.tolist() == [0.5]
    assert np.isnan([low, high]).all()
