from __future__ import annotations

import itertools
import threading
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import imread

from probing import draw_grid
from probing.errors import ProbingError
from probing.figures.arrange import arrange
from probing.figures.heatmap import grid_figure
from probing.figures.style import drawing
from tests.figures.frames import frame, put, texts, written

pytestmark = pytest.mark.slow


def draw(rows: pd.DataFrame, **how: str) -> tuple[Figure, Axes]:
    with drawing():
        figure = grid_figure(arrange(rows, **how))  # type: ignore[arg-type]
    return figure, next(axes for axes in figure.axes if axes.get_label() == "grid")


def test_writes_pictures_that_say_what_they_show_and_a_table(tmp_path: Path) -> None:
    rows = put(frame(6, 12), 4, 7, test=0.924, test_low=0.901, test_high=0.942)
    png, svg, *_ = written(draw_grid(rows, tmp_path / "new" / "trec"))
    assert (png, svg) == (tmp_path / "new" / "trec.png", tmp_path / "new" / "trec.svg")
    assert imread(png).shape[1] > 1000
    said = "\n".join(texts(svg))
    for part in ("senteval/trec", "org/model", "mean pooling", "seed 0", "layer", "head", "test accuracy"):
        assert part in said
    assert "best: layer 4 head 7, 92.4 % [90.1, 94.2]" in said
    assert "majority 16.7 %" in said
    assert {"majority", "16.7 %"} <= set(texts(svg))
    assert "92.4" in said.split("\n")
    assert sorted(path.suffix for path in png.parent.iterdir()) == [".csv", ".pdf", ".png", ".svg"]


def test_a_suffix_is_replaced_but_a_version_number_kept(tmp_path: Path) -> None:
    assert written(draw_grid(frame(), tmp_path / "a.png"))[1] == tmp_path / "a.svg"
    assert written(draw_grid(frame(), tmp_path / "qwen2.5"))[0] == tmp_path / "qwen2.5.png"


def test_same_rows_give_the_same_bytes_whatever_the_users_settings(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in written(draw_grid(frame(), tmp_path / "one"))]
    with mpl.rc_context({"font.size": 30, "svg.fonttype": "path", "axes.grid": True, "savefig.dpi": 50}):
        second = [path.read_bytes() for path in written(draw_grid(frame(), tmp_path / "two"))]
        assert mpl.rcParams["font.size"] == 30
    assert first == second
    assert b"<dc:date>" not in first[1]


def test_threads_do_not_disturb_each_other(tmp_path: Path) -> None:
    alone = written(draw_grid(frame(), tmp_path / "alone"))[1].read_bytes()
    paths = [tmp_path / f"thread{number}" for number in range(2)]
    threads = [threading.Thread(target=draw_grid, args=(frame(), path)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(path.with_suffix(".svg").read_bytes() == alone for path in paths)


def test_layer_0_is_at_the_bottom_and_heads_count_from_0() -> None:
    _, axes = draw(frame(3, 4))
    assert axes.get_ylim() == (0, 3)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0", "1", "2"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "1", "2", "3"]
    assert axes.get_xlabel() == "head"


def test_sorted_heads_have_no_numbers() -> None:
    _, axes = draw(frame(3, 4), order="score")
    assert axes.get_xlabel() == "heads, sorted within each layer"
    assert len(axes.get_xticks()) == 0


def test_best_head_is_outlined_and_guesses_are_dotted() -> None:
    rows = put(frame(3, 4), 1, 2, test=0.95)
    rows = put(rows, 0, 1, test=0.17, test_low=0.12)
    _, axes = draw(rows)
    best = next(patch for patch in axes.patches if patch.get_label() == "best")
    assert best.get_xy() == (2, 1)  # type: ignore[attr-defined]
    dots = next(mark for mark in axes.collections if mark.get_label() == "guessing")
    assert np.floor(dots.get_offsets()).tolist() == [[1, 0]]


def test_colours_run_from_the_majority_to_the_best_head() -> None:
    rows = frame(3, 4)
    _, axes = draw(rows)
    norm = axes.collections[0].norm
    assert (norm.vmin, norm.vmax) == (0.167, rows["test"].max())


def test_a_layer_profile_prints_intervals_and_names_the_embeddings(tmp_path: Path) -> None:
    rows = frame(12, granularity="layer")
    said = texts(written(draw_grid(rows, tmp_path / "profile"))[1])
    assert "emb" in said
    top = rows.iloc[-1]
    assert f"{100 * top.test:.1f} [{100 * top.test_low:.1f}, {100 * top.test_high:.1f}]" in said
    assert any(line.startswith("best: layer 11, ") for line in said)


def test_values_are_printed_where_they_can_be_read() -> None:
    assert len(draw(frame(6, 12))[1].texts) == 72
    assert len(draw(frame(24, 16))[1].texts) == 384
    assert len(draw(frame(48, 32))[1].texts) == 0


@pytest.mark.parametrize("shape", [(6, 12), (24, 16), (48, 32)])
def test_axis_numbers_do_not_overlap(shape: tuple[int, int]) -> None:
    figure, axes = draw(frame(*shape))
    with drawing():
        figure.canvas.draw()
        across = [label.get_window_extent() for label in axes.get_xticklabels()]
        upward = [label.get_window_extent() for label in axes.get_yticklabels()]
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(across))
    assert all(low.y1 < high.y0 for low, high in itertools.pairwise(upward))


@pytest.mark.parametrize(
    "rows",
    [
        frame(1, 1),
        frame(1, 1, test=0.5, majority=0.5),
        frame(3, 4, test=0.0, test_low=0.0, majority=0.0),
        frame(3, 4, test=np.nan, test_low=np.nan, test_high=np.nan),
        frame(3, 4, majority=np.nan),
        frame(3, 4, test_low=np.nan, test_high=np.nan),
        put(frame(3, 4), 1, 1, test=np.nan),
        frame(3, 4).drop(index=[6, 7, 11]),
        frame(3, 4, model="a_$x$" * 20, metric="macro_f1"),
        frame(2, granularity="layer"),
    ],
    ids=[
        "one cell", "all equal", "all zero", "no scores", "no majority", "no intervals", "a score missing",
        "ragged", "odd names", "layers",
    ],
)  # fmt: skip
def test_strange_grids_are_drawn(rows: pd.DataFrame, tmp_path: Path) -> None:
    png, svg, *_ = written(draw_grid(rows, tmp_path / "grid", order="score"))
    assert imread(png).ndim == 3
    assert texts(svg)


def test_a_missing_score_is_explained(tmp_path: Path) -> None:
    assert "no score" in texts(written(draw_grid(put(frame(), 1, 1, test=np.nan), tmp_path / "grid"))[1])


def test_rows_of_two_grids_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(ProbingError, match="more than one grid: seed is any of 0, 1"):
        draw_grid(pd.concat([frame(seed=0), frame(seed=1)]), tmp_path / "grid")
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    png = written(draw_grid(frame(), tmp_path / "grid")).png
    before = png.read_bytes()

    def fail(_: Path, target: Path) -> None:
        raise OSError(f"no room for {target}")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="no room"):
        draw_grid(frame(test=0.9), tmp_path / "grid")
    assert png.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 4
