"""Correlations with their tree, and two grids against each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from scipy.stats import spearmanr

from probing import draw_comparison, draw_correlations
from probing.comparisons.clusters import linkage
from probing.comparisons.compare import correlations
from probing.errors import ProbingError
from probing.figures.comparison import _beside, comparison_figure
from probing.figures.correlations import correlations_figure
from probing.figures.grids import split_grids
from probing.figures.pair_table import square
from probing.figures.style import drawing
from probing.results.grid_key import key_of
from probing.statistics.intervals import fisher
from tests.figures.frames import frame, put, texts, written

pytestmark = pytest.mark.slow


def tasks(count: int, layers: int = 4, heads: int = 5) -> pd.DataFrame:
    """Tasks 0 and 2 are alike, and so are 1 and 3: even ones rise with the layer, odd ones fall."""
    generator = np.random.default_rng(0)
    grids = []
    for number in range(count):
        rows = frame(layers, heads, task=f"senteval/task{number}")
        rising = rows["layer"].to_numpy(dtype=float) * (-1) ** number
        grids.append(rows.assign(test=0.5 + 0.05 * rising + generator.normal(0, 0.01, len(rows))))
    return pd.concat(grids, ignore_index=True)


def axes_of(figure: Figure, label: str) -> Axes:
    return next(axes for axes in figure.axes if axes.get_label() == label)


def test_the_matrix_is_written_in_the_order_of_its_tree(tmp_path: Path) -> None:
    rows = tasks(4)
    files = written(draw_correlations(rows, tmp_path / "tasks"))
    pairs = pd.read_csv(files.csv)
    names = list(dict.fromkeys([*pairs["first"], *pairs["second"]]))
    matrix = square(names, pairs, "rho")
    assert list(matrix.index) == list(matrix.columns)
    assert {frozenset(matrix.index[:2]), frozenset(matrix.index[2:])} == {
        frozenset({"senteval/task0", "senteval/task2"}),
        frozenset({"senteval/task1", "senteval/task3"}),
    }
    scores = [rows.loc[rows["task"] == task, "test"].to_numpy() for task in matrix]
    np.testing.assert_allclose(matrix, spearmanr(np.stack(scores, axis=1)).statistic)
    assert (pairs["n"] == 20).all()
    for rho, *ends in pairs[["rho", "low", "high"]].to_numpy(dtype=float).tolist():
        assert ends == pytest.approx(fisher(rho, 20, "spearman"))
    said = texts(files.svg)
    low, high = pairs[["low", "high"]].iloc[0]
    assert said.count(f"[{low:.2f}, {high:.2f}]".replace("-", "−")) == 2  # noqa: RUF001
    assert said.count("task0") == 2
    assert "1.00" in said
    assert any("ρ" in text for text in said)  # noqa: RUF001


@pytest.mark.parametrize(("count", "intervals", "words"), [(10, 90, "in brackets"), (11, 0, "in the table")])
def test_intervals_are_in_the_cells_of_small_matrices_and_in_the_table_of_all(
    count: int, intervals: int, words: str
) -> None:
    picture = draw_correlations(tasks(count))
    texts_of_cells = [text.get_text() for text in axes_of(picture, "matrix").texts]
    assert sum(text.startswith("[") for text in texts_of_cells) == intervals
    assert any(
        f"95 % intervals {words}" in text.get_text().replace("interval ", "intervals ")
        for text in picture.texts
    )
    assert picture.table[["low", "high"]].notna().all(axis=None)
    assert (picture.table["low"] <= picture.table["rho"]).all()
    picture.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axes_of(picture, "matrix").texts]
    assert not any(one.overlaps(other) for place, one in enumerate(boxes) for other in boxes[:place])


def test_branches_join_at_one_minus_the_correlation() -> None:
    rows = tasks(2)
    matrix = correlations(rows, by="task")
    keys = [key_of(grid) for grid in split_grids(rows)]
    with drawing():
        figure = correlations_figure(matrix, linkage(matrix), keys, "task")
    (branches,) = axes_of(figure, "tree").collections
    assert isinstance(branches, LineCollection)
    assert max(x for x, _ in branches.get_segments()[0]) == pytest.approx(1 - matrix.to_numpy()[0, 1])
    assert [y for _, y in branches.get_segments()[0]] == [0.5, 0.5, 1.5, 1.5]


def test_seeds_and_models_can_be_compared_too(tmp_path: Path) -> None:
    seeds = pd.concat([tasks(1).assign(seed=seed) for seed in (3, 4, 5)])
    said = texts(written(draw_correlations(seeds, tmp_path / "seeds", by="seed")).svg)
    assert "org/model: rank correlation of heads between seeds" in said
    assert said.count("3") == 2
    models = pd.concat([tasks(1).assign(model=model) for model in ("a", "b")])
    assert "2 models: rank correlation of heads between models" in texts(
        written(draw_correlations(models, tmp_path / "models", by="model")).svg
    )


def test_a_task_without_scores_is_grey_and_explained(tmp_path: Path) -> None:
    rows = tasks(3)
    rows.loc[rows["task"] == "senteval/task1", "test"] = np.nan
    said = texts(written(draw_correlations(rows, tmp_path / "tasks")).svg)
    assert "no correlation" in said
    assert said.count("task1") == 2


def test_names_of_sixteen_tasks_do_not_overlap() -> None:
    rows = tasks(16, 2, 3)
    matrix = correlations(rows)
    with drawing():
        figure = correlations_figure(matrix, linkage(matrix), [key_of(g) for g in split_grids(rows)], "task")
        figure.draw_without_rendering()
        axes = axes_of(figure, "matrix")
        boxes = [label.get_window_extent() for label in (*axes.get_xticklabels(), *axes.get_yticklabels())]
    assert min(float(label.get_fontsize()) for label in axes.get_xticklabels()) >= 6
    assert not any(one.overlaps(other) for place, one in enumerate(boxes) for other in boxes[:place])


def test_one_task_and_grids_that_differ_in_more_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ProbingError, match="task has 1 value to compare"):
        draw_correlations(tasks(1), tmp_path / "tasks")
    with pytest.raises(ProbingError, match="seed"):
        draw_correlations(pd.concat([tasks(2), tasks(2).assign(seed=1)]), tmp_path / "tasks")
    with pytest.raises(ProbingError, match="no results to draw"):
        draw_correlations(tasks(1).iloc[:0], tmp_path / "tasks")
    assert not list(tmp_path.iterdir())


def test_a_comparison_says_rank_correlation_and_mean_difference(tmp_path: Path) -> None:
    one = tasks(2)
    two = one.assign(probe="senteval", test=one["test"] ** 2 + 0.1).sample(frac=1, random_state=0)
    files = written(draw_comparison(one, two, tmp_path / "probes"))
    table = pd.read_csv(files.csv)
    assert len(table) == len(one)
    assert set(table["probe_a"]) == {"logistic"}
    assert set(table["probe_b"]) == {"senteval"}
    np.testing.assert_allclose(table["test_b"], table["test_a"] ** 2 + 0.1)
    said = texts(files.svg)
    assert {"org/model: test accuracy, cell by cell", "logistic probe", "senteval probe", "equal"} <= set(
        said
    )
    assert sum("ρ 1.00" in text for text in said) == 2  # noqa: RUF001
    for _, cells in table.groupby("task"):
        points = 100 * (cells["test_b"] - cells["test_a"]).mean()
        assert any(f"{points:+.1f} points".replace("-", "−") in text for text in said)  # noqa: RUF001


def test_each_cell_is_a_dot_on_axes_of_one_scale() -> None:
    one = tasks(1)
    two = put(one.assign(seed=1), 0, 0, test=np.nan)
    table = _beside(one, two, "test")
    with drawing():
        figure = comparison_figure(table, [(key_of(one), key_of(two))], {"senteval/task0": ()})
    axes = axes_of(figure, "panel-0-0")
    assert axes.get_xlim() == axes.get_ylim()
    (dots,) = (mark for mark in axes.collections if isinstance(mark, PathCollection))
    expected = one["test"].to_numpy()[1:]
    np.testing.assert_array_equal(np.asarray(dots.get_offsets()), np.stack([expected, expected], axis=1))


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "two"
    with pytest.raises(ProbingError, match="no task is on both sides: the first has a, the second b"):
        draw_comparison(frame(task="a"), frame(task="b"), path)
    with pytest.raises(ProbingError, match="the first has several grids of a"):
        draw_comparison(pd.concat([frame(task="a"), frame(task="a", seed=1)]), frame(task="a"), path)
    with pytest.raises(ProbingError, match="accuracy and macro_f1 cannot be compared"):
        draw_comparison(frame(), frame(metric="macro_f1"), path)
    with pytest.raises(ProbingError, match="no scored cell in common"):
        draw_comparison(frame(), frame(granularity="layer"), path)
    assert not list(tmp_path.iterdir())


def test_layers_and_heads_of_a_layer_together_can_be_compared(tmp_path: Path) -> None:
    table = pd.read_csv(
        written(
            draw_comparison(frame(granularity="layer"), frame(granularity="attention"), tmp_path / "two")
        ).csv
    )
    assert table["layer"].tolist() == [0, 1, 2]
