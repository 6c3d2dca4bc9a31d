"""The matrices of many heads: those of a layer, and all of the model."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import Normalize

from probing.figures.page import Page
from probing.figures.picture import Picture
from probing.figures.style import INK, SMALL_SIZE, TEXT_SIZE, TICK_SIZE, score_colours
from probing.looking.pictures.attention_matrix import draw_scale
from probing.looking.pictures.sheet_of_head import Subject, wide_table
from probing.looking.pieces import Array

_FINEST = 64
"""Maximum number of cells of a head along one side among all heads of a model."""
_PANEL, _BETWEEN, _LEFT, _BAR, _BAR_LABELS = 1.35, 0.1, 0.42, 0.13, 0.75
_WIDEST = 8.5


def draw_layer(subject: Subject) -> Picture:
    """Draw the matrices of all heads of a layer; call it within `style.drawing`."""
    layer = subject.scene.layer
    maps = subject.pieces.merge(subject.maps.layers[layer])
    columns = min(len(maps), 6 if len(maps) > 8 else 4)
    rows = -(-len(maps) // columns)
    name = SMALL_SIZE / 72 * 1.6
    width = max(4.4, columns * (_PANEL + _BETWEEN) + 0.1 + _BAR + _BAR_LABELS)
    sides = subject.look.sides
    title = f"{sides.layer}layer {layer}, all heads"
    heading = subject.heading(title, width, [subject.between, sides.rows])
    top = sum(line.height for line in heading) + 0.1
    page = Page(width, top + rows * (_PANEL + name + _BETWEEN))
    page.write(0.0, 0.0, heading)
    normal, name_of_scale = _scale(subject)
    for head, weights in enumerate(maps):
        row, column = divmod(head, columns)
        left, upper = column * (_PANEL + _BETWEEN), top + row * (_PANEL + name + _BETWEEN) + name
        axes = page.axes(left, upper, _PANEL, _PANEL, f"head {head}")
        axes.imshow(
            _scaled(subject, weights),
            cmap=score_colours(),
            norm=normal,
            interpolation="nearest",
            aspect="auto",
        )
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        bold = "bold" if head == subject.scene.head else "normal"
        axes.set_title(f"head {head}", fontsize=SMALL_SIZE, pad=2, loc="left", color=INK, weight=bold)
    left = columns * (_PANEL + _BETWEEN) + 0.1
    draw_scale(page.axes(left, top + name, _BAR, _PANEL, "bar"), normal, name_of_scale)
    page.figure.table = wide_table(subject.pieces, [(layer, head, each) for head, each in enumerate(maps)])
    return page.figure


def draw_model(subject: Subject) -> Picture:
    """Draw the matrices of all heads, layers upward from the input; call it within `style.drawing`."""
    maps = subject.maps.merged(subject.pieces)
    most = max(map(len, maps.values()))
    fold = -(-len(subject.pieces) // _FINEST)
    shown = {layer: np.stack([_scaled(subject, each) for each in heads]) for layer, heads in maps.items()}
    image, side = _mosaic(shown, most, fold)
    panel = min(0.7, (_WIDEST - _LEFT) / most)
    width, height = most * panel, len(maps) * panel
    page_width = max(4.4, _LEFT + width + 0.2 + _BAR + _BAR_LABELS)
    sides = subject.look.sides
    facts = [subject.between, sides.rows, *([f"means of {fold} x {fold}"] if fold > 1 else [])]
    heading = subject.heading(f"all {sides.layer}heads", page_width, facts)
    top = sum(line.height for line in heading) + 0.1
    page = Page(page_width, top + height + 0.45)
    page.write(0.0, 0.0, heading)
    axes = page.axes(_LEFT, top, width, height, "maps")
    normal, name_of_scale = _scale(subject)
    axes.imshow(image, cmap=score_colours(), norm=normal, interpolation="nearest", aspect="auto")
    middles = np.arange(max(most, len(maps))) * side + (side - 2) / 2
    axes.set_xticks(middles[:most], list(map(str, range(most))), fontsize=TICK_SIZE)
    axes.set_yticks(middles[: len(maps)][::-1], list(map(str, maps)), fontsize=TICK_SIZE)
    axes.tick_params(length=0, pad=3)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("head", fontsize=TEXT_SIZE)
    axes.set_ylabel("layer", fontsize=TEXT_SIZE)
    bar = page.axes(_LEFT + width + 0.2, top, _BAR, min(height, 1.8), "bar")
    draw_scale(bar, normal, name_of_scale)
    page.figure.table = wide_table(
        subject.pieces,
        [(layer, head, each) for layer, heads in maps.items() for head, each in enumerate(heads)],
    )
    return page.figure


def _scale(subject: Subject) -> tuple[Normalize, str]:
    """Return the scale of colours and its name."""
    name = subject.scene.weights
    if subject.scene.scale == "own":
        return Normalize(0, 1), f"{name}, share of the head's largest"
    return Normalize(0, subject.shared_top), name


def _scaled(subject: Subject, weights: Array) -> Array:
    """Return one head's weights on the scale of all heads, or as shares of its own largest."""
    return weights if subject.scene.scale == "shared" else weights / np.float32(subject.top(weights))


def _mosaic(maps: dict[int, Array], most: int, fold: int) -> tuple[np.ndarray, int]:
    """Return all maps as one image with gaps of NaN, the last layer first, and the size of a head in it."""
    folded = {layer: _folded(heads, fold) for layer, heads in maps.items()}
    n = next(iter(folded.values())).shape[-1]
    gap = max(1, n // 16)
    side = n + gap
    image = np.full((len(maps) * side - gap, most * side - gap), np.nan, dtype=np.float32)
    for row, layer in enumerate(reversed(folded)):
        for head, weights in enumerate(folded[layer]):
            image[row * side : row * side + n, head * side : head * side + n] = weights
    return image, side


def _folded(weights: Array, fold: int) -> Array:
    """Return means of squares of weights; those at the end may be smaller than `fold`."""
    if fold == 1:
        return weights
    starts = np.arange(0, weights.shape[-1], fold)
    counts = np.diff(np.append(starts, weights.shape[-1]))
    sums = np.add.reduceat(np.add.reduceat(weights, starts, axis=1), starts, axis=2)
    means: Array = (sums / np.outer(counts, counts)).astype(np.float32)
    return means
