"""What has arrived of a file so far: kept beside its place until it is whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from probing.errors import ProbingError
from probing.io.files import sync_folder


class Part:
    """The beginning of a file, and the version of the original that it is of.

    All methods raise ProbingError if the disk does not let them.
    """

    def __init__(self, path: Path) -> None:
        """Look for the part of a file that will be at `path`."""
        self._path = path
        self._part = path.with_name(f"{path.name}.part")
        self._note = path.with_name(f"{path.name}.part.version")
        with on_disk(path):
            path.parent.mkdir(parents=True, exist_ok=True)

    @property
    def size(self) -> int:
        """Bytes that have arrived."""
        return self._part.stat().st_size if self._part.exists() else 0

    @property
    def version(self) -> str:
        """The server's name for the version; empty if it gave none."""
        return self._note.read_text(encoding="utf-8") if self._note.exists() else ""

    def begin(self, version: str) -> None:
        """Forget what has arrived; the next bytes are the first of a version."""
        with on_disk(self._path):
            self._part.write_bytes(b"")
            self._note.write_text(version, encoding="utf-8")

    def append(self, chunks: Iterator[bytes]) -> Iterator[int]:
        """Add what arrives; yields how much it was, chunk by chunk."""
        with on_disk(self._path):
            stream = self._part.open("ab")
        with stream:
            for chunk in chunks:
                with on_disk(self._path):
                    stream.write(chunk)
                yield len(chunk)

    def digest(self) -> str:
        """SHA-256 of what has arrived, which is then on disk."""
        with on_disk(self._path), self._part.open("rb") as stream:
            os.fsync(stream.fileno())
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def finish(self) -> None:
        """Give the whole file its name."""
        with on_disk(self._path):
            self._part.replace(self._path)
            self._note.unlink(missing_ok=True)
            sync_folder(self._path.parent)

    def remove(self) -> None:
        """Forget what has arrived."""
        with on_disk(self._path):
            self._part.unlink(missing_ok=True)
            self._note.unlink(missing_ok=True)


@contextmanager
def on_disk(path: Path) -> Iterator[None]:
    """Say in one line what the disk refuses.

    Raises:
        ProbingError: In the place of an OSError.
    """
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ProbingError(f"{path}: {reason}; make room or set PROBING_CACHE to another folder") from error
