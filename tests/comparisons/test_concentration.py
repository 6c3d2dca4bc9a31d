"""Tasks that are localised or distributed by construction are told apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from probing.comparisons.concentration import concentration, gini
from probing.errors import ProbingError
from tests.comparisons.test_compare import grid


def heads(scores: NDArray[np.float64], task: str) -> pd.DataFrame:
    """A grid whose intervals are 0.05 wide on either side."""
    rows = grid(scores, task=task, majority=0.5)
    return rows.assign(test_low=rows["test"] - 0.05, test_high=rows["test"] + 0.05)


def top(gains: list[float], sizes: list[int], task: str) -> pd.DataFrame:
    """A run of top heads with the given gains over majority."""
    rows = grid(np.array([gains]) + 0.5, task=task, majority=0.5, granularity="top_heads", variant="top")
    nothing = pd.array([pd.NA] * len(sizes), dtype="Int64")
    return rows.assign(layer=nothing, head=nothing, n_heads=pd.array(sizes, dtype="Int64"), key="l")


def test_gini_is_half_the_mean_difference_over_the_mean() -> None:
    values = np.random.default_rng(0).random(30)
    by_definition = np.abs(values[:, None] - values).mean() / (2 * values.mean())
    assert gini(values) == pytest.approx(by_definition)
    assert gini(np.ones(7)) == pytest.approx(0)
    assert gini(np.eye(8)[3]) == pytest.approx(1 - 1 / 8)
    assert np.isnan(gini(np.zeros(4)))


def test_one_head_that_knows_is_localised_and_all_heads_that_know_are_not() -> None:
    one = np.full((4, 5), 0.5)
    one[2, 3] = 0.9
    frame = pd.concat([heads(one, "one"), heads(np.full((4, 5), 0.8), "all")])
    found = concentration(frame).set_index("task")
    assert found["gini"].to_dict() == pytest.approx({"one": 1 - 1 / 20, "all": 0})
    assert found["above_majority"].to_dict() == pytest.approx({"one": 1 / 20, "all": 1})
    assert found["with_best"].to_dict() == {"one": 1, "all": 20}
    assert found["n_95"].isna().all()


def test_few_top_heads_reach_what_all_reach_or_gain_grows_with_their_number() -> None:
    sizes = [1, 2, 3, 4, 10]
    frame = pd.concat(
        [top([0.38, 0.4, 0.4, 0.4, 0.4], sizes, "one"), top([0.1 * n for n in sizes], sizes, "all")]
    )
    found = concentration(frame.sample(frac=1, random_state=0)).set_index("task")
    assert found["n_95"].to_dict() == {"one": 1, "all": 10}
    by_hand = (0.95 / 2 + (0.95 + 1) / 2 + 8) / 10
    assert found["area"].to_dict() == pytest.approx({"one": by_hand, "all": 0.5})


def test_single_heads_and_top_heads_of_a_task_share_a_row() -> None:
    frame = pd.concat([heads(np.full((2, 2), 0.8), "t"), top([0.2, 0.3], [1, 4], "t"), top([0.1], [1], "u")])
    found = concentration(frame).set_index("task")
    assert sorted(found.index) == ["t", "u"]
    assert found[["n_heads", "n_95"]].T.to_dict()["t"] == {"n_heads": 4, "n_95": 4}
    assert found["gini"].isna().to_dict() == {"t": False, "u": True}


def test_random_and_permuted_heads_are_no_part_and_twice_the_same_is_refused() -> None:
    rows = top([0.2, 0.3], [1, 4], "t")
    noise = rows.assign(test=0.9, variant="random", draw=0)
    pd.testing.assert_frame_equal(concentration(pd.concat([rows, noise])), concentration(rows))
    with pytest.raises(ProbingError, match="more than one grid: key is any of l, m; name one"):
        concentration(pd.concat([rows, rows.assign(key="m")]))
    with pytest.raises(ProbingError, match="no rows of heads"):
        concentration(grid(np.ones((2, 1)), granularity="layer"))
