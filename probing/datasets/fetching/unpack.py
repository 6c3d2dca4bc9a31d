"""Access to one file of an archive without unpacking the others."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from probing.datasets.fetching.transfer import FetchError

_DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError)


@contextmanager
def open_member(archive: Path, member: str | None) -> Iterator[Iterable[bytes]]:
    """Open one file of a zip or tar archive for reading by lines.

    Nothing is written, so paths in the archive cannot overwrite anything.

    Args:
        archive: The archive.
        member: Path of the file within the archive, which may lack folders at the beginning; None opens
            `archive` itself.

    Raises:
        FetchError: If the archive is damaged or incomplete, or does not have exactly one such file.
    """
    with ExitStack() as stack:
        try:
            yield _open(archive, member, stack)
        except _DAMAGED as error:
            raise FetchError(
                f"{archive.name} is not a complete archive ({str(error) or 'it ends early'})"
            ) from error


def _open(archive: Path, member: str | None, stack: ExitStack) -> Iterable[bytes]:
    if member is None:
        return stack.enter_context(archive.open("rb"))
    if zipfile.is_zipfile(archive):
        packed = stack.enter_context(zipfile.ZipFile(archive))
        return stack.enter_context(packed.open(_only(packed.namelist(), member, archive)))
    tape = stack.enter_context(tarfile.TarFile.open(archive))
    files = [info.name for info in tape.getmembers() if info.isfile()]
    stream = tape.extractfile(_only(files, member, archive))
    assert stream is not None  # it is a regular file
    return stack.enter_context(stream)


def _only(names: Sequence[str], member: str, archive: Path) -> str:
    found = [name for name in names if f"/{name}".endswith(f"/{member}")]
    if len(found) != 1:
        raise FetchError(f"{archive.name} has {len(found)} files {member} instead of one")
    return found[0]
