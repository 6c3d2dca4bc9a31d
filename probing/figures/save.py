"""Writing a finished figure, whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.transforms import BboxBase

from probing.files import replace_file

_DPI = 200
_MARGIN = 0.12


def save(figure: Figure, path: Path, title: str) -> tuple[Path, Path]:
    """Write the figure as PNG and as SVG; the same figure gives the same bytes.

    Args:
        figure: What to write.
        path: Where to; a suffix .png or .svg is replaced, none is needed.
        title: Stored in both files for whoever opens them.

    Returns:
        The paths of the PNG and of the SVG file.
    """
    png, svg = _with_suffix(path, ".png"), _with_suffix(path, ".svg")
    # Measured once for both, as matplotlib would draw the figure twice more to do it
    frame = figure.get_tightbbox().padded(_MARGIN)
    _write(figure, frame, png, {"Title": title, "Software": None})
    _write(figure, frame, svg, {"Title": title, "Creator": None, "Date": None})
    return png, svg


def _with_suffix(path: Path, suffix: str) -> Path:
    # "qwen2.5" has no suffix: replacing its ".5" would let models overwrite each other
    return path.with_suffix(suffix) if path.suffix in {".png", ".svg"} else path.with_name(path.name + suffix)


def _write(figure: Figure, frame: BboxBase, path: Path, metadata: dict[str, str | None]) -> None:
    content = io.BytesIO()
    figure.savefig(
        content,
        format=path.suffix[1:],
        dpi=_DPI,
        bbox_inches=frame,
        facecolor="white",
        metadata=metadata,
    )
    replace_file(path, content.getvalue())
