"""The folder of one run: its own name, and no remains of runs that failed or were killed."""

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
_WRITTEN = {LOG, CONFIG, CARD}
_PICTURES = {".png", ".svg", ".pdf", ".csv"}


@contextmanager
def new_run_folder(wanted: Path, root: Path) -> Iterator[Path]:
    """Make the folder of a run, and remove it again if the run fails.

    Folders that other runs use too stay, unless this run made the whole root and nobody else has put
    anything there.

    Args:
        wanted: The folder; another number is appended if another run has it.
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
    """Say while it lasts that a folder is that of a run, so that the next run takes it away after a kill."""
    mark = _mark(folder, root)  # first: a killed run may have had the same folder
    tidy(root)
    with _until_done(mark):
        yield


@contextmanager
def _until_done(mark: Path) -> Iterator[None]:
    """Remove a run's mark when the run ends, unless the keyboard stops it: as if it were killed."""
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException:
        mark.unlink(missing_ok=True)
        raise
    mark.unlink(missing_ok=True)


def _empty(folder: Path) -> None:
    """Remove what a run that came to nothing has written, and its folder if nothing else is there."""
    for name in _WRITTEN:
        (folder / name).unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def tidy(root: Path) -> None:
    """Remove what killed runs have left: temporaries, and folders of runs without a result."""
    clean(root)
    for entry in marks(root / "locks"):
        if not ended(entry):
            continue
        mark = Path(entry.path).with_name(own_name("run"))
        with suppress(OSError):
            Path(entry.path).rename(mark)  # so that no other process takes the same folder away later
            folder = _folder_of(mark)
            if folder is not None and not _is_of_others(folder, mark):
                with suppress(OSError):
                    _remove_half_run(folder, root)
            mark.unlink(missing_ok=True)


def _is_of_others(folder: Path, mark: Path) -> bool:
    """Return whether another run says that a folder is its own."""
    others = (Path(entry.path) for entry in marks(mark.parent) if entry.name != mark.name)
    return any(_folder_of(other) == folder for other in others)


def _make(wanted: Path, root: Path) -> tuple[Path, Path]:
    number = 1
    while True:
        folder = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        if folder.exists():
            number += 1
            continue
        make_folder(folder.parent)  # if it cannot be, nothing has been written yet
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
    """Make a folder; False if another run has made it, or taken its empty parent away."""
    try:
        folder.mkdir()
    except (FileExistsError, FileNotFoundError):
        return False
    return True


def _mark(folder: Path, root: Path) -> Path:
    path = root / "locks" / own_name("run")
    replace_file(path, str(folder.resolve()).encode())
    return path


def _folder_of(mark: Path) -> Path | None:
    try:
        return Path(mark.read_text(encoding="utf-8"))
    except OSError:
        return None


def _remove_half_run(folder: Path, root: Path) -> None:
    """Remove a run's folder with what runs write; one in which somebody has put something else stays."""
    if not folder.is_dir():
        return
    written = list(folder.iterdir())
    if any(not (path.name in _WRITTEN or path.suffix in _PICTURES or is_owned(path)) for path in written):
        return
    for path in written:
        path.unlink()
    folder.rmdir()
    if folder.parent.parent == (root / "runs").resolve():  # the last job of a sweep
        folder.parent.rmdir()


def _leave(root: Path, runs: Path) -> None:
    """Remove a root that this run has made, as far as nobody has put anything there meanwhile."""
    for path in (root / "locks").glob("*.lock"):
        locks.remove(path)
    for folder in (root / "locks", runs, root):
        if folder.resolve().is_relative_to(root.resolve()):
            with suppress(OSError):
                folder.rmdir()
