"""Grids that agree by construction are found to agree, and frames that are not comparable say why."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.cluster.hierarchy import leaves_list

from probing.comparisons.clusters import clusters, linkage
from probing.comparisons.compare import compare, correlations, stability
from probing.errors import ProbingError
from probing.results.schema import as_frame


def grid(scores: NDArray[np.float64], **columns: object) -> pd.DataFrame:
    """Rows of one grid with the given scores, layers down and heads across."""
    fixed: dict[str, object] = {
        "analysis": "probe", "model": "m", "task": "t", "granularity": "head", "pooling": "first",
        "probe": "logistic", "seed": 0, "baseline": "none", "n_heads": 1, "metric": "accuracy", "key": "k",
    }  # fmt: skip
    cells = [(layer, head, float(score)) for (layer, head), score in np.ndenumerate(scores)]
    rows = [{**fixed, "layer": layer, "head": head, "test": score} for layer, head, score in cells]
    return as_frame([row | columns for row in rows])


def scores(seed: int, layers: int = 4, heads: int = 5) -> NDArray[np.float64]:
    return np.random.default_rng(seed).random((layers, heads))


def test_correlations_between_tasks_are_spearmans() -> None:
    one, two = scores(0), scores(1)
    frame = pd.concat([grid(one), grid(two, task="u", metric="macro_f1"), grid(one**3, task="v")])
    matrix = correlations(frame)
    assert list(matrix.index) == list(matrix.columns) == ["t", "u", "v"]
    assert matrix.loc["t", "u"] == pytest.approx(stats.spearmanr(one.ravel(), two.ravel()).statistic)
    assert matrix.loc["t", "v"] == pytest.approx(1)
    np.testing.assert_allclose(matrix, matrix.T)
    np.testing.assert_allclose(np.diag(matrix), 1)


def test_rows_are_paired_by_cell_and_not_by_their_order() -> None:
    one = grid(scores(0))
    matrix = correlations(pd.concat([one, one.assign(task="u").sample(frac=1, random_state=1)]))
    assert matrix.loc["t", "u"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("by", "changes"),
    [
        ("model", {"model": "n", "pooling": "last"}),
        ("seed", {"seed": 1}),
        ("probe", {"probe": "ridge"}),
        ("pooling", {"pooling": "mean"}),
    ],
)
def test_anything_that_tells_grids_apart_can_be_compared_by(by: str, changes: dict[str, object]) -> None:
    matrix = correlations(pd.concat([grid(scores(0)), grid(-scores(0), **changes)]), by=by)
    assert matrix.iloc[0, 1] == pytest.approx(-1)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.concat([grid(scores(0)), grid(scores(0), task="u", seed=1)]), r"seed is any of 0, 1; name one"),
        (
            pd.concat([grid(scores(0)), grid(scores(0), model="n")]),
            r"model is any of m, n; name one, model=",
        ),
        (pd.concat([grid(scores(0)), grid(scores(0), key="l")]), r"task=t is more than one grid: key is any"),
        (pd.concat([grid(scores(0)), grid(scores(0, 3), task="u")]), "t has 20, u has 15; compare layers"),
        (grid(scores(0)).iloc[:0], "has no rows"),
        (grid(scores(0)).drop(columns="test"), "no column 'test'"),
    ],
)
def test_grids_that_are_not_comparable_say_which_column_to_fix(frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(ProbingError, match=message):
        correlations(frame)


def test_planted_families_of_tasks_are_clustered_whatever_grid_is_constant() -> None:
    rng = np.random.default_rng(0)
    families = {"a": scores(0), "b": scores(1)}
    grids = [
        grid(base + 0.1 * rng.random(base.shape), task=f"{name}{number}")
        for number in range(3)
        for name, base in families.items()
    ]
    matrix = correlations(pd.concat([*grids, grid(np.full((4, 5), 0.5), task="constant")]))
    assert matrix.loc["constant"].isna().all()
    found = clusters(matrix, 3)
    for name in families:
        assert len({found[f"{name}{number}"] for number in range(3)}) == 1
    assert set(found) == {1, 2, 3}
    tree = linkage(matrix)
    assert tree.shape == (6, 4)
    assert (np.diff(tree[:, 2]) >= 0).all()
    order = [matrix.index[leaf][0] for leaf in leaves_list(tree)]
    assert "".join(order) in {"aaabbbc", "bbbaaac", "caaabbb", "cbbbaaa", "aaacbbb", "bbbcaaa"}


def test_two_grids_are_compared_by_number() -> None:
    one = scores(0)
    two = one + 0.1
    two[1, 3] += 5
    found = compare(grid(one), grid(two, model="published", key="l"))
    assert found.n == 20
    assert found.mean_difference == pytest.approx(0.1 + 5 / 20)
    assert found.largest_difference == pytest.approx(5.1)
    assert found.largest_at == found.best_b == (1, 3)
    assert found.best_a == divmod(int(one.argmax()), 5)
    assert found.pearson == pytest.approx(np.corrcoef(one.ravel(), two.ravel())[0, 1])
    assert found.spearman == pytest.approx(stats.spearmanr(one.ravel(), two.ravel()).statistic)
    assert found.top_k == 2
    assert "20 common cells" in str(found)
    same = compare(grid(one), grid(one))
    assert same.spearman == pytest.approx(1)
    assert (same.top_overlap, same.mean_absolute_difference) == (1, 0)


def test_only_common_cells_count_and_without_one_there_is_nothing_to_compare() -> None:
    assert compare(grid(scores(0)), grid(scores(0, 2))).n == 10
    layers = grid(scores(0, 4, 1)).assign(granularity="layer", head=pd.array([pd.NA] * 4, dtype="Int64"))
    with pytest.raises(ProbingError, match="head rows and layer rows; compare one granularity"):
        compare(grid(scores(0)), layers)
    with pytest.raises(ProbingError, match="the second is more than one grid: task is any of t, u"):
        compare(grid(scores(0)), pd.concat([grid(scores(0)), grid(scores(0), task="u")]))
    assert compare(layers, layers).best_a == (int(scores(0, 4, 1).argmax()),)


def test_stability_is_that_of_the_ranking() -> None:
    one, rng = scores(0, 6, 10), np.random.default_rng(0)
    same = [grid(one + 0.01 * seed, seed=seed) for seed in range(3)]
    noisy = [grid(rng.random(one.shape), seed=seed, task="noise") for seed in range(3)]
    found = stability(pd.concat([*same, *noisy, grid(one, task="once")]))
    assert list(found["task"]) == ["t", "noise"]
    n, mean, least, overlap = found[["n", "spearman_mean", "spearman_min", "top_overlap"]].to_numpy(float).T
    assert list(n) == [3, 3]
    assert (mean[0], least[0], overlap[0]) == (pytest.approx(1), pytest.approx(1), 1)
    assert abs(mean[1]) < 0.3
    assert least[1] <= mean[1]
    assert overlap[1] < 0.5
    with pytest.raises(ProbingError, match="no grid has more than one seed"):
        stability(grid(one))
