from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from probing.errors import ProbingError
from probing.figures.arrange import arrange, only_grid
from probing.figures.grids import ABSENT, split_grids
from tests.figures.frames import frame, put


def test_rows_are_layers_from_the_input_and_columns_are_heads() -> None:
    rows = frame(3, 4)
    grid = arrange(rows.sample(frac=1, random_state=0))
    assert grid.layers == (0, 1, 2)
    assert grid.heads.tolist() == [[0, 1, 2, 3]] * 3
    for _, row in rows.iterrows():
        assert grid.scores[row["layer"], row["head"]] == row["test"]
        assert grid.low[row["layer"], row["head"]] == row["test_low"]


def test_order_by_score_sorts_each_layer_and_keeps_head_numbers() -> None:
    rows = frame(3, 4)
    plain, ranked = arrange(rows), arrange(rows, "score")
    assert (np.diff(ranked.scores, axis=1) <= 0).all()
    for row in range(3):
        assert plain.scores[row, ranked.heads[row]].tolist() == ranked.scores[row].tolist()
        assert plain.low[row, ranked.heads[row]].tolist() == ranked.low[row].tolist()


def test_value_names_the_column_and_intervals_belong_to_test() -> None:
    grid = arrange(frame(), value="dev")
    assert grid.scores[0, 0] == frame()["dev"].iloc[0]
    assert np.isnan(grid.low).all()


@pytest.mark.parametrize("order", ["head", "score"])
def test_best_of_equals_is_the_lowest_layer_then_the_lowest_head(order: str) -> None:
    rows = put(put(put(frame(3, 4), 1, 3, test=0.99), 1, 2, test=0.99), 2, 0, test=0.99)
    grid = arrange(rows, order)  # type: ignore[arg-type]
    assert grid.best is not None
    assert (grid.layers[grid.best[0]], grid.heads[grid.best]) == (1, 2)


def test_ragged_layers_and_missing_scores_are_told_apart() -> None:
    rows = put(frame(3, 4), 0, 1, test=np.nan)
    rows = rows[~((rows["layer"] == 2) & (rows["head"] >= 2))]
    grid = arrange(rows)
    assert grid.heads[2].tolist() == [0, 1, ABSENT, ABSENT]
    assert grid.unscored.sum() == 1
    assert grid.unscored[0, 1]
    ranked = arrange(rows, "score")
    assert ranked.heads[0, -1] == 1
    assert ranked.heads[2, 2:].tolist() == [ABSENT, ABSENT]


def test_no_score_means_no_best_head() -> None:
    assert arrange(frame(test=np.nan)).best is None


def test_guessing_is_an_interval_that_reaches_the_majority() -> None:
    rows = put(frame(2, 2, majority=0.2), 0, 0, test=0.22, test_low=0.2)
    assert arrange(rows).guessing.tolist() == [[True, False], [False, False]]
    assert not arrange(rows, value="dev").guessing.any()


def test_an_interval_below_the_majority_has_a_mark_of_its_own() -> None:
    rows = put(frame(2, 2), 0, 0, test=0.05, test_low=0.01, test_high=0.12)
    rows = put(rows, 0, 1, test=0.167, test_low=0.1, test_high=0.2)
    grid = arrange(rows)
    assert grid.guessing.tolist() == [[False, True], [False, False]]
    assert grid.falling.tolist() == [[True, False], [False, False]]
    alone = arrange(rows.assign(test_low=np.nan, test_high=np.nan))
    assert not (alone.guessing | alone.falling).any()  # without an interval nothing is said
    correlation = arrange(rows.assign(metric="pearson", test_low=-0.2, test_high=-0.1, majority=np.nan))
    assert correlation.falling.all()


def test_layers_have_one_column_from_the_embeddings_upward() -> None:
    grid = arrange(frame(4, granularity="layer"))
    assert grid.layers == (-1, 0, 1, 2, 3)
    assert grid.scores.shape == (5, 1)


def test_grids_keep_the_order_of_the_frame() -> None:
    mixed = pd.concat([frame(task="b"), frame(task="a"), frame(task="b", seed=1)])
    for column in ("model", "task", "granularity"):
        mixed[column] = mixed[column].astype("category")
    grids = [(rows["task"].iloc[0], rows["seed"].iloc[0]) for rows in split_grids(mixed)]
    assert grids == [("b", 0), ("a", 0), ("b", 1)]


def test_several_grids_or_none_are_refused_in_one_line() -> None:
    with pytest.raises(ProbingError, match="more than one grid: task is any of a, b; name one") as caught:
        only_grid(pd.concat([frame(task="a"), frame(task="b")]))
    assert "\n" not in str(caught.value)
    with pytest.raises(ProbingError, match="no results to draw"):
        only_grid(frame().iloc[:0])


def test_two_rows_of_one_head_are_refused() -> None:
    with pytest.raises(ProbingError, match="layer 0 head 0 has 2 rows"):
        arrange(pd.concat([frame(), frame()]))


def test_missing_values_of_the_stored_frame_are_read_as_nan() -> None:
    rows = frame(2, 2).convert_dtypes()
    rows[["test_low", "majority"]] = pd.NA
    grid = arrange(rows)
    assert np.isnan(grid.majority)
    assert np.isnan(grid.low).all()
    assert grid.scores.tolist() == arrange(frame(2, 2)).scores.tolist()


def test_unknown_value_and_order_are_refused() -> None:
    with pytest.raises(ProbingError, match="use test or dev"):
        arrange(frame(), value="train")
    with pytest.raises(ProbingError, match="use head or score"):
        arrange(frame(), "layer")  # type: ignore[arg-type]
