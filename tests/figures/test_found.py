"""Grids of what analyses find: their scales, marks, numbers, words and tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from probing import draw_comparison, draw_grid, draw_profiles, draw_sheet
from probing.errors import ProbingError
from probing.figures.arrange import arrange
from probing.figures.grids import split_grids
from probing.figures.heatmap import grid_figure
from probing.figures.naming import minus, variant_name
from probing.figures.scale import shades_of
from probing.figures.sheet import sheet_figure
from probing.figures.style import drawing
from probing.results.effects import effect
from probing.results.grid_key import key_of
from tests.figures import found
from tests.figures.found import of
from tests.figures.frames import frame, texts, written

pytestmark = pytest.mark.slow


def figure_of(rows: pd.DataFrame, order: str = "head") -> Figure:
    with drawing():
        return grid_figure(arrange(rows, order, "value"))  # type: ignore[arg-type]


def said(rows: pd.DataFrame, path: Path) -> list[str]:
    return texts(written(draw_grid(rows, path, value="value")).svg)


LEFT_OUT = of(found.ablation(6, 12), "leave_one_out", metric="accuracy")


@pytest.mark.parametrize("variant", ["leave_one_out", "only_one"])
@pytest.mark.parametrize("metric", ["accuracy", "loss"])
def test_colours_of_differences_reach_as_far_below_0_as_above(variant: str, metric: str) -> None:
    rows = of(found.ablation(6, 12), variant, metric=metric)
    (shades,) = shades_of([arrange(rows, value="value")])
    assert (shades.norm.vmin or 0.0) + (shades.norm.vmax or 0.0) == 0.0
    assert shades.norm.vmax == pytest.approx(rows["value"].abs().max())
    pale = np.array(shades.colour(0.0)[:3])
    assert pale.min() > 0.9


@pytest.mark.parametrize(
    ("rows", "ends"),
    [
        (of(found.importance(), "per_example", normalisation=None), (0.0, 0.0234)),
        (of(found.importance(), "per_example", normalisation="minmax"), (0.0, 1.0)),
        (of(found.gates(), "gate", penalty=0.1), (0.0, 1.0)),
        (of(found.prune(), "kept"), (0.0, 1.0)),
        (found.entropy(), (0.0, 3.5)),
    ],
    ids=["importance", "minmax", "gates", "kept", "entropy"],
)
def test_colours_of_what_is_never_below_0_start_there(rows: pd.DataFrame, ends: tuple[float, float]) -> None:
    (shades,) = shades_of([arrange(rows, value="value")])
    assert (shades.norm.vmin, shades.norm.vmax) == pytest.approx(ends)


@pytest.mark.parametrize("order", ["head", "score"])
@pytest.mark.parametrize(
    "rows",
    [
        LEFT_OUT,
        of(found.ablation(6, 12), "leave_one_out", metric="loss"),
        of(found.ablation(6, 12), "only_one", metric="accuracy"),
        of(found.importance(6, 12), "per_token", normalisation="layer"),
        of(found.gates(6, 12), "gate", penalty=0.01),
    ],
    ids=["score", "loss", "alone", "importance", "gates"],
)
def test_the_cell_of_rank_1_is_outlined(rows: pd.DataFrame, order: str) -> None:
    grid = arrange(rows, order, "value")  # type: ignore[arg-type]
    outline = next(patch for patch in figure_of(rows, order).axes[0].patches if patch.get_label() == "best")
    assert isinstance(outline, Rectangle)
    column, row = (int(number) for number in outline.get_xy())
    first = rows[rows["rank"] == 1].iloc[0]
    assert (grid.layers[row], grid.heads[row, column]) == (first["layer"], first["head"])
    if order == "score":
        assert column == 0


def test_the_frames_rank_as_rows_of_analyses_are_ranked() -> None:
    for rows in (
        LEFT_OUT,
        of(found.ablation(6, 12), "only_one", metric="accuracy"),
        of(found.importance(6, 12), "per_example", normalisation=None),
    ):
        need = effect(rows).to_numpy()
        assert int(need.argmax()) == int((rows["rank"] == 1).to_numpy().argmax())


def test_a_dot_marks_the_cells_whose_interval_holds_0_and_no_other(tmp_path: Path) -> None:
    figure = figure_of(LEFT_OUT)
    (dots,) = (mark for mark in figure.axes[0].collections if mark.get_label() == "guessing")
    dotted = {(int(y), int(x)) for x, y in np.asarray(dots.get_offsets()).tolist()}
    holds = LEFT_OUT[(LEFT_OUT["value_low"] <= 0) & (LEFT_OUT["value_high"] >= 0)]
    assert dotted == {(int(layer), int(head)) for layer, head in holds[["layer", "head"]].to_numpy()}
    assert 0 < len(dotted) < len(LEFT_OUT)
    assert "no difference shown: 95 % interval contains 0" in said(LEFT_OUT, tmp_path / "a")
    assert not any(
        "interval" in line
        for line in said(of(found.importance(), "per_token", normalisation=None), tmp_path / "b")
    )


def test_where_no_number_fits_a_cross_marks_the_differences_that_are_shown_to_be_above_0() -> None:
    rows = of(found.ablation(6, 12), "leave_one_out", metric="loss")
    with drawing():
        figure = sheet_figure([arrange(rows, value="value")])
        large = figure_of(rows)
    (crosses,) = (mark for mark in figure.axes[0].collections if mark.get_label() == "rising")
    places = {(int(y), int(x)) for x, y in np.asarray(crosses.get_offsets()).tolist()}
    above = rows[rows["value_low"] > 0]
    assert places == {(int(layer), int(head)) for layer, head in above[["layer", "head"]].to_numpy()}
    explained = "above 0, including its 95 % interval"
    for drawn, has in ((figure, True), (large, False)):
        assert (explained in [text.get_text() for text in drawn.legends[0].get_texts()]) == has
    assert not any(mark.get_label() == "rising" for mark in large.axes[0].collections)


def test_differences_of_shares_are_in_points_with_their_sign(tmp_path: Path) -> None:
    lines = said(LEFT_OUT, tmp_path / "grid")
    most = minus("largest effect: layer 3 head 4, -4.2 points [-6.0, -2.4]")
    assert any(line.startswith(most) for line in lines)
    assert any("full model 83.2 %" in line for line in lines)
    assert "Δ accuracy (points)" in lines
    numbers = {f"{100 * value:+.1f}" for value in LEFT_OUT["value"]} - {"+0.0", "-0.0"}
    assert {minus(number) for number in numbers} <= set(lines)
    assert {minus("-4"), "+4"} <= set(lines)


def test_small_losses_and_importances_share_a_power_of_ten_that_the_bar_tells(tmp_path: Path) -> None:
    loss = said(of(found.ablation(6, 12), "leave_one_out", metric="loss"), tmp_path / "loss")
    assert "Δ loss (10⁻³ nats)" in loss
    assert "+12.3" in loss
    assert any(
        line.startswith("largest effect: layer 3 head 4, +0.0123 nats [+0.0103, +0.0143]") for line in loss
    )
    importance = said(of(found.importance(6, 12), "per_example", normalisation=None), tmp_path / "importance")
    assert "importance per example (10⁻³ nats)" in importance
    assert {"23.4", "most important: layer 3 head 4, 0.0234 nats"} <= set(importance)


def test_what_was_kept_and_which_gates_are_open_is_counted(tmp_path: Path) -> None:
    kept = said(of(found.prune(6, 12), "kept"), tmp_path / "kept")
    assert {"36 of 72 heads kept", "kept", "removed", "1", "0"} <= set(kept)
    gates = of(found.gates(6, 12), "gate", penalty=0.01)
    assert any(
        line.startswith(f"{(gates['value'] > 0).sum()} of 72 gates open")
        for line in said(gates, tmp_path / "g")
    )


def test_entropy_says_its_mean_and_ends_and_marks_no_head(tmp_path: Path) -> None:
    lines = said(found.entropy(), tmp_path / "grid")
    assert any(
        "lowest: layer 0 head 0, 0.50 nats" in line and "highest: layer 1 head 1" in line for line in lines
    )
    assert not figure_of(found.entropy()).axes[0].patches


def test_a_head_alone_is_said_to_serve_best_and_not_to_be_needed(tmp_path: Path) -> None:
    lines = said(of(found.ablation(), "only_one", metric="accuracy"), tmp_path / "grid")
    assert any(line.startswith("best alone: ") for line in lines)
    assert not any("largest effect" in line for line in lines)


def test_the_table_of_a_grid_holds_what_is_drawn(tmp_path: Path) -> None:
    table = pd.read_csv(written(draw_grid(LEFT_OUT, tmp_path / "grid", value="value")).csv)
    for column in ("value", "value_low", "value_high", "full", "rank", "layer", "head"):
        np.testing.assert_allclose(table[column], LEFT_OUT[column].astype(float))


def test_panels_of_one_measure_share_a_scale_and_those_of_several_have_their_own() -> None:
    shared = pd.concat([LEFT_OUT, of(found.ablation(6, 12), "only_one", metric="accuracy")])
    mixed = found.importance(6, 12)
    norms = []
    for rows in (shared, mixed):
        with drawing():
            figure = sheet_figure([arrange(grid, value="value") for grid in split_grids(rows)])
        drawn = [axes for axes in figure.axes if str(axes.get_label()).startswith("grid")]
        meshes = [mark for axes in drawn for mark in axes.collections if isinstance(mark, QuadMesh)]
        norms.append({(str(mesh.norm.vmin), str(mesh.norm.vmax)) for mesh in meshes})
        for axes in drawn:
            assert [patch.get_label() for patch in axes.patches] == ["best-halo", "best"]
    assert len(norms[0]) == 1
    highest = sorted(
        mixed.groupby(["variant", "normalisation"], dropna=False)["value"].max().astype(float).unique()
    )
    assert sorted(float(high) for high in {high for _, high in norms[1]}) == pytest.approx(highest)


def test_a_sheet_of_several_measures_says_that_each_panel_has_its_own_largest(tmp_path: Path) -> None:
    lines = texts(written(draw_sheet(found.importance(6, 12), tmp_path / "sheet", value="value")).svg)
    assert "importance, of the largest in its panel" in lines
    assert {"100 %", "per example", "per token ÷ layer \N{SCRIPT SMALL L}2", "0.0468 nats"} <= set(lines)
    assert "org/model: importance on grammar/tense" in lines


def test_differences_and_other_numbers_have_no_scale_in_common(tmp_path: Path) -> None:
    rows = pd.concat([LEFT_OUT, of(found.importance(6, 12), "per_example", normalisation=None)])
    with pytest.raises(ProbingError, match=r"differences and other numbers \(ablation, importance\)"):
        draw_sheet(rows, tmp_path / "sheet", value="value")


@pytest.mark.parametrize(("layers", "heads"), [(6, 12), (12, 12), (24, 16)])
def test_letters_of_sheets_lie_on_no_grid_and_no_number_leaves_its_cell(layers: int, heads: int) -> None:
    rows = found.importance(layers, heads)
    with drawing():
        figure = sheet_figure([arrange(grid, value="value") for grid in split_grids(rows)])
        written = [text.get_window_extent() for text in figure.texts]
    frames = [axes.get_window_extent() for axes in figure.axes]
    assert not any(text.overlaps(box) for text in written for box in frames)
    alone = figure_of(of(found.ablation(layers, heads), "leave_one_out", metric="accuracy"))
    axes = alone.axes[0]
    cell = axes.get_window_extent().width / heads
    with drawing():
        assert max(text.get_window_extent().width for text in axes.texts) < cell


def test_grids_of_whole_layers_hold_intervals_too(tmp_path: Path) -> None:
    rows = of(found.ablation(4, 1), "leave_one_out", metric="accuracy").assign(
        granularity="attention", head=None
    )
    lines = said(rows.astype({"head": "Int64"}), tmp_path / "grid")
    assert minus("-4.2 [-6.0, -2.4]") in lines
    assert any(line.startswith(minus("largest effect: layer 2, -4.2 points")) for line in lines)


def test_stacks_are_grids_of_their_own_that_are_told_apart(tmp_path: Path) -> None:
    both = pd.concat([LEFT_OUT.assign(stack=name) for name in ("encoder", "cross")])
    with pytest.raises(ProbingError, match="more than one grid: stack is any of encoder, cross"):
        draw_grid(both, tmp_path / "grid", value="value")
    assert {"encoder", "cross"} <= set(
        texts(written(draw_sheet(both, tmp_path / "sheet", value="value")).svg)
    )


def test_a_column_that_the_rows_do_not_have_is_refused_in_one_line(tmp_path: Path) -> None:
    for rows, value, message in (
        (frame(), "value", "value 'value' is missing in all rows: a probe gives scores; use value=test"),
        (frame().assign(value=np.nan), "value", "a probe gives scores"),
        (
            of(found.importance(), "per_token", normalisation=None),
            "test",
            "missing in all rows of analysis importance; use value=value",
        ),
        (found.masking(), "value", "a masking curve is drawn by draw_masking"),
        (of(found.gates(), "path"), "value", "a path over lambda is drawn by draw_path"),
    ):
        with pytest.raises(ProbingError) as caught:
            draw_grid(
                rows[rows["variant"].isna() | (rows["variant"] == rows["variant"].iloc[0])],
                tmp_path / "g",
                value=value,
            )
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(ProbingError, match="'value' is not a column of scores"):
        draw_profiles(LEFT_OUT, tmp_path / "g", value="value")
    with pytest.raises(ProbingError, match="'value' is not a column of scores"):
        draw_comparison(LEFT_OUT, LEFT_OUT.assign(seed=1), tmp_path / "g", value="value")
    assert not list(tmp_path.iterdir())


def test_scores_of_ablated_models_can_be_drawn_as_scores(tmp_path: Path) -> None:
    lines = texts(written(draw_grid(LEFT_OUT, tmp_path / "grid")).svg)
    assert "test accuracy" in lines


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"variant": "per_example", "normalisation": "minmax"}, "per example, 0 to 1"),
        ({"variant": "leave_one_out", "fill": "mean"}, "without this head, filled with its mean"),
        ({"variant": "only_one", "fill": "uniform"}, "alone in its layer, with uniform attention"),
        ({"variant": "gate", "penalty": 0.01}, "λ 0.01"),
        ({"variant": "open", "penalty": 0.01}, "λ 0.01, P(open)"),
        ({"variant": "something_new"}, "something_new"),
    ],
)
def test_kinds_of_rows_are_written_in_words(columns: dict[str, Any], words: str) -> None:
    assert variant_name(key_of(found.entropy().assign(**columns))) == words
