"""Locks between processes: one does the work that all need, the others wait and find it done.

Lock files are in a folder of their own. A process removes only a lock that it holds. A process that gets a
lock checks that the file still exists. So two processes never hold two files of the same name.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedWriter
from pathlib import Path

from filelock import FileLock, Timeout

from probing.io.files import make_folder

log = logging.getLogger(__name__)


class BusyError(Exception):
    """Another process holds the lock."""


def lock_file(root: Path, key: str) -> Path:
    """Return the path of the lock on one key of a folder of results or representations, next to it."""
    return root.parent / "locks" / f"{root.name}-{key}.lock"


@contextmanager
def held(path: Path, *, wait: bool = True, waiting: str = "waiting for another process") -> Iterator[None]:
    """Hold a lock.

    Args:
        path: The lock file. It is made if missing, as is its folder.
        wait: Whether to wait for a process that holds it.
        waiting: Message to log before waiting; none if empty.

    Raises:
        BusyError: If another process holds it, and `wait` is false.
        OSError: If the file cannot be made.
    """
    while True:
        make_folder(path.parent)
        try:
            pin = path.open("ab")
        except FileNotFoundError:  # another process removed the empty folder meanwhile
            continue
        with pin:  # while it is open, no other file can have its inode number
            lock = FileLock(path)
            try:
                _acquire(lock, wait, waiting)
            except (FileNotFoundError, FileExistsError):  # filelock makes the folder too
                continue
            try:
                if _lies_there(pin, path):
                    with suppress(OSError):
                        os.utime(path)  # so its age is the time since its last use
                    yield
                    return
            finally:
                lock.release()


def is_held(path: Path) -> bool:
    """Return whether another process holds a lock; no file is made."""
    try:
        if path.exists():
            with held(path, wait=False):
                return False
    except (BusyError, OSError):
        return True
    return False


def remove(path: Path) -> None:
    """Remove a lock file unless a process holds it."""
    with suppress(BusyError, OSError), held(path, wait=False):
        path.unlink()


def _acquire(lock: FileLock, wait: bool, waiting: str) -> None:
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        if not wait:
            raise BusyError(lock.lock_file) from error
        if waiting:
            log.warning("%s", waiting)
        lock.acquire()


def _lies_there(pin: BufferedWriter, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(pin.fileno()), path.stat())
    except FileNotFoundError:
        return False
