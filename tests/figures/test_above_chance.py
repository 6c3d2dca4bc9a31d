"""Scores above chance: the numbers, where they are the default, and how a picture names them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import QuadMesh

from probing import draw_grid, draw_profiles, draw_sheet
from probing.errors import ProbingError
from probing.figures.arrange import arrange
from probing.figures.picture import Picture
from probing.figures.pictures import draw_sweep
from probing.results.chance import rescaled, usual_value
from tests.figures.frames import frame, put

pytestmark = pytest.mark.slow

BINARY, MANY = frame(task="g/binary", majority=0.5), frame(task="g/many", majority=0.001)
BOTH = pd.concat([BINARY, MANY], ignore_index=True)


def said(picture: Picture) -> str:
    return "\n".join(text.get_text() for text in picture.texts)


def bars(picture: Picture) -> list[str]:
    return [axes.get_ylabel() for axes in picture.axes if axes.get_label() == "bar"]


@pytest.mark.parametrize(
    ("test", "majority", "metric", "expected"),
    [
        (0.75, 0.5, "accuracy", 0.5),
        (0.5, 0.5, "accuracy", 0.0),
        (1.0, 0.9, "macro_f1", 1.0),
        (0.0, 0.5, "accuracy", -1.0),
        (0.1, 0.001, "accuracy", 0.099 / 0.999),
        (0.3, 0.5, "pearson", 0.3),  # guessing has a correlation of 0, whatever the column says
    ],
)
def test_the_scale_is_0_for_the_majority_and_1_for_a_perfect_score(
    test: float, majority: float, metric: str, expected: float
) -> None:
    rows = rescaled(frame(1, 1, test=test, majority=majority, metric=metric))
    assert rows["test"].iloc[0] == pytest.approx(expected)
    assert (rows["majority"] == 0).all()


def test_marks_are_the_same_as_on_plain_scores() -> None:
    rows = put(frame(test_low=0.4, majority=0.45), 0, 1, test=0.3, test_low=0.2, test_high=0.4)
    plain, above = arrange(rows), arrange(rows, value="above_chance")
    for name in ("guessing", "falling", "unscored"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(above, name))
    assert plain.guessing.any()
    assert plain.falling.any()
    assert plain.best == above.best


@pytest.mark.parametrize(
    ("grids", "value"),
    [
        ([BINARY, MANY], "above_chance"),
        ([BINARY, frame(majority=0.503)], "test"),
        ([BINARY, MANY.assign(metric="macro_f1")], "test"),  # on scales of their own anyway
        ([BINARY, MANY, frame(metric="pearson", majority=0.0)], "above_chance"),
        ([BINARY, MANY, frame(metric="mse")], "test"),
        ([BINARY, MANY, frame(majority=np.nan)], "test"),
        ([BINARY, MANY, frame(test=np.nan, majority=np.nan)], "above_chance"),
        ([BINARY], "test"),
    ],
)
def test_it_is_the_default_where_majorities_of_one_metric_differ(
    grids: list[pd.DataFrame], value: str
) -> None:
    assert usual_value(grids) == value


def test_a_sheet_of_tasks_with_2_and_1000_classes_names_the_scale_on_bar_header_and_table() -> None:
    picture = draw_sheet(BOTH)
    assert bars(picture) == ["test accuracy above chance"]
    assert "above chance = (test − majority) ÷ (1 − majority)" in said(picture)  # noqa: RUF001
    expected = (BOTH["test"] - BOTH["majority"]) / (1 - BOTH["majority"])
    assert picture.table["above_chance"].tolist() == pytest.approx(expected.tolist())
    assert picture.table["test"].tolist() == BOTH["test"].tolist()
    assert picture.table["majority"].tolist() == BOTH["majority"].tolist()
    meshes = [mark for axes in picture.axes[:2] for mark in axes.collections if isinstance(mark, QuadMesh)]
    drawn = np.concatenate([np.asarray(mesh.get_array()).ravel() for mesh in meshes])
    np.testing.assert_allclose(np.sort(drawn), np.sort(expected))


def test_value_test_draws_plain_scores() -> None:
    picture = draw_sheet(BOTH, value="test")
    assert bars(picture) == ["test accuracy"]
    assert "above_chance" not in picture.table
    assert "above chance" not in said(picture)


def test_the_contact_sheet_of_a_sweep_uses_the_default(tmp_path: Path) -> None:
    draw_sweep(BOTH, tmp_path)
    assert "above_chance" in pd.read_csv(tmp_path / "sheet.csv")


def test_a_grid_prints_its_numbers_above_chance_and_the_best_head_both_ways() -> None:
    rows = put(frame(3, 4, majority=0.5), 2, 1, test=0.9, test_low=0.85, test_high=0.95)
    picture = draw_grid(rows, value="above_chance")
    (axes,) = (axes for axes in picture.axes if axes.get_label() == "grid")
    assert "80.0" in {text.get_text() for text in axes.texts}
    assert "best: layer 2 head 1, 90.0 % [85.0, 95.0]" in said(picture)
    assert "majority 50.0 % · 80.0 % above chance" in said(picture)
    assert bars(picture) == ["test accuracy above chance"]


def test_far_below_the_majority_is_the_darkest_colour_and_the_bar_says_so() -> None:
    picture = draw_sheet(pd.concat([BINARY, frame(task="g/low", majority=0.9)]))
    bar = next(axes for axes in picture.axes if axes.get_label() == "bar")
    assert bar.get_ylim()[0] == pytest.approx(-0.2)
    assert "≤ −20 %" in {label.get_text() for label in bar.get_yticklabels()}  # noqa: RUF001


def test_profiles_in_one_panel_share_the_scale_and_panels_of_their_own_do_not() -> None:
    layers = BOTH.assign(granularity="layer", head=pd.array([pd.NA] * len(BOTH), dtype="Int64"))[
        BOTH["head"] == 0
    ]
    together, apart = draw_profiles(layers), draw_profiles(BOTH)
    assert together.axes[0].get_ylabel() == "test accuracy above chance"
    assert set(together.table["scale"]) == {"above_chance"}
    expected = (layers["test"] - layers["majority"]) / (1 - layers["majority"])
    assert together.table["score"].tolist() == pytest.approx(expected.tolist())
    assert apart.axes[0].get_ylabel() == "test accuracy"
    assert draw_profiles(BOTH, value="above_chance").axes[0].get_ylabel() == "test accuracy above chance"


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (
            lambda: draw_grid(frame(metric="mse"), value="above_chance"),
            "mse has no highest score; use value=test",
        ),
        (lambda: draw_sheet(frame(majority=np.nan), value="above_chance"), "majority of .* is unknown; use"),
        (lambda: draw_profiles(frame(metric="mse"), value="above_chance"), "mse has no highest score"),
    ],
)
def test_a_score_without_a_majority_or_a_highest_score_is_refused(
    draw: Callable[[], Picture], message: str
) -> None:
    with pytest.raises(ProbingError, match=message):
        draw()
