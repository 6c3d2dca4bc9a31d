"""Files of a finished figure, each written completely or not at all."""

from __future__ import annotations

import io
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.transforms import BboxBase

from probing.io.files import replace_file

_DPI = 200
_MARGIN = 0.12


SUFFIXES = {".png", ".svg", ".pdf", ".csv"}
"""Suffixes of a path that `save` replaces."""


class Files(NamedTuple):
    """The files of a figure."""

    png: Path
    svg: Path
    pdf: Path
    csv: Path


def save(figure: Figure, table: pd.DataFrame, path: str | Path, title: str) -> Files:
    """Write a figure as PNG, SVG and PDF, and the table behind it as CSV.

    The same figure gives the same bytes. Files of that name are overwritten.

    Args:
        figure: The figure.
        table: The data behind its marks, a row each.
        path: Path of the files; a suffix .png, .svg, .pdf or .csv is optional and is replaced.
        title: Title in the metadata of the pictures.
    """
    files = Files(*(_with_suffix(path, f".{kind}") for kind in Files._fields))
    # measured once, since matplotlib would draw the figure again to measure it for each file; at the
    # resolution of the files, since letters are wider there than on a screen
    screen = figure.dpi
    figure.set_dpi(_DPI)
    frame = figure.get_tightbbox().padded(_MARGIN)
    _write(figure, frame, files.png, {"Title": title, "Software": None})
    _write(figure, frame, files.svg, {"Title": title, "Creator": None, "Date": None})
    nobody = dict.fromkeys(("Creator", "Producer", "CreationDate"))
    _write(figure, frame, files.pdf, {"Title": title, **nobody})
    figure.set_dpi(screen)
    save_table(table, files.csv)
    return files


def save_table(table: pd.DataFrame, path: str | Path) -> Path:
    """Write a table as CSV, without its empty columns."""
    path = _with_suffix(path, ".csv")
    replace_file(path, table.dropna(axis="columns", how="all").to_csv(index=False).encode())
    return path


def _with_suffix(path: str | Path, suffix: str) -> Path:
    path = Path(path)
    # "qwen2.5" has no suffix: replacing its ".5" would let models overwrite each other
    return path.with_suffix(suffix) if path.suffix in SUFFIXES else path.with_name(path.name + suffix)


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
