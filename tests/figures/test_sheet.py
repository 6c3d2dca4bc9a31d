from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.image import imread

from probing import draw_sheet
from probing.errors import ProbingError
from probing.figures.arrange import arrange
from probing.figures.grids import split_grids
from probing.figures.page import shorten, text_width, wrap
from probing.figures.panel_order import lay_out, sheet_columns
from probing.figures.scale import shades_of
from probing.figures.sheet import sheet_figure
from probing.figures.style import drawing
from tests.figures.frames import frame, put, texts, written

pytestmark = pytest.mark.slow


def tasks(count: int) -> pd.DataFrame:
    return pd.concat([frame(2, 3, task=f"senteval/task{number}") for number in range(count)])


def panels(mixed: pd.DataFrame) -> tuple[Figure, list[Axes]]:
    with drawing():
        figure = sheet_figure([arrange(rows) for rows in split_grids(mixed)])
    return figure, [axes for axes in figure.axes if str(axes.get_label()).startswith("grid")]


def test_writes_both_files_with_every_panel_named(tmp_path: Path) -> None:
    mixed = pd.concat([tasks(2), put(frame(task="senteval/tense", majority=0.5), 1, 2, test=0.99)])
    png, svg, *_ = written(draw_sheet(mixed, tmp_path / "sheet.png"))
    assert imread(png).ndim == 3
    said = texts(svg)
    assert {
        "org/model: 3 tasks",
        "task0",
        "task1",
        "tense",
        "majority 50.0 %",
        "test accuracy above chance",
    } <= set(said)
    assert "best: layer 1 head 2, 99.0 %" in said
    assert any(line.startswith("senteval · heads · mean pooling") for line in said)


def test_same_frame_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (
        written(draw_sheet(tasks(2), tmp_path / "one")),
        written(draw_sheet(tasks(2), tmp_path / "two")),
    )
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_all_panels_share_one_scale_from_the_lowest_majority_to_the_best() -> None:
    mixed = pd.concat([frame(task="a", majority=0.5), frame(task="b", majority=0.1, test=0.9)])
    figure, drawn = panels(mixed)
    meshes = [mark for axes in drawn for mark in axes.collections if isinstance(mark, QuadMesh)]
    assert len({id(mesh.norm) for mesh in meshes}) == 1
    assert (meshes[0].norm.vmin, meshes[0].norm.vmax) == (0.1, 0.9)
    assert sum(axes.get_label() == "bar" for axes in figure.axes) == 1


def test_each_metric_has_a_scale_and_a_bar_of_its_own() -> None:
    graded = frame(task="sts").assign(metric="pearson", majority=0.0)
    graded = graded.assign(test=graded["test"] - 0.6)
    grids = [arrange(rows) for rows in (frame(task="a"), frame(task="b"), graded)]
    shades = shades_of(grids)
    assert shades[0] is shades[1]
    assert shades[0].norm.vmin == pytest.approx(0.167)
    assert (shades[2].norm.vmin, shades[2].norm.vmax) == (graded["test"].min(), graded["test"].max())
    with drawing():
        bars = [axes for axes in sheet_figure(grids).axes if axes.get_label() == "bar"]
    assert [axes.get_ylabel() for axes in bars] == ["test accuracy", "test Pearson correlation"]
    assert "%" not in "".join(label.get_text() for label in bars[1].get_yticklabels())


def test_a_sheet_says_on_how_many_examples_it_rests_and_what_best_is(tmp_path: Path) -> None:
    said = texts(
        written(draw_sheet(pd.concat([frame(), frame(task="b", p_adjusted=0.004)]), tmp_path / "alike")).svg
    )
    header = " · ".join(said)
    assert "n 100 train, 50 dev, 50 test · best: highest test score, p corrected for that choice" in header
    assert any("corrected p 0.004" in line for line in said)
    quick = frame(limit=20, n_train=20, n_test=10)
    said = texts(written(draw_sheet(pd.concat([frame(), quick]), tmp_path / "quick")).svg)
    assert {"n 100 train, 50 dev, 50 test", "n 20 train, 50 dev, 10 test"} <= set(said)
    assert any("limit 20" in line for line in said)


def test_best_head_is_outlined_in_each_panel() -> None:
    _, drawn = panels(tasks(3))
    assert len(drawn) == 3
    for axes in drawn:
        assert [patch.get_label() for patch in axes.patches] == ["best-halo", "best"]


@pytest.mark.parametrize(
    ("count", "columns"), [(1, 1), (2, 2), (5, 5), (6, 3), (7, 4), (10, 5), (12, 4), (50, 5)]
)
def test_rows_are_filled_evenly(count: int, columns: int) -> None:
    assert sheet_columns(count) == columns


def test_models_have_a_band_each_with_tasks_below_each_other() -> None:
    small = pd.concat([frame(task="b", model="small"), frame(task="a", model="small")])
    mixed = pd.concat([small, frame(6, 4, task="a", model="large")])
    layout = lay_out([arrange(rows) for rows in split_grids(mixed)])
    assert [band.model for band in layout.bands] == ["small", "large"]
    places = {
        (band.model, grid.key.task): (row, column)
        for band in layout.bands
        for row, column, grid in band.panels
    }
    assert places == {("small", "b"): (0, 0), ("small", "a"): (0, 1), ("large", "a"): (0, 1)}
    figure, drawn = panels(mixed)
    assert {"small", "large", "2 models, 2 tasks"} <= {text.get_text() for text in figure.texts}
    left = [axes.get_position().x0 for axes in drawn]
    assert left[1] == left[2]
    assert drawn[2].get_position().y1 < drawn[1].get_position().y0


def test_what_differs_is_named_above_each_panel(tmp_path: Path) -> None:
    mixed = pd.concat([frame(seed=0), frame(seed=1), frame(granularity="layer", metric="macro_f1")])
    said = "\n".join(texts(written(draw_sheet(mixed, tmp_path / "sheet"))[1]))
    for part in ("seed 0", "seed 1", "whole layers", "macro F1", "test accuracy", "test macro F1"):
        assert part in said


def test_fifty_panels_do_not_overlap() -> None:
    figure, drawn = panels(pd.concat([frame(2, 2, task=f"task{number}") for number in range(50)]))
    assert len(drawn) == 50
    boxes = [axes.get_position() for axes in drawn]
    assert len({(round(box.x0, 6), round(box.y0, 6)) for box in boxes}) == 50
    with drawing():
        written = [text.get_window_extent() for text in figure.texts]
    frames = [axes.get_window_extent() for axes in drawn]
    assert not any(text.overlaps(box) for text in written for box in frames)


@pytest.mark.parametrize("order", ["head", "score"])
def test_strange_sheets_are_drawn(order: str, tmp_path: Path) -> None:
    mixed = pd.concat(
        [
            frame(1, 1, task="one"),
            frame(task="none", test=np.nan, majority=np.nan),
            frame(3, 4, task="ragged").drop(index=[6, 7, 11]),
            frame(5, task="layers", granularity="layer"),
            frame(task="a_name_that_is_far_too_long_for_one_narrow_panel"),
        ]
    )
    png, svg, *_ = written(draw_sheet(mixed, tmp_path / "sheet", order=order, value="dev"))  # type: ignore[arg-type]
    assert imread(png).ndim == 3
    assert "dev accuracy" in texts(svg)


def test_an_empty_frame_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProbingError, match="no results to draw"):
        draw_sheet(frame().iloc[:0], tmp_path / "sheet")


def test_lines_are_wrapped_between_parts_and_long_names_shortened() -> None:
    assert wrap(["one", "two", "three"], text_width("one · two", 8) + 0.01, 8) == ["one · two", "three"]
    short = shorten("a_name_that_is_far_too_long", 1.0, 8)
    assert text_width(short, 8) <= 1.0
    assert short.startswith("a_n")
    assert "…" in short
    assert shorten("short", 1.0, 8) == "short"
