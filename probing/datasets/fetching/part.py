"""The part of a file that has arrived so far, kept next to its final path until it is complete."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from probing.errors import ProbingError
from probing.io.files import sync_folder


class PartialFile:
    """The beginning of a file, with the version of the original that it comes from.

    All methods raise ProbingError if the file system refuses an operation.
    """

    def __init__(self, path: Path) -> None:
        """Look for the part of the file that will be at `path`."""
        self._path = path
        self._part = path.with_name(f"{path.name}.part")
        self._note = path.with_name(f"{path.name}.part.version")
        with on_disk(path):
            path.parent.mkdir(parents=True, exist_ok=True)

    @property
    def size(self) -> int:
        """Number of bytes that have arrived."""
        return self._part.stat().st_size if self._part.exists() else 0

    @property
    def version(self) -> str:
        """The server's name of the version; empty if there is none."""
        return self._note.read_text(encoding="utf-8") if self._note.exists() else ""

    def begin(self, version: str) -> None:
        """Start an empty part of a version."""
        with on_disk(self._path):
            self._part.write_bytes(b"")
            self._note.write_text(version, encoding="utf-8")

    def append(self, chunks: Iterator[bytes]) -> Iterator[int]:
        """Append chunks as they arrive and yield the size of each."""
        with on_disk(self._path):
            stream = self._part.open("ab")
        with stream:
            for chunk in chunks:
                with on_disk(self._path):
                    stream.write(chunk)
                yield len(chunk)

    def digest(self) -> str:
        """Write the part to disk and return its SHA-256."""
        with on_disk(self._path), self._part.open("rb") as stream:
            os.fsync(stream.fileno())
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def finish(self) -> None:
        """Rename the complete part to its final path."""
        with on_disk(self._path):
            self._part.replace(self._path)
            self._note.unlink(missing_ok=True)
            sync_folder(self._path.parent)

    def remove(self) -> None:
        """Delete the part."""
        with on_disk(self._path):
            self._part.unlink(missing_ok=True)
            self._note.unlink(missing_ok=True)


@contextmanager
def on_disk(path: Path) -> Iterator[None]:
    """Report an error of the file system in one line.

    Raises:
        ProbingError: In place of an OSError.
    """
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ProbingError(f"{path}: {reason}; make room or set PROBING_CACHE to another folder") from error
