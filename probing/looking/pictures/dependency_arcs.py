"""The dependencies of a sentence above its words, and those that a head finds below them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch
from matplotlib.path import Path

from probing.figures.page import Page, text_width
from probing.figures.picture import Picture
from probing.figures.style import FAINT, INK, LINES, SMALL_SIZE, TEXT_SIZE
from probing.looking.finds import DIRECTIONS, Arcs
from probing.looking.pictures.sheet_of_head import Subject

_STEP, _LEAST_WIDTH, _BETWEEN, _WORDS = 0.24, 4.4, 0.16, 0.36
_RIGHT, _WRONG = LINES[0][0], LINES[1][0]
_KINDS = (("treebank", FAINT, "-"), ("found, right", _RIGHT, "-"), ("found, wrong", _WRONG, "--"))
Pair = tuple[int, int]


def draw_arcs(subject: Subject) -> Picture:
    """Draw the tree and what one head finds; call it within `style.drawing`."""
    arcs, scene = subject.arcs, subject.scene
    assert arcs is not None
    words = subject.read.words
    assert words is not None
    labels = [words.labels[place] for place in arcs.words]
    found = arcs.found[scene.direction][scene.layer][scene.head]
    gold = [(word, int(head)) for word, head in enumerate(arcs.heads) if head >= 0]
    # the root has no governor to find
    ours = [(word, int(found[word])) for word in np.flatnonzero(arcs.findable & (found >= 0)).tolist()]
    x, width = _places(labels, arcs.relations)
    page_width = max(width, _LEAST_WIDTH)
    right = arcs.right(scene.direction)[scene.layer][scene.head]
    facts = [f"finds {right} of {int(arcs.findable.sum())} governors", f"the {scene.direction} attends"]
    heading = subject.heading(subject.title, page_width, facts)
    top = sum(line.height for line in heading) + 0.1
    above, below = (max(heights(pairs).values(), default=1) * _STEP + 0.1 for pairs in (gold, ours))
    page = Page(page_width, top + above + _WORDS + below + 0.35)
    page.write(0.0, 0.0, heading)
    axes = page.axes(0, top, page_width, above + _WORDS + below, "arcs")
    axes.set(xlim=(0, page_width), ylim=(above + _WORDS + below, 0))
    axes.axis("off")
    for pair, height in heights(gold).items():
        _arc(axes, x, pair, (above, -height), FAINT)
    for pair, height in heights(ours).items():
        good = arcs.heads[pair[0]] == pair[1]
        _arc(axes, x, pair, (above + _WORDS, height), _RIGHT if good else _WRONG, dashed=not good)
    common: dict[str, Any] = {"ha": "center", "va": "center", "parse_math": False}
    for word, label in enumerate(labels):
        axes.text(x[word], above + 0.11, label, fontsize=TEXT_SIZE, color=INK, **common)
        relation = "root" if arcs.heads[word] == -1 else arcs.relations[word]
        axes.text(x[word], above + 0.26, relation, fontsize=SMALL_SIZE, color=FAINT, **common)
    _legend(page, top + above + _WORDS + below + 0.08)
    page.figure.table = _table(arcs, labels, scene.layer, scene.head)
    return page.figure


def heights(pairs: Sequence[Pair]) -> dict[Pair, int]:
    """Return the height of each arc, from 1, so that an arc is above those within it."""
    found: dict[Pair, int] = {}
    for pair in sorted(pairs, key=lambda each: abs(each[0] - each[1])):
        low, high = min(pair), max(pair)
        inside = [own for other, own in found.items() if low <= min(other) and max(other) <= high]
        found[pair] = 1 + max(inside, default=0)
    return found


def _places(labels: Sequence[str], relations: Sequence[str]) -> tuple[list[float], float]:
    """Return the middle of each word in inches, and the width of all."""
    middles, left = [], 0.05
    for label, relation in zip(labels, relations, strict=True):
        width = max(0.25, text_width(label, TEXT_SIZE), text_width(relation, SMALL_SIZE)) + _BETWEEN
        middles.append(left + width / 2)
        left += width
    return middles, left + 0.05


def _arc(
    axes: Axes,
    x: Sequence[float],
    pair: Pair,
    bend: tuple[float, int],
    colour: str,
    *,
    dashed: bool = False,
) -> None:
    """Draw the arc from a governor to its word, from a height up or down by a number of steps."""
    word, governor = pair
    base, steps = bend
    shift = 0.03 if governor < word else -0.03
    start, end = x[governor] + shift, x[word] - shift / 2
    level = base + 1.3 * steps * _STEP
    path = Path([(start, base), (start, level), (end, level), (end, base)], [1, 4, 4, 4])
    axes.add_patch(
        FancyArrowPatch(
            path=path, arrowstyle="-|>", mutation_scale=6, color=colour, fill=False, clip_on=False,
            linewidth=0.9, linestyle=(0, (4, 2)) if dashed else "-",
        )
    )  # fmt: skip


def _legend(page: Page, top: float) -> None:
    left = 0.05
    for name, colour, dash in _KINDS:
        width = text_width(name, SMALL_SIZE) + 0.65
        axes = page.axes(left, top, width, 0.16, name)
        axes.set(xlim=(0, width), ylim=(0, 1))
        axes.axis("off")
        axes.plot([0, 0.3], [0.5, 0.5], color=colour, linestyle=dash, linewidth=1.2)
        axes.text(0.36, 0.5, name, fontsize=SMALL_SIZE, va="center", color=INK)
        left += width


def _table(arcs: Arcs, labels: Sequence[str], layer: int, head: int) -> pd.DataFrame:
    """Return a row for each word: its relation, its governor, and what the head finds in both directions."""

    def names(places: np.ndarray) -> list[str | None]:
        return [labels[place] if place >= 0 else None for place in places]

    table = pd.DataFrame({"word": labels, "relation": arcs.relations, "governor": names(arcs.heads)})
    for direction in DIRECTIONS:
        found = arcs.found[direction][layer][head]
        table[f"found_by_{direction}"] = names(found)
        table[f"right_by_{direction}"] = pd.array(found == arcs.heads, dtype="boolean")
        table.loc[~arcs.findable, f"right_by_{direction}"] = pd.NA
    return table
