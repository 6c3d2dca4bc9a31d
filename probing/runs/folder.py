"""The folder of one run, with a unique name and without remains of failed or killed runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from probing.errors import ProbingError
from probing.io import locks
from probing.io.files import expanded, make_folder, own_name, replace_file
from probing.io.litter import clean, ended, is_owned, marks
from probing.io.log import LOG

CONFIG, CARD = "config.yaml", "task.yaml"
WRITTEN = {LOG, CONFIG, CARD}
"""Files of every run, which say nothing without a result."""
PICTURES = {".png", ".svg", ".pdf", ".csv"}


@contextmanager
def new_run_folder(wanted: Path, root: Path) -> Iterator[Path]:
    """Make the folder of a run, and remove it again if the run fails.

    Folders that other runs use too are kept, unless this run made the whole root and no other files were
    added there.

    Args:
        wanted: The folder; a number is appended if another run has it.
        root: The folder of all outputs.
    """
    fresh = not root.exists()
    tidy(root)
    planned = expanded(wanted).resolve()
    try:
        folder, mark = _make(planned, root)
        with _until_done(mark):
            try:
                yield folder
            except (ProbingError, OSError):
                _empty(folder)
                raise
    except (ProbingError, OSError):
        if fresh:
            _leave(root, planned.parent)
        raise


@contextmanager
def marked(folder: Path, root: Path) -> Iterator[None]:
    """Mark a folder as that of a run while it lasts, so that the next run can remove it after a kill."""
    mark = _mark(folder, root)  # first, since a killed run may have had the same folder
    tidy(root)
    with _until_done(mark):
        yield


@contextmanager
def _until_done(mark: Path) -> Iterator[None]:
    """Remove a run's mark when the run ends; an interrupt from the keyboard leaves it, like a kill."""
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException:
        mark.unlink(missing_ok=True)
        raise
    mark.unlink(missing_ok=True)


def _empty(folder: Path) -> None:
    """Remove the files of a run without a result, and its folder if nothing else is in it."""
    for name in WRITTEN:
        (folder / name).unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def tidy(root: Path) -> None:
    """Remove the remains of killed runs: temporary files, and folders of runs without a result."""
    clean(root)
    for entry in marks(root / "locks"):
        if not ended(entry):
            continue
        mark = Path(entry.path).with_name(own_name("run"))
        with suppress(OSError):
            Path(entry.path).rename(mark)  # so that no other process removes the same folder later
            folder = folder_of(mark)
            if folder is not None and not _is_of_others(folder, mark):
                with suppress(OSError):
                    _remove_half_run(folder, root)
            mark.unlink(missing_ok=True)


def _is_of_others(folder: Path, mark: Path) -> bool:
    """Return whether another run has marked a folder as its own."""
    others = (Path(entry.path) for entry in marks(mark.parent) if entry.name != mark.name)
    return any(folder_of(other) == folder for other in others)


def _make(wanted: Path, root: Path) -> tuple[Path, Path]:
    number = 1
    while True:
        folder = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        if folder.exists():
            number += 1
            continue
        make_folder(folder.parent)  # if this fails, nothing has been written yet
        mark = _mark(folder, root)
        try:
            made = _made(folder)
        except OSError:
            mark.unlink(missing_ok=True)
            raise
        if made:
            return folder, mark
        mark.unlink(missing_ok=True)


def _made(folder: Path) -> bool:
    """Make a folder; return False if another run has made it or removed its empty parent."""
    try:
        folder.mkdir()
    except (FileExistsError, FileNotFoundError):
        return False
    return True


def _mark(folder: Path, root: Path) -> Path:
    path = root / "locks" / own_name("run")
    replace_file(path, str(folder.resolve()).encode())
    return path


def folder_of(mark: Path) -> Path | None:
    """Return the folder that a run has marked as its own; None if the mark is gone."""
    try:
        return Path(mark.read_text(encoding="utf-8"))
    except OSError:
        return None


def _remove_half_run(folder: Path, root: Path) -> None:
    """Remove a run's folder with the files that runs write; keep it if it contains other files."""
    if not folder.is_dir():
        return
    written = list(folder.iterdir())
    if any(not (path.name in WRITTEN or path.suffix in PICTURES or is_owned(path)) for path in written):
        return
    for path in written:
        path.unlink()
    folder.rmdir()
    if folder.parent.parent == (root / "runs").resolve():  # the last job of a sweep
        folder.parent.rmdir()


def _leave(root: Path, runs: Path) -> None:
    """Remove a root that this run has made, unless other files were added meanwhile."""
    for path in (root / "locks").glob("*.lock"):
        locks.remove(path)
    for folder in (root / "locks", runs, root):
        if folder.resolve().is_relative_to(root.resolve()):
            with suppress(OSError):
                folder.rmdir()


def running_in(root: Path) -> tuple[Path, ...]:
    """Return the folders of the runs that are at work."""
    found = (folder_of(Path(entry.path)) for entry in marks(root / "locks") if not ended(entry))
    return tuple(folder for folder in found if folder is not None)
