"""Attention of a head as lines between the words that attend and those that they attend to."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb

from probing.figures.page import Page, text_width
from probing.figures.picture import Picture
from probing.figures.style import FAINT, INK, LINES, TEXT_SIZE
from probing.looking.pictures.sheet_of_head import Subject, wide_table

LEAST = 0.01
"""Share of the scale from which a weight is drawn; fainter lines are invisible on paper."""
_ROW, _SPAN, _GAP, _LEAST_WIDTH = 0.185, 2.1, 0.08, 4.4


def draw_lines(subject: Subject) -> Picture:
    """Draw the lines of one head; call it within `style.drawing`."""
    labels, weights, sides = subject.pieces.labels, subject.head, subject.look.sides
    side = max(text_width(label, TEXT_SIZE) for label in [*labels, sides.query, sides.key]) + _GAP
    width = max(2 * side + _SPAN, _LEAST_WIDTH)
    top_of_scale = f"darkest line {subject.top(weights):.2g}"
    heading = subject.heading(subject.title, width, [subject.between, top_of_scale])
    top = sum(line.height for line in heading) + 0.12
    y = _places(subject)
    height = float(y[-1]) + _ROW
    page = Page(width, top + height)
    page.write(0.0, 0.0, heading)
    left = (width - _SPAN - 2 * side) / 2 + side
    axes = page.axes(left, top, _SPAN, height, "lines")
    axes.set(xlim=(0, 1), ylim=(height, 0))
    axes.axis("off")
    axes.add_collection(_lines(weights / subject.top(weights), y))
    shift = _GAP / _SPAN
    common: dict[str, Any] = {"fontsize": TEXT_SIZE, "va": "center", "parse_math": False}
    for place, at in enumerate(y):
        color = FAINT if subject.pieces.special[place] else INK
        label = subject.pieces.labels[place]
        axes.text(-shift, at, label, ha="right", color=color, **common)
        axes.text(1 + shift, at, label, ha="left", color=color, **common)
    axes.text(-shift, _ROW / 2, sides.query, ha="right", color=FAINT, style="italic", **common)
    axes.text(1 + shift, _ROW / 2, sides.key, ha="left", color=FAINT, style="italic", **common)
    page.figure.table = wide_table(subject.pieces, [(subject.scene.layer, subject.scene.head, weights)])
    return page.figure


def _places(subject: Subject) -> np.ndarray:
    """Return the height of each row in inches below the top, with a gap between two texts."""
    texts = np.array(subject.pieces.texts)
    gaps = np.concatenate([[0], np.cumsum(np.diff(texts) != 0)])
    found: np.ndarray = _ROW * (np.arange(len(texts)) + 1.5 + 0.5 * gaps)
    return found


def _lines(shares: np.ndarray, y: np.ndarray) -> LineCollection:
    queries, keys = np.nonzero(shares >= LEAST)
    strength = np.clip(shares[queries, keys], 0, 1)
    order = np.argsort(strength, kind="stable")  # strong lines are above faint ones
    queries, keys, strength = queries[order], keys[order], strength[order]
    segments = [[(0.0, y[query]), (1.0, y[key])] for query, key in zip(queries, keys, strict=True)]
    colours = [(*to_rgb(LINES[0][0]), alpha) for alpha in strength]
    return LineCollection(segments, colors=colours, linewidths=0.4 + 2.2 * strength, clip_on=False)
