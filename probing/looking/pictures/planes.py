"""Examples of a task in the vectors of a head, projected to planes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from probing.figures.page import Line, Page, wrap
from probing.figures.picture import Picture
from probing.figures.style import (
    FAINT,
    INK,
    LINES,
    NO_SCORE,
    RULE,
    SMALL_SIZE,
    TEXT_SIZE,
    TICK_SIZE,
    TITLE_SIZE,
    score_colours,
)
from probing.looking.pictures.sheet_of_head import Subject
from probing.looking.projections import Axes as Plane
from probing.looking.projections import HeadView, Semantic

_SIDE, _LEFT, _BELOW, _BETWEEN = 3.1, 0.6, 0.5, 0.75


def draw_semantic(subject: Subject) -> Picture:
    """Draw the planes of one head; call it within `style.drawing`."""
    scene, semantic = subject.scene, subject.look.semantic
    assert semantic is not None
    view = semantic.heads[scene.layer, scene.head]
    planes = [("largest variance", view.pca)]
    planes += [("as the probe reads it", view.probe)] if view.probe is not None else []
    width = _LEFT + len(planes) * (_SIDE + _BETWEEN) - _BETWEEN + 0.1
    heading = _heading(subject, semantic, view, width)
    top = sum(line.height for line in heading) + 0.35
    page = Page(width, top + _SIDE + _BELOW + 0.3)
    page.write(0.0, 0.0, heading)
    for place, (name, plane) in enumerate(planes):
        axes = page.axes(_LEFT + place * (_SIDE + _BETWEEN), top, _SIDE, _SIDE, name)
        axes.set_title(name, fontsize=TEXT_SIZE, loc="left", pad=4)
        _points(axes, plane, semantic)
    first = page.figure.axes[0]
    handles, labels = first.get_legend_handles_labels()
    if handles:
        page.figure.legend(
            handles, labels, loc="lower left", ncols=min(4, len(labels)), fontsize=SMALL_SIZE, frameon=False,
            bbox_to_anchor=(_LEFT / width, 0), borderaxespad=0, handletextpad=0.2, columnspacing=1,
        )  # fmt: skip
    page.figure.table = _table(semantic, view)
    return page.figure


def _heading(subject: Subject, semantic: Semantic, view: HeadView, width: float) -> list[Line]:
    which = "test examples" if semantic.held_out else "examples, on which the directions were fitted"
    parts = [
        subject.look.model,
        semantic.how,
        f"{len(semantic.labels)} {which}",
        f"test {semantic.metric} {view.score:.3f}",
        f"guessing {semantic.majority:.3f}",
    ]
    title = f"{subject.title}, {semantic.task}"
    return [
        Line(title, TITLE_SIZE, bold=True),
        *(Line(text, TEXT_SIZE, FAINT) for text in wrap(parts, width, TEXT_SIZE)),
    ]


def _points(axes: Axes, plane: Plane, semantic: Semantic) -> None:
    x, y = plane.points.T
    if semantic.grades is not None:
        axes.scatter(x, y, c=semantic.grades, cmap=score_colours(), s=13, linewidths=0.3, edgecolors="white")
    else:
        labels = np.array(semantic.labels)
        others = ~np.isin(labels, semantic.classes)
        if others.any():
            axes.scatter(x[others], y[others], c=NO_SCORE, s=9, linewidths=0, label="other classes")
        for name, (colour, _, mark) in zip(semantic.classes, LINES, strict=False):
            own = labels == name
            axes.scatter(
                x[own], y[own], c=colour, marker=mark, s=14, linewidths=0.3, edgecolors="white", label=name
            )
    if plane.boundary:
        axes.axvline(0, color=RULE, linestyle=(0, (4, 3)), linewidth=0.8, zorder=0)
    axes.set_xlabel(plane.names[0], fontsize=TEXT_SIZE)
    axes.set_ylabel(plane.names[1], fontsize=TEXT_SIZE)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.tick_params(labelsize=TICK_SIZE, length=2, color=RULE, labelcolor=INK)
    axes.spines[:].set_color(RULE)


def _table(semantic: Semantic, view: HeadView) -> pd.DataFrame:
    """Return a row for each example: its label, its texts, and its coordinates."""
    columns: dict[str, object] = {"label": semantic.labels}
    for part, name in enumerate(("text", "text_2")):
        if all(len(units) > part for units in semantic.units):
            columns[name] = [units[part].text for units in semantic.units]
    planes = {"pca": view.pca, **({"probe": view.probe} if view.probe is not None else {})}
    for name, plane in planes.items():
        columns |= {f"{name}_{axis + 1}": plane.points[:, axis] for axis in (0, 1)}
    return pd.DataFrame(columns)
