"""Attention of a head as a matrix of the words that attend and those that they attend to."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from probing.figures.page import Page, text_width
from probing.figures.picture import Picture
from probing.figures.style import FAINT, INK, TEXT_SIZE, TICK_SIZE, score_colours
from probing.looking.pictures.sheet_of_head import Subject, wide_table

_CELL, _WIDEST, _GAP, _BAR, _BAR_LABELS, _LEAST_WIDTH = 0.21, 8.5, 0.06, 0.13, 0.75, 4.4


def draw_matrix(subject: Subject) -> Picture:
    """Draw the matrix of one head; call it within `style.drawing`."""
    weights, labels = subject.head, subject.pieces.labels
    cell = min(_CELL, _WIDEST / len(labels))
    size = min(TEXT_SIZE, 0.8 * cell * 72)
    whole, side = cell * len(labels), max(text_width(label, size) for label in labels) + _GAP
    width = max(side + whole + 0.2 + _BAR + _BAR_LABELS, _LEAST_WIDTH)
    heading = subject.heading(subject.title, width, [subject.between, subject.look.sides.rows])
    top = sum(line.height for line in heading) + 0.12 + side
    page = Page(width, top + whole + 0.05)
    page.write(0.0, 0.0, heading)
    axes = page.axes(side, top, whole, whole, "matrix")
    normal = Normalize(0, subject.top(weights))
    axes.imshow(weights, cmap=score_colours(), norm=normal, aspect="auto", interpolation="nearest")
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0, pad=2)
    axes.set_xticks(range(len(labels)), labels, rotation=90, fontsize=size, parse_math=False)
    axes.set_yticks(range(len(labels)), labels, fontsize=size, parse_math=False)
    for axis in (axes.xaxis, axes.yaxis):
        for place, label in enumerate(axis.get_ticklabels()):
            label.set_color(FAINT if subject.pieces.special[place] else INK)
    bar = page.axes(side + whole + 0.2, top, _BAR, min(whole, 1.8), "bar")
    draw_scale(bar, normal, subject.scene.weights)
    page.figure.table = wide_table(subject.pieces, [(subject.scene.layer, subject.scene.head, weights)])
    return page.figure


def draw_scale(axes: Axes, normal: Normalize, name: str) -> None:
    """Draw the colours of a scale with its ends and its name.

    Args:
        axes: Narrow axes.
        normal: The scale.
        name: Name of the weights.
    """
    bar = axes.figure.colorbar(ScalarMappable(normal, score_colours()), cax=axes)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=TICK_SIZE, length=2)
    bar.set_label(name, fontsize=TEXT_SIZE)
