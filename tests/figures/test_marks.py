"""Legends, bands, axis names and titles: what they show is what is drawn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection, PolyCollection, QuadMesh
from matplotlib.colors import to_hex, to_rgba
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

import probing
from probing.figures.picture import Picture
from tests.figures import found
from tests.figures.frames import checkpoints, frame, put, top_heads

pytestmark = pytest.mark.slow

MARKED = put(
    put(put(frame(3, 4, majority=0.4), 0, 0, test=0.41, test_low=0.3, test_high=0.5), 0, 2, test=np.nan),
    1, 1, test=0.2, test_low=0.1, test_high=0.3,
)  # fmt: skip
LEFT_OUT = found.of(found.ablation(6, 12), "leave_one_out", metric="accuracy")
SEEDS = pd.concat([frame(seed=seed) for seed in (1, 2)])
PROBES = pd.concat([frame(probe=probe) for probe in ("logistic", "ridge")])
MEASURES = pd.concat([found.of(found.importance(), "per_example", normalisation=None), found.entropy()])


def legend(picture: Picture) -> dict[str, list[Line2D]]:
    (box,) = picture.legends
    assert isinstance(box, Legend)
    lines: dict[str, list[Line2D]] = {}
    for text, handle in zip(box.get_texts(), box.legend_handles, strict=True):
        own = handle if isinstance(handle, tuple) else [handle]
        lines[text.get_text()] = [mark for mark in own if isinstance(mark, Line2D)]
    return lines


def shade(mesh: QuadMesh, number: float) -> float:
    """The place of a number on the colour scale of a mesh, from 0 to 1."""
    return float(np.asarray(mesh.norm(np.array([number])))[0])


def samples(picture: Picture) -> list[Line2D]:
    """All lines that the legend draws, in their order."""
    (box,) = picture.legends
    return [mark for mark in box.findobj(Line2D) if isinstance(mark, Line2D)]


@pytest.mark.parametrize(
    ("draw", "marks"),
    [
        (lambda: probing.draw_grid(MARKED), {"guessing": "o", "falling": "v"}),
        (lambda: probing.draw_sheet(MARKED), {"guessing": "o", "falling": "v"}),
        (lambda: probing.draw_sheet(frame(24, 32, majority=0.5)), {"guessing": "o", "falling": "v"}),
        (lambda: probing.draw_grid(MARKED, value="above_chance"), {"guessing": "o", "falling": "v"}),
        (lambda: probing.draw_grid(LEFT_OUT, value="value"), {"guessing": "o"}),
    ],
    ids=["grid", "sheet", "small cells", "above chance", "differences"],
)
def test_a_mark_in_the_legend_has_the_shape_colour_size_and_background_of_one_in_a_cell(
    draw: Callable[[], Picture], marks: dict[str, str]
) -> None:
    picture = draw()
    axes = next(axes for axes in picture.axes if str(axes.get_label()).startswith("grid"))
    (mesh, *_) = (mark for mark in axes.collections if isinstance(mark, QuadMesh))
    values = np.asarray(np.ma.filled(mesh.get_array(), np.nan))  # type: ignore[arg-type]
    for label, marker in marks.items():
        drawn = next(mark for mark in axes.collections if mark.get_label() == label)
        assert isinstance(drawn, PathCollection)
        own = [mark for mark in samples(picture) if mark.get_marker() == marker]
        assert len(own) == 1
        assert own[0].get_markersize() ** 2 == pytest.approx(drawn.get_sizes()[0])
        inks = {to_hex(tuple(colour)) for colour in np.asarray(drawn.get_facecolor())}
        assert to_hex(own[0].get_color()) in inks
        squares = {
            to_hex(mark.get_markerfacecolor()) for mark in samples(picture) if mark.get_marker() == "s"
        }
        places = np.floor(np.asarray(drawn.get_offsets())).astype(int)
        cells = {to_hex(to_rgba(mesh.cmap(shade(mesh, values[row, column])))) for column, row in places}
        assert squares & cells


def test_the_outline_in_the_legend_is_that_of_the_best_cell() -> None:
    picture = probing.draw_grid(MARKED)
    axes = next(axes for axes in picture.axes if axes.get_label() == "grid")
    outline = next(patch for patch in axes.patches if patch.get_label() == "best")
    first = samples(picture)[0]
    assert to_rgba(first.get_markeredgecolor()) == outline.get_edgecolor()
    assert first.get_markeredgewidth() == pytest.approx(outline.get_linewidth())
    (mesh, *_) = (mark for mark in axes.collections if isinstance(mark, QuadMesh))
    assert to_hex(first.get_markerfacecolor()) == to_hex(
        to_rgba(mesh.cmap(shade(mesh, MARKED["test"].max())))
    )


def test_the_legend_has_no_mark_that_is_not_drawn() -> None:
    box = probing.draw_grid(frame(majority=0.0)).legends[0]
    assert [text.get_text() for text in box.get_texts()] == ["best head: highest test score"]


@pytest.mark.parametrize(
    ("draw", "bands"),
    [
        (lambda: probing.draw_masking(found.masking(12, draws=1)), 0),
        (lambda: probing.draw_masking(found.masking(12, draws=2)), 1),
        (lambda: probing.draw_profiles(frame(4, 1)), 0),
        (lambda: probing.draw_profiles(frame(4, 3)), 2),
        (lambda: probing.draw_trajectories(checkpoints(layers=1, heads=1)), 0),
        (lambda: probing.draw_trajectories(checkpoints()), 2),
    ],
    ids=["one order", "two orders", "one head", "three heads", "one cell", "cells"],
)
def test_a_single_draw_or_head_has_no_band_and_none_in_the_legend(
    draw: Callable[[], Picture], bands: int
) -> None:
    picture = draw()
    drawn = [
        m
        for m in picture.axes[0].collections
        if isinstance(m, PolyCollection) and not isinstance(m, QuadMesh)
    ]
    assert len(drawn) == bands
    words = " ".join(text.get_text() for text in picture.legends[0].get_texts())
    assert any(word in words for word in ("range", "half", "lowest")) == bool(bands)


def test_one_random_draw_of_heads_has_no_range() -> None:
    table = probing.draw_top_heads(top_heads(draws=1)).table
    random = table[table["variant"] == "random"]
    assert random["low"].isna().all()
    assert random["high"].isna().all()
    assert table.loc[table["variant"] == "top", "low"].notna().all()
    words = [text.get_text() for text in probing.draw_top_heads(top_heads(draws=1)).legends[0].get_texts()]
    assert "random heads" in words


@pytest.mark.parametrize(
    "draw",
    [
        lambda: probing.draw_grid(frame()),
        lambda: probing.draw_grid(frame(granularity="layer")),
        lambda: probing.draw_sheet(pd.concat([frame(task=f"t{number}") for number in range(7)])),
        lambda: probing.draw_profiles(pd.concat([frame(task=f"t{number}") for number in range(6)])),
        lambda: probing.draw_top_heads(pd.concat([top_heads("a"), top_heads("b")])),
        lambda: probing.draw_masking(found.masking(12)),
        lambda: probing.draw_path(found.gates()),
        lambda: probing.draw_trajectories(checkpoints()),
        lambda: probing.draw_comparison(SEEDS[SEEDS["seed"] == 1], SEEDS[SEEDS["seed"] == 2]),
        lambda: probing.draw_correlations(pd.concat([frame(task="a"), frame(task="b")])),
        lambda: probing.draw_agreement(MEASURES).matrix,
        lambda: probing.draw_agreement(MEASURES).scatter,
    ],
    ids=[
        "grid", "layers", "sheet", "profiles", "top_heads", "masking", "path", "trajectories", "comparison",
        "correlations", "matrix", "scatter",
    ],
)  # fmt: skip
def test_every_axis_with_numbers_has_a_name(draw: Callable[[], Picture]) -> None:
    picture = draw()
    picture.draw_without_rendering()
    for axes in picture.axes:
        for axis in (axes.xaxis, axes.yaxis):
            shown = axis.get_tick_params()
            visible = shown.get("labelbottom", shown.get("labelleft", True)) or shown.get("labelright", False)
            numbers = (
                [text.get_text() for text in axis.get_ticklabels() if text.get_text()] if visible else []
            )
            assert not numbers or axis.label.get_text(), (axes.get_label(), axis.axis_name, numbers)


def test_scatter_plots_name_measure_and_unit_on_their_axes() -> None:
    axes = probing.draw_agreement(MEASURES).scatter.axes[0]
    assert "nats" in axes.get_xlabel()
    assert "nats" in axes.get_ylabel()
    assert axes.get_xlabel() != axes.get_ylabel()


@pytest.mark.parametrize(
    ("draw", "title"),
    [
        (lambda: probing.draw_sheet(PROBES), "org/model: senteval/trec, 2 probes (logistic, ridge)"),
        (lambda: probing.draw_sheet(SEEDS), "org/model: senteval/trec, 2 seeds (1, 2)"),
        (
            lambda: probing.draw_sheet(pd.concat([frame(seed=seed) for seed in range(5)])),
            "org/model: senteval/trec, 5 seeds",
        ),
        (
            lambda: probing.draw_sheet(pd.concat([PROBES, PROBES.assign(task="b")])),
            "org/model: 2 tasks, 2 probes (logistic, ridge)",
        ),
        (lambda: probing.draw_sheet(frame()), "org/model: 1 task"),
        (lambda: probing.draw_profiles(PROBES), "org/model: layer profiles, 2 probes (logistic, ridge)"),
    ],
)
def test_a_title_says_in_what_grids_of_a_task_differ(draw: Callable[[], Picture], title: str) -> None:
    assert draw().texts[0].get_text() == title


def test_panels_of_one_task_are_named_by_their_settings() -> None:
    names = [text.get_text() for text in probing.draw_sheet(PROBES).texts if text.get_fontweight() == "bold"]
    assert names[1:] == ["logistic probe", "ridge probe"]
