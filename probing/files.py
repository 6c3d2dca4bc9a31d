"""Writing files so that nothing half-written is ever read as whole."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer


def expanded(path: str | Path) -> Path:
    """A path whose first ~ is a home folder; one that names no user stays as it is."""
    return Path(os.path.expanduser(path))  # noqa: PTH111  # pathlib's own raises where there is no such user


def write_synced(path: Path, content: Buffer) -> None:
    """Write a file and have it on disk before returning."""
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def replace_file(path: Path, content: Buffer) -> None:
    """Put a whole file in place by one rename; readers see the old content or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        write_synced(temporary, content)
        temporary.replace(path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk, so that a rename survives a crash."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_empty(folder: Path, root: Path) -> None:
    """Remove a folder if it is empty, then its parents up to and including `root`, while they are."""
    folder, root = folder.resolve(), root.resolve()
    while folder.is_relative_to(root):
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
