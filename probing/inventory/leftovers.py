"""Pictures, models and folders of runs whose result is gone, and the remains of killed processes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from probing.figures.kept import is_kept_for
from probing.inventory.unused import (
    Kind,
    Outputs,
    Unused,
    is_key,
    unused_parts,
    unused_results,
    unused_vectors,
)
from probing.io.litter import ended, is_owned, marks, remains
from probing.io.locks import is_held, lock_file
from probing.io.log import LOG
from probing.runs.folder import PICTURES, WRITTEN, folder_of

_RESULT = re.compile(r"result: (?:found as )?(\S.*\.parquet)")
_STARTING = 3600
"""Seconds for which a run may read its task before it marks its folder."""


def unused_pictures(found: Outputs) -> Iterator[Unused]:
    """Yield the kept pictures of results that are gone, and those that other code drew."""
    folder = found.folder("pictures")
    keys = {result.key for result in found.stock.results}
    for path in sorted(folder.iterdir()) if folder else ():
        ours = is_key(path.name, 16) and path.is_dir() and not path.is_symlink()
        if ours and not is_kept_for(path, keys):
            yield found.piece("pictures", path)


def unused_models(found: Outputs) -> Iterator[Unused]:
    """Yield the models of analyses whose result is gone, and saved models in memory without a result."""
    folder = found.folder("models")
    # by name, since the folder of outputs may have been moved
    probed = {_model_name(result.about) for result in found.stock.results}
    for path in sorted(folder.iterdir()) if folder else ():
        key = path.name.rpartition(".")[2]
        if not is_key(key, 16) or not path.is_dir() or path.is_symlink():
            continue
        lock = lock_file(found.root / "results", key)
        there = (found.root / "results" / f"{path.name}.parquet").exists()
        if not there and path.name not in probed and not is_held(lock):
            yield found.piece("models", path, lock=lock)
    given = found.folder("models/given")
    for path in sorted(given.iterdir()) if given and not found.running and not found.lost else ():
        starting = time.time() - path.lstat().st_mtime < _STARTING
        if is_key(path.name, 16) and path.is_dir() and not starting and path.name not in probed:
            yield found.piece("models", path)


def _model_name(about: Mapping[str, object]) -> str:
    """Return the last part of the path or name of the model of a run; "" if it is not stored."""
    config = about.get("config")
    model = config.get("model") if isinstance(config, Mapping) else None
    return Path(str(model.get("name"))).name if isinstance(model, Mapping) else ""


def unused_runs(found: Outputs) -> Iterator[Unused]:
    """Yield the folders of killed runs, and of runs that ended without a result."""
    killed = set(_killed(found))
    folder = found.folder("runs")
    for path in _run_folders(folder) if folder else ():
        if path.resolve() in killed:
            yield found.piece("runs", path, "its run was killed")
        elif not _at_work(path, found) and _is_without_result(path, found.root):
            yield found.piece("runs", path)


def _killed(found: Outputs) -> Iterator[Path]:
    """Yield the folders whose runs were killed and that contain nothing but files of a run."""
    for entry in marks(found.root / "locks"):
        folder = folder_of(Path(entry.path)) if ended(entry) else None
        if folder is None or not folder.is_dir() or folder in found.running:
            continue
        if _has_only(folder, PICTURES):
            yield folder


def _run_folders(folder: Path) -> Iterator[Path]:
    """Yield the folders of single runs, and those of the jobs of sweeps."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            jobs = [each for each in sorted(path.iterdir()) if each.name.isdecimal() and each.is_dir()]
            yield from (each for each in jobs if not each.is_symlink())
            if not jobs:
                yield path


def _at_work(path: Path, found: Outputs) -> bool:
    """Return whether a run, or another job of its sweep, is at work there, or may be starting."""
    own, runs = path.resolve(), (found.root / "runs").resolve()
    if any(own == folder or own.parent == folder.parent != runs for folder in found.running):
        return True
    return path.name.isdecimal() and time.time() - _latest(path) < _STARTING


def _latest(path: Path) -> float:
    return max(each.lstat().st_mtime for each in (path, *path.iterdir()))


def _is_without_result(path: Path, root: Path) -> bool:
    """Return whether a folder has only files of every run, and its log names no result that is there."""
    log = path / LOG
    if not log.is_file() or not _has_only(path, set()):
        return False
    named = _RESULT.search(log.read_text(encoding="utf-8", errors="replace"))
    return named is None or not (root / "results" / Path(named[1]).name).exists()


def _has_only(folder: Path, suffixes: set[str]) -> bool:
    return all(
        not path.is_dir() and (path.name in WRITTEN or path.suffix in suffixes or is_owned(path))
        for path in folder.iterdir()
    )


def unused_remains(found: Outputs) -> Iterator[Unused]:
    """Yield temporary files and trash of ended processes."""
    for path in remains(found.root):
        yield found.piece("remains", path)


FINDERS: Mapping[Kind, Callable[[Outputs], Iterator[Unused]]] = MappingProxyType(
    {
        "results": unused_results,
        "parts": unused_parts,
        "vectors": unused_vectors,
        "pictures": unused_pictures,
        "models": unused_models,
        "runs": unused_runs,
        "remains": unused_remains,
    }
)
"""Function that finds the pieces of each kind."""
COSTS: Mapping[Kind, str] = MappingProxyType(
    {
        "results": "files that cannot be read, damaged or of an older version; their runs are repeated",
        "parts": "finished parts of interrupted runs; such a run starts from the beginning",
        "vectors": "vectors that no result refers to, and damaged files; the model reads the texts again",
        "pictures": "kept pictures of results that are gone; they are drawn again in seconds",
        "models": "models of analyses or in memory whose results are gone; a run makes them again",
        "runs": "logs and configurations of runs without a result; nothing is computed again",
        "remains": "temporary files of killed processes; nothing is computed again",
    }
)
"""Meaning of each kind, and the cost of making it again."""
