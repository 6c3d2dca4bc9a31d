"""Pieces of a folder of outputs that nothing refers to, found without changing anything."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from probing.errors import CorruptFileError, ForeignFileError, NewerFileError, OldFileError
from probing.inventory.frames import Stored, take_stock
from probing.io.files import file_name
from probing.io.locks import is_held, lock_file
from probing.io.parquet import check_seal
from probing.representations.cache import REQUEST
from probing.representations.summaries import VectorsSummary
from probing.results.store import key_of
from probing.runs.folder import running_in

Kind = Literal["results", "parts", "vectors", "pictures", "models", "runs", "remains"]
_HEX = frozenset("0123456789abcdef")
PARTS = ".parts-"


@dataclass(frozen=True)
class Unused:
    """A file or folder that may be removed.

    Attributes:
        kind: Kind of thing that it is.
        path: The file or folder.
        size: Bytes on disk.
        why: Reason to name it alone, such as damage; empty if its kind says it all.
        lock: Lock that a process holds while it works on it; None if none does.
        stamp: Times of its last changes, to notice a later one.
    """

    kind: Kind
    path: Path
    size: int
    why: str = ""
    lock: Path | None = None
    stamp: tuple[int, ...] = ()


@dataclass(frozen=True)
class Outputs:
    """A folder of outputs with everything that is known about it.

    Attributes:
        stock: Results and vectors.
        running: Folders of the runs that were at work before the results were read.
        files: Names of all files of results before they were read.
        left: Sentences about pieces that stay, in the order in which they are met.
    """

    stock: Stored
    running: tuple[Path, ...] = ()
    files: frozenset[str] = frozenset()
    left: list[str] = field(default_factory=list)

    @property
    def root(self) -> Path:
        """The folder of outputs."""
        return self.stock.root

    @cached_property
    def lost(self) -> list[str]:
        """Names of damaged results, which do not say any more which vectors and models they are of."""
        return [Path(each.path).name for each in self.stock.problems if _is_lost(each, self.root)]

    def folder(self, name: str) -> Path | None:
        """Return a folder within the root; None if it is missing, or a link to somewhere else."""
        path = self.root / name
        if path.is_symlink():
            self.left.append(f"{path}: it is a link, and links are not followed")
            return None
        return path if path.is_dir() else None

    def piece(
        self, kind: Kind, path: Path, why: str = "", lock: Path | None = None, size: int | None = None
    ) -> Unused:
        """Describe a file or folder that may be removed."""
        return Unused(kind, path, disk_size(path) if size is None else size, why, lock, stamp(path))


def outputs(root: Path) -> Outputs:
    """Read everything that is known about a folder of outputs.

    Raises:
        ProbingError: If there is no such folder.
    """
    # before the results are read, since a run may end meanwhile
    running, files = running_in(root), result_files(root)
    return Outputs(take_stock(root, sizes=True), running, files)


def result_files(root: Path) -> frozenset[str]:
    """Return the names of all files of results."""
    return frozenset(path.name for path in (root / "results").glob("*.parquet"))


def unused_results(found: Outputs) -> Iterator[Unused]:
    """Yield the files of results that cannot be read: damaged ones, and those of older versions."""
    folder = found.folder("results")
    if folder is None:
        return
    broken = {each.path: each for each in found.stock.problems if Path(each.path).parent == folder}
    for result in found.stock.results:
        problem = _broken_seal(result.path)
        if problem is not None:
            broken[problem.path] = problem
    for error in broken.values():
        path = Path(error.path)
        stays = _stays(path, error)
        if stays:
            found.left.append(stays)
        elif is_held(lock_file(folder, key_of(path))):
            found.left.append(f"{path}: a process is computing it")
        else:
            yield found.piece("results", path, _reason(error), lock_file(folder, key_of(path)))


def _broken_seal(path: Path) -> CorruptFileError | None:
    try:
        check_seal(path.read_bytes())
    except CorruptFileError as error:
        return CorruptFileError(str(path), error.reason)
    except OSError:
        return None
    return None


def _stays(path: Path, error: CorruptFileError) -> str:
    """Return why a file stays although it is not used; empty if it may be removed."""
    if isinstance(error, ForeignFileError | NewerFileError):
        return f"{path}: {error.reason}"
    if path.is_symlink():
        return f"{path}: it is a link, and links are not followed"
    named = path.suffix == ".parquet" and is_key(key_of(path), 16)
    if named or isinstance(error, OldFileError):
        return ""
    return f"{path}: its name is not that of a result ({error.reason})"


def is_key(text: str, digits: int) -> bool:
    """Return whether a text is a key of some hexadecimal digits."""
    return len(text) == digits and set(text) <= _HEX


def _reason(error: CorruptFileError) -> str:
    return error.reason if isinstance(error, OldFileError) else str(error).removeprefix(f"{error.path}: ")


def unused_parts(found: Outputs) -> Iterator[Unused]:
    """Yield the finished parts of runs that were interrupted and are not at work now."""
    folder = found.folder("results")
    for path in sorted(folder.glob(f"{PARTS}*")) if folder else ():
        lock = lock_file(path.parent, path.name.removeprefix(PARTS))
        if path.is_dir() and not path.is_symlink() and not is_held(lock):
            yield found.piece("parts", path, lock=lock)


def unused_vectors(found: Outputs) -> Iterator[Unused]:
    """Yield the vectors that no result refers to, and damaged files among those that one refers to."""
    folder = found.folder("representations")
    if folder is None:
        return
    used = {key for result in found.stock.results for key in result.vectors}
    for vectors in found.stock.vectors:
        lock = lock_file(folder, vectors.key)
        stays = _untouched(vectors.folder, lock) or ("" if vectors.key in used else _unsure(vectors, found))
        if stays:
            found.left.append(f"{vectors.folder}: {stays}")
        elif vectors.key in used:
            yield from _damaged(found, vectors, lock)
        else:
            yield found.piece("vectors", vectors.folder, lock=lock, size=vectors.size)


def _untouched(folder: Path, lock: Path) -> str:
    """Return why a folder of vectors stays as it is; empty if it may be changed."""
    if folder.is_symlink():
        return "it is a link, and links are not followed"
    return "a process is writing there" if is_held(lock) else ""


def _unsure(vectors: VectorsSummary, found: Outputs) -> str:
    """Return why vectors stay that no readable result refers to; empty if nothing can refer to them."""
    if found.running:
        return f"the run in {found.running[0]} may be reading it"
    if found.lost and (not vectors.manifests or any(_names(vectors, found.lost))):
        return "a damaged result may have been of it"
    foreign = _foreign(vectors.folder)
    return f"probing did not write {foreign} in it" if foreign else ""


def _is_lost(error: CorruptFileError, root: Path) -> bool:
    """Return whether a file is a damaged result, which does not say any more which vectors it is of."""
    kept = isinstance(error, OldFileError | ForeignFileError)
    return Path(error.path).parent == root / "results" and not kept


def _names(vectors: VectorsSummary, files: Collection[str]) -> Iterator[bool]:
    for about in vectors.manifests:
        start = file_name(f"{about['model']}.{about['task']}.")
        yield any(name.startswith(start) for name in files)


def _damaged(found: Outputs, vectors: VectorsSummary, lock: Path) -> Iterator[Unused]:
    for error in vectors.problems:
        path = Path(error.path)
        shard = path if path.parent == vectors.folder else path.parent
        if isinstance(error, ForeignFileError | NewerFileError) or shard.is_symlink():
            found.left.append(f"{shard}: {error.reason}")
        else:
            yield found.piece("vectors", shard, _reason(error), lock)


def _foreign(folder: Path) -> str:
    """Return the name of a file that probing does not write among vectors; empty if there is none."""
    for path in sorted(folder.iterdir()):
        ours = path.name == REQUEST or path.name.startswith(("shard-", "tmp-", ".tmp-", "trash-", ".trash-"))
        if not (ours or path.match("task-*.parquet")) or path.is_symlink():
            return path.name
    return ""


def disk_size(path: Path) -> int:
    """Return the bytes of a file, or of all files below a folder, without following links."""
    try:
        if path.is_symlink() or not path.is_dir():
            return path.lstat().st_size
        return sum(disk_size(each) for each in path.iterdir())
    except FileNotFoundError:  # removed meanwhile
        return 0


def stamp(path: Path) -> tuple[int, ...]:
    """Return the times at which a file or folder last changed, and its number on the disk."""
    try:
        state = path.lstat()
    except OSError:
        return ()
    return state.st_mtime_ns, state.st_ctime_ns, state.st_ino
