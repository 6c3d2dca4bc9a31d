"""A drawn picture: a matplotlib figure with the table behind it and the files it was written to."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from probing.figures.save import Files, save
from probing.figures.style import drawing

_SCREEN, _PRINT = 120, 200


class Picture(Figure):
    """A matplotlib figure that every `draw_*` function returns, and that a notebook shows.

    It is not registered with pyplot, so a sweep keeps no figure in memory.

    Attributes:
        title: Title in the metadata of the files.
        table: The data behind its marks, a row each.
        files: The files it was written to; None if it was drawn without a path.
    """

    title: str = ""
    table: pd.DataFrame
    files: Files | None = None

    def finish(self, table: pd.DataFrame, path: str | Path | None, title: str) -> Picture:
        """Attach the table, and write the files if a path is given; call it within `style.drawing`.

        Args:
            table: The data behind the marks, a row each.
            path: Path of the files; None writes nothing.
            title: Title in the metadata of the files.
        """
        self.table, self.title = table, title
        if path is not None:
            self.files = save(self, table, path, title)
        return self

    def savefig(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  # matplotlib's own are untyped
        """Write one file as matplotlib does, by default in the style of the files, cut to what is drawn."""
        with drawing():
            super().savefig(*args, **{"bbox_inches": "tight", "dpi": _PRINT, **options})

    def _repr_png_(self) -> bytes:
        """Return the picture for a notebook."""
        content = io.BytesIO()
        self.savefig(content, format="png", dpi=_SCREEN, facecolor="white")
        return content.getvalue()


class AgreementPictures(NamedTuple):
    """The two pictures of `draw_agreement`; a notebook shows one below the other.

    Attributes:
        matrix: The matrix of rank correlations.
        scatter: The scatter plots of pairs.
        table: The table of `probing.agreement`, a row for each pair.
        files: The table, the files of the matrix and those of the scatter plots; None without a path.
    """

    matrix: Picture
    scatter: Picture
    table: pd.DataFrame
    files: tuple[Path, ...] | None = None

    def _repr_html_(self) -> str:
        """Return the pictures for a notebook."""
        pngs = (picture._repr_png_() for picture in (self.matrix, self.scatter))
        sources = (base64.b64encode(png).decode() for png in pngs)
        return "".join(f'<p><img alt="" src="data:image/png;base64,{source}"></p>' for source in sources)


def files_of(drawn: object, path: Path) -> tuple[Path, ...]:
    """Return the files of a picture; one that was drawn without a path is written to `path` first.

    Args:
        drawn: What a function that draws has returned, a picture or the files that it has written.
        path: Path for a picture without files.

    Raises:
        TypeError: If it is neither a picture nor a sequence of paths.
    """
    if isinstance(drawn, Picture):
        if drawn.files is None:
            with drawing():
                return save(drawn, drawn.table, path, drawn.title)
        return drawn.files
    if isinstance(drawn, Sequence) and all(isinstance(file, str | Path) for file in drawn):
        return tuple(map(Path, drawn))
    raise TypeError(f"{drawn!r} is neither a picture nor a sequence of paths")
