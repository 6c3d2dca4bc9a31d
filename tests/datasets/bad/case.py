"""A mistake in data files, and what cases of several kinds are made of."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Files = Mapping[str, bytes | str | Callable[[Path], object]]


@dataclass(frozen=True)
class Bad:
    """One mistake.

    Attributes:
        name: Name of the case.
        options: Options of the command line; {} is the folder of the files.
        said: A pattern of the message, with file and line where there is one.
        files: Content by name below the folder, or a function that makes the path.
    """

    name: str
    options: str
    said: str
    files: Files


def parquet(**columns: list[Any]) -> bytes:
    """A parquet file."""
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def folder(path: Path) -> None:
    """Make a folder."""
    path.mkdir(parents=True)


def loop(path: Path) -> None:
    """Make a link to itself."""
    path.symlink_to(path)


TEXTS = [f"text {at}" for at in range(30)]
LABELS = ["ab"[at % 2] for at in range(30)]
ROWS = "".join(f"{text},{label}\n" for text, label in zip(TEXTS, LABELS, strict=True))
CSV = f"text,label\n{ROWS}"
JSON = "".join(f'{{"text": "{t}", "label": "{y}"}}\n' for t, y in zip(TEXTS, LABELS, strict=True))
