"""Removal, by the next run, of files that killed processes leave under `paths.root`.

Names show the owner of a file (see `probing.io.files.own_name`). Files of a live process are never touched.
Files of a process on another machine, or of an older version, are removed once they are old.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from probing.io import locks
from probing.io.files import delete, discard, machine

DAY = 24 * 3600
FOREIGN, UNUSED = 7 * DAY, 30 * DAY
"""Seconds after which files of another machine, and files of runs that were not resumed, are removed."""
_OWNED = re.compile(r"\.?(tmp|trash|run)-([0-9a-f]{8})-(\d+)-[0-9a-f]{12}")
# temporary files of versions that did not name their owner
_OLDER = re.compile(r"\.(.+\.parquet|request\.json)\.[0-9a-f]{32}|tmp-[0-9a-f]{32}|\.saving-\w{8}")
# locks of those versions
_OLDER_LOCK = re.compile(r"\.?[0-9a-f]{16,20}\.lock")
_PARTS = ".parts-"


def clean(root: Path) -> None:
    """Remove the remains of killed runs below a folder of outputs, judging by names and not by contents."""
    for path in remains(root):
        delete(path)
    _remove_parts(root / "results")
    for entry in _entries(root / "locks"):
        if entry.name.endswith(".lock") and _age(entry) > UNUSED:
            locks.remove(Path(entry.path))


def remains(root: Path) -> Iterator[Path]:
    """Yield the temporary files and trash of ended processes below a folder of outputs."""
    yield from _litter(root, older=False)  # the root may contain other files
    for name in ("results", "representations", "models", "pictures", "locks", "runs"):
        yield from _litter(root / name)
    for name in ("representations", "models", "pictures"):
        for entry in _entries(root / name):
            if entry.is_dir(follow_symlinks=False):
                yield from _litter(Path(entry.path))


def remove_litter(folder: Path) -> None:
    """Remove temporary files and trash of ended processes from one folder, without its subfolders."""
    for path in _litter(folder):
        delete(path)


def _litter(folder: Path, *, older: bool = True) -> Iterator[Path]:
    """Yield what `remove_litter` removes; with `older` also old files of versions that named no owner."""
    for entry in _entries(folder):
        owned = _OWNED.fullmatch(entry.name)
        if (owned and owned[1] != "run" and ended(entry)) or (older and _is_of_older_version(entry)):
            yield Path(entry.path)


def ended(entry: os.DirEntry[str]) -> bool:
    """Return whether the process that owns a file or folder has ended, as far as can be known."""
    owned = _OWNED.fullmatch(entry.name)
    if owned is None:
        return False
    if owned[2] == machine() and os.name == "posix":
        return not _alive(int(owned[3]))
    return _age(entry) > (UNUSED if owned[1] == "run" else FOREIGN)  # a run may take more than a week


def _is_of_older_version(entry: os.DirEntry[str]) -> bool:
    if _OLDER.fullmatch(entry.name):
        return _age(entry) > FOREIGN
    return _OLDER_LOCK.fullmatch(entry.name) is not None and _age(entry) > UNUSED


def is_owned(path: Path) -> bool:
    """Return whether a name shows its owner."""
    return _OWNED.fullmatch(path.name) is not None


def marks(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Return the files with which runs mark their folders while they run."""
    return (entry for entry in _entries(folder) if entry.name.startswith("run-"))


def _remove_parts(root: Path) -> None:
    """Remove kept parts of runs that have finished, and of runs that were not resumed."""
    entries = list(_entries(root))
    done = {entry.name.split(".")[-2] for entry in entries if entry.name.endswith(".parquet")}
    for entry in entries:
        key = entry.name.removeprefix(_PARTS)
        if entry.name.startswith(_PARTS) and (key in done or _age(entry) > UNUSED):
            lock = locks.held(locks.lock_file(root, key), wait=False)
            with suppress(locks.BusyError, OSError), lock:
                discard(Path(entry.path))


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from list(entries)
    except OSError:  # it does not exist, or belongs to another user
        return


def _age(entry: os.DirEntry[str]) -> float:
    """Return the seconds since a file last changed; 0 if it no longer exists."""
    try:
        return time.time() - entry.stat(follow_symlinks=False).st_mtime
    except OSError:
        return 0.0


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it belongs to another user
        return True
    return True
