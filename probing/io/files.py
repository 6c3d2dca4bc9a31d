"""Writing and removing files so that nothing half-written or half-removed is ever read as whole.

What is on its way in or out has a name that says so, and whose it is: `tmp-` or `trash-`, machine, process.
`probing.io.litter` removes what a killed process leaves under such a name.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from probing.errors import ProbingError

if TYPE_CHECKING:
    from typing_extensions import Buffer

_TRIES = 5  # at a folder that other processes remove while it is empty


def file_name(text: str, most: int = 150) -> str:
    """A text as a part of a file name: ASCII, and cut to so many bytes.

    Names of files go up to 255 bytes; what is appended to this part must fit in the rest. Different texts
    may become the same name: append a digest to distinguish them.
    """
    return re.sub(r"[^A-Za-z0-9.@_-]+", "-", text).encode()[:most].decode()


@cache
def machine() -> str:
    """Eight hexadecimal digits for this machine since it was started, and the processes that it counts."""
    parts = [socket.gethostname()]
    with suppress(OSError):  # two containers may have one name
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8"))
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]


def own_name(kind: Literal["tmp", "trash", "run"]) -> str:
    """A new name that says that this process owns what is called so."""
    return f"{kind}-{machine()}-{os.getpid()}-{uuid.uuid4().hex[:12]}"


def expanded(path: str | Path) -> Path:
    """A path whose first ~ is a home folder; one that names no user stays as it is."""
    return Path(os.path.expanduser(path))  # noqa: PTH111  # pathlib's own raises where there is no such user


def local(path: str, where: str) -> Path:
    """A path as one of this machine's.

    Raises:
        ProbingError: If it is an address, as `s3://...`, which nothing here writes to yet.
    """
    address = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):(/+)", path)  # one letter is a drive
    if address:
        # of the two slashes of an address a Path has kept one
        shown = path if len(address[2]) > 1 else path.replace(":/", "://", 1)
        raise ProbingError(f"{where}={shown}: only folders of this machine can be written to yet; give one")
    return Path(path)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, also while other processes remove them where they are empty.

    Raises:
        OSError: If it cannot be made, or a file has its name.
    """
    for left in reversed(range(_TRIES)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, FileNotFoundError):  # it came or went between two looks
            if not left or folder.is_file():
                raise
        else:
            return


def nearest(path: Path) -> Path:
    """The path if it is there, or else the first of its parents that is."""
    return next((each for each in (path, *path.parents) if each.exists()), Path())


def write_synced(path: Path, content: Buffer) -> None:
    """Write a file and have it on disk before returning."""
    with naming(path), path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def replace_file(path: Path, content: Buffer) -> None:
    """Put a whole file in place by one rename; readers see the old content or the new, never a part."""
    temporary = path.with_name(f".{own_name('tmp')}")
    try:
        _write_new(temporary, content)
        with naming(path):
            temporary.replace(path)
        sync_folder(path.parent)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _write_new(path: Path, content: Buffer) -> None:
    for left in reversed(range(_TRIES)):
        make_folder(path.parent)
        try:
            write_synced(path, content)
        except FileNotFoundError:
            if not left:
                raise
        else:
            return


def discard(path: Path) -> None:
    """Remove a file or folder: out of sight by one rename, then from the disk; missing ones are fine.

    Raises:
        OSError: If it cannot be taken out of sight.
    """
    trash = path.with_name(f".{own_name('trash')}")
    try:
        path.replace(trash)
    except FileNotFoundError:
        return
    delete(trash)


def delete(path: Path) -> None:
    """Remove from the disk what nobody looks for any more, as far as the system lets us."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk, so that a rename survives a crash."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put the path into errors of the system's that lack it, as those of a full disk do."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            error.filename = str(path)
        raise
