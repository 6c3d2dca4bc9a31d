"""The picture of each view, with the table behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from probing.errors import ProbingError
from probing.figures.picture import Picture
from probing.figures.style import drawing
from probing.looking.look import Look, View, check_head
from probing.looking.pictures.attention_lines import draw_lines
from probing.looking.pictures.attention_matrix import draw_matrix
from probing.looking.pictures.dependency_arcs import draw_arcs
from probing.looking.pictures.many_maps import draw_layer, draw_model
from probing.looking.pictures.planes import draw_semantic
from probing.looking.pictures.sheet_of_head import Subject, subject_of

Drawn = Callable[[Subject], Picture]
_DRAW: Mapping[View, Drawn] = {
    "lines": draw_lines,
    "matrix": draw_matrix,
    "layer": draw_layer,
    "model": draw_model,
    "arcs": draw_arcs,
    "semantic": draw_semantic,
}


def draw_look(
    look: Look, view: View, path: str | Path | None, *, text: int = 0, weights: str = "attention"
) -> Picture:
    """Draw one view of a look.

    Args:
        look: The look.
        view: A view that there is something to show in.
        path: Path of the files; None writes nothing.
        text: Number of the text, from 0.
        weights: Name of the weights.

    Raises:
        ProbingError: If there is no such text or weight.
    """
    if not 0 <= text < len(look.reads):
        raise ProbingError(f"text={text}: there are texts 0 to {len(look.reads) - 1}; give one of them")
    known = list(look.reads[text].maps)
    if weights not in known:
        raise ProbingError(f"weights={weights} are unknown; give one of {', '.join(known)}")
    if view == "arcs" and not look.arcs[text]:
        raise ProbingError(f"text={text} is not from a treebank with heads; give another text or view")
    check_head(look.heads, look.start.layer, look.start.head)
    subject = subject_of(look, text, weights)
    with drawing():
        picture = _DRAW[view](subject)
        return picture.finish(picture.table, path, f"{subject.title}, {look.model}: {view}")
