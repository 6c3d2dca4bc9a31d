"""Atomic writing and removal, so that no half-written or half-removed file is ever read as whole.

Files that are being written or removed have names that say so and name their owner: `tmp-` or `trash-`,
machine, process. `probing.io.litter` removes those that a killed process leaves behind.
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

_TRIES = 5  # attempts to make a folder that other processes remove while it is empty


def file_name(text: str, most: int = 150) -> str:
    """Return a text as a part of a file name: ASCII, cut to a number of bytes.

    File names have at most 255 bytes, and appended parts must fit in the rest. Different texts may
    become the same name, so append a digest to distinguish them.
    """
    return re.sub(r"[^A-Za-z0-9.@_-]+", "-", text).encode()[:most].decode()


@cache
def machine() -> str:
    """Return eight hexadecimal digits that identify this machine, its boot and its process namespace."""
    parts = [socket.gethostname()]
    with suppress(OSError):  # two containers may have the same name
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8"))
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]


def own_name(kind: Literal["tmp", "trash", "run"]) -> str:
    """Return a new name that marks a file or folder as owned by this process."""
    return f"{kind}-{machine()}-{os.getpid()}-{uuid.uuid4().hex[:12]}"


def expanded(path: str | Path) -> Path:
    """Return a path with a leading ~ expanded; one that does not name a user is unchanged."""
    return Path(os.path.expanduser(path))  # noqa: PTH111  # pathlib's own raises where there is no such user


def shown_path(path: Path) -> str:
    """Return a path for a message, relative to the current folder if it is below it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def local(path: str, where: str) -> Path:
    """Return a text as a path on this machine.

    Raises:
        ProbingError: If it is an address, such as `s3://...`, which is not supported yet.
    """
    address = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):(/+)", path)  # one letter is a drive
    if address:
        # a Path keeps only one of the two slashes of an address
        shown = path if len(address[2]) > 1 else path.replace(":/", "://", 1)
        raise ProbingError(f"{where}={shown}: only local folders can be written to so far; give one")
    return Path(path)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, even while other processes remove them when empty.

    Raises:
        OSError: If it cannot be made, or a file has its name.
    """
    for left in reversed(range(_TRIES)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, FileNotFoundError):  # it appeared or disappeared meanwhile
            if not left or folder.is_file():
                raise
        else:
            return


def nearest(path: Path) -> Path:
    """Return the path if it exists, or else the nearest parent that does."""
    return next((each for each in (path, *path.parents) if each.exists()), Path())


def write_synced(path: Path, content: Buffer) -> None:
    """Write a file and flush it to disk before returning."""
    with naming(path), path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def replace_file(path: Path, content: Buffer) -> None:
    """Put a whole file in place by one rename, so that readers see either the old content or the new."""
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
    """Remove a file or folder by one rename followed by deletion; a missing one is not an error.

    Raises:
        OSError: If it cannot be renamed.
    """
    trash = path.with_name(f".{own_name('trash')}")
    try:
        path.replace(trash)
    except FileNotFoundError:
        return
    delete(trash)


def delete(path: Path) -> None:
    """Delete a renamed file or folder, as far as the system allows."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Flush the entries of a folder to disk, so that a rename survives a crash."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Add the path to system errors that lack it, such as those of a full disk."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            error.filename = str(path)
        raise
