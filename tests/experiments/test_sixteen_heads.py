"""The p of a head's removal agrees with the interval that is reported next to it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from experiments.sixteen_heads.parts import p_values

pytestmark = pytest.mark.slow


def test_p_is_small_exactly_where_the_interval_leaves_0_out() -> None:
    rng = np.random.default_rng(0)
    value = rng.normal(size=400)
    low, high = value - rng.exponential(size=400), value + 3 * rng.exponential(size=400)
    p = p_values(pd.DataFrame({"value": value, "value_low": low, "value_high": high}))
    np.testing.assert_array_equal(p < 0.05, (low > 0) | (high < 0))


def test_p_of_a_symmetric_interval_is_that_of_the_normal_distribution() -> None:
    frame = pd.DataFrame({"value": [-3.0, 2.0, 0.0]}).assign(
        value_low=lambda f: f["value"] - norm.ppf(0.975), value_high=lambda f: f["value"] + norm.ppf(0.975)
    )
    frame.loc[2, ["value_low", "value_high"]] = 0.0
    assert p_values(frame) == pytest.approx([2 * norm.sf(3), 2 * norm.sf(2), 1])
