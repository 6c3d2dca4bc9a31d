"""The picture of each view, with the table behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from probing.figures.picture import Picture
from probing.figures.style import drawing
from probing.looking.looked import Looked
from probing.looking.pictures.attention_lines import draw_lines
from probing.looking.pictures.attention_matrix import draw_matrix
from probing.looking.pictures.dependency_arcs import draw_arcs
from probing.looking.pictures.many_maps import draw_layer, draw_model
from probing.looking.pictures.planes import draw_semantic
from probing.looking.pictures.sheet_of_head import Subject, subject_of
from probing.looking.scene import View

Drawn = Callable[[Subject], Picture]
_DRAW: Mapping[View, Drawn] = {
    "lines": draw_lines,
    "matrix": draw_matrix,
    "layer": draw_layer,
    "model": draw_model,
    "arcs": draw_arcs,
    "semantic": draw_semantic,
}


def draw_look(look: Looked, path: str | Path | None) -> Picture:
    """Draw the scene of a look, which `Look.changed` has checked.

    Args:
        look: The look.
        path: Path of the files; None writes nothing.
    """
    subject = subject_of(look)
    with drawing():
        picture = _DRAW[look.scene.view](subject)
        return picture.finish(picture.table, path, f"{subject.title}, {look.model}: {look.scene.view}")
