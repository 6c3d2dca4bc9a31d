"""Masking curves and the path of gates: what their lines, levels and tables hold."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from probing import draw_masking, draw_path
from probing.errors import ProbingError
from probing.figures.masking_curves import CURVES, masking_figure, masking_table
from probing.figures.path import path_figure, path_table
from probing.figures.style import LINES, drawing
from tests.figures import found
from tests.figures.frames import texts, written

pytestmark = pytest.mark.slow


def panel(rows: pd.DataFrame) -> Axes:
    with drawing():
        return masking_figure(masking_table(rows)).axes[0]


def line(axes: Axes, name: str) -> tuple[list[float], list[float]]:
    (drawn,) = (mark for mark in axes.lines if mark.get_label() == name)
    x, y = drawn.get_data()
    return np.asarray(x, dtype=float).tolist(), np.asarray(y, dtype=float).tolist()


def test_a_line_for_each_ranking_runs_from_no_head_masked_to_all() -> None:
    rows = found.masking(12)
    axes = panel(rows)
    for name in CURVES:
        own = rows[rows["variant"] == name].groupby("n_heads")["test"].mean().sort_index(ascending=False)
        x, y = line(axes, name)
        assert x == pytest.approx([100 * (1 - n / 12) for n in own.index])
        assert (x[0], x[-1]) == (0, 100)
        assert y == pytest.approx(own.tolist())


def test_random_orders_have_the_range_of_their_draws_and_no_other_ranking_has() -> None:
    table = masking_table(found.masking(12, draws=4))
    random, others = table[table["variant"] == "random"], table[table["variant"] != "random"]
    assert (random["draws"] == 4).all()
    assert (random["low"] <= random["score"]).all()
    assert (random["high"] > random["low"]).any()
    assert others["low"].isna().all()
    (band,) = panel(found.masking(12, draws=4)).collections
    colour = np.asarray(band.get_facecolor())[0]
    assert to_hex(tuple(colour)) == LINES[list(CURVES).index("random")][0]


@pytest.mark.parametrize(("metric", "limit"), [("accuracy", 0.9 * found.FULL), ("loss", found.FULL / 0.9)])
def test_the_full_score_and_its_threshold_are_levels(metric: str, limit: float, tmp_path: Path) -> None:
    rows = found.masking(12, metric=metric)
    levels = {str(mark.get_label()): mark.get_ydata()[0] for mark in panel(rows).lines}  # type: ignore[index]
    assert levels["full"] == pytest.approx(found.FULL)
    assert levels["threshold"] == pytest.approx(limit)
    lines = texts(written(draw_masking(rows, tmp_path / "curve")).svg)
    assert {"full model", "90 % of its score" if metric == "accuracy" else "its loss / 0.9"} <= set(lines)


def test_how_many_heads_can_go_is_decided_on_dev_and_told_with_test(tmp_path: Path) -> None:
    rows = found.masking(72)
    own = rows[rows["variant"] == "iterative"].sort_values("n_heads", ascending=False)
    passed = own[own["dev"] >= 0.9 * own["dev"].iloc[0]].iloc[-1]
    count = f"iterative: {72 - passed['n_heads']} of 72 heads can be masked"
    expected = f"{count} · selected on dev; test {100 * passed['test']:.1f} %"
    assert expected in texts(written(draw_masking(rows, tmp_path / "curve")).svg)
    assert passed["n_heads"] not in (72, 0)


def test_a_curve_that_ends_at_its_threshold_has_the_scale_of_the_others() -> None:
    rows = found.masking(12)
    short = rows[(rows["variant"] != "iterative") | (rows["n_heads"] > 6)]
    x, _ = line(panel(short), "iterative")
    assert max(x) == pytest.approx(100 * (1 - 7 / 12))


def test_the_table_of_a_curve_holds_what_is_drawn(tmp_path: Path) -> None:
    rows = found.masking(12)
    table = pd.read_csv(written(draw_masking(rows, tmp_path / "curve")).csv)
    x, y = line(panel(rows), "probe")
    own = table[table["variant"] == "probe"].sort_values("masked")
    assert (100 * own["masked"]).tolist() == pytest.approx(x)
    assert own["score"].tolist() == pytest.approx(y)


def test_tasks_have_a_panel_each_and_two_runs_of_one_are_not_mixed(tmp_path: Path) -> None:
    two = pd.concat([found.masking(12), found.masking(12, task="grammar/depth", metric="loss")])
    lines = texts(written(draw_masking(two, tmp_path / "two")).svg)
    assert {"tense", "depth"} <= set(lines)
    with pytest.raises(ProbingError, match="more than one run: key is any of k, other; name one"):
        draw_masking(pd.concat([found.masking(12), found.masking(12, key="other")]), tmp_path / "none")
    with pytest.raises(ProbingError, match="no results of masking"):
        draw_masking(found.gates(), tmp_path / "none")
    assert not list(tmp_path.glob("none*"))


def test_the_path_has_heads_left_and_score_over_the_logarithm_of_lambda(tmp_path: Path) -> None:
    rows = found.gates(6, 12, lambdas=(0.1, 0.001, 0.01))
    path = rows[rows["variant"] == "path"].sort_values("penalty")
    with drawing():
        scores, counts = path_figure(path_table(rows)).axes
    assert line(scores, "test")[0] == [-3, -2, -1]
    assert line(scores, "test")[1] == pytest.approx(path["test"].tolist())
    assert line(counts, "heads")[1] == path["n_heads"].tolist()
    table = pd.read_csv(written(draw_path(rows, tmp_path / "path")).csv)
    assert table["lambda"].tolist() == [0.001, 0.01, 0.1]
    assert table["n_heads"].tolist() == path["n_heads"].tolist()


def test_a_lambda_of_0_stands_left_of_all_others(tmp_path: Path) -> None:
    rows = found.gates(lambdas=(0.0, 0.01, 1.0))
    with drawing():
        scores, _ = path_figure(path_table(rows)).axes
    assert line(scores, "test")[0] == [-3, -2, 0]
    assert {"0", "0.01", "1"} <= set(texts(written(draw_path(rows, tmp_path / "path")).svg))


def test_numbers_below_a_path_do_not_overlap() -> None:
    rows = found.gates(lambdas=tuple(np.geomspace(1e-4, 1e-2, 12).round(6)))
    with drawing():
        figure = path_figure(path_table(pd.concat([rows.assign(task=f"t/{n}") for n in range(4)])))
        named = [label.get_window_extent() for label in figure.axes[1].get_xticklabels() if label.get_text()]
    assert len(named) > 1
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(named))


def test_a_path_without_rows_or_with_two_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProbingError, match="no results of gates"):
        draw_path(found.masking(), tmp_path / "path")
    with pytest.raises(ProbingError, match="more than one run: key is any of k, other; name one"):
        draw_path(pd.concat([found.gates(), found.gates(key="other")]), tmp_path / "path")
