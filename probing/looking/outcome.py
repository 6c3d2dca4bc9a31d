"""One model and its heads, looked at through sentences and the examples of a task."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from probing.looking.looked import Looked

if TYPE_CHECKING:
    from probing.figures.picture import Picture


class Look(Looked):
    """The result of `probing.look`: attention and vectors of every head, as a page and as pictures."""

    def html(self) -> str:
        """Return the page as one HTML text, which opens without a network."""
        from probing.looking.look_page import look_page

        return look_page(self)

    def write(self, path: str | Path) -> Path:
        """Write the page. A file of that name is overwritten.

        Args:
            path: Path of the page.
        """
        from probing.io.files import replace_file

        replace_file(Path(path), self.html().encode())
        return Path(path)

    def draw(self, view: str | None = None, path: str | Path | None = None, **changes: Any) -> Picture:  # noqa: ANN401
        """Draw one view as the pictures of results are drawn.

        Args:
            view: `lines`, `matrix`, `layer`, `model`, `arcs` or `semantic`; None takes that of `scene`.
            path: Path of the files, without .png, .svg, .pdf or .csv, which are added. Files of that name are
                overwritten. None writes nothing.
            **changes: Other choices of the picture, by the fields of `Scene`: `layer=3, head=5`.

        Raises:
            ProbingError: If there is nothing to draw, or no such choice.
        """
        from probing.looking.pictures import draw_look

        return draw_look(self.changed(view=view or self.scene.view, **changes), path)

    def _repr_html_(self) -> str:
        """Return the page in a frame for a notebook."""
        return (
            f'<iframe srcdoc="{escape(self.html())}" style="width: 100%; height: 48rem; border: 0"></iframe>'
        )
