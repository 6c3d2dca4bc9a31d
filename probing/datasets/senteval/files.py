"""SentEval's files, in the user's folder or in the cache, where missing ones are fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from probing.datasets.fetching import FetchError, cache_folder, obtain
from probing.datasets.senteval.published import SIZES, SOURCES
from probing.errors import ProbingError
from probing.tasks.task import SPLITS, Task


def locate(root: Path | None, files: Mapping[str, Sequence[str]]) -> dict[str, list[Path]]:
    """Return the paths of some of SentEval's files.

    Args:
        root: SentEval's data folder, into which nothing is written. None for the cache, which has the same
            layout and into which missing files are fetched.
        files: Lists of files by key, relative to that folder.

    Returns:
        Lists of paths by the same keys.

    Raises:
        ProbingError: If a file is neither in the cache nor can be fetched. A file that is missing below
            `root` is only noticed when it is read.
    """
    if root is not None:
        return {key: [root / file for file in group] for key, group in files.items()}
    found = _fetched([file for group in files.values() for file in group])
    return {key: [found[file] for file in group] for key, group in files.items()}


def _fetched(files: Sequence[str]) -> dict[str, Path]:
    """Return the paths of files in the cache."""
    for file in files:
        if file not in SOURCES:
            raise ProbingError(
                f"{file} is not among SentEval's files; give task.root=..., a folder that has it"
            )
    folder = cache_folder() / "senteval"
    found = {}
    for at, file in enumerate(files):
        try:
            found[file] = obtain(folder / file, SOURCES[file], folder / "downloads")
        except FetchError as error:
            missing = [other for other in files[at:] if not (folder / other).exists()]
            others = {SOURCES[other][0].url for other in missing} - {SOURCES[file][0].url}
            more = f" (and then {len(others)} more)" if others else ""
            raise FetchError(f"{error}{more}, or give task.root=..., SentEval's data folder") from error
    return found


def check_sizes(task: Task, root: Path | None) -> Task:
    """Refuse a fetched task with fewer examples than were published.

    Some published files have no checksum, but the size of every task is known.

    Args:
        task: The task as it was read.
        root: SentEval's data folder. Any size is accepted there; None for fetched files.

    Returns:
        The same task.

    Raises:
        ProbingError: If there are fewer examples than were published.
    """
    expected = SIZES.get(task.name)
    if root is None and expected is not None:
        sizes = tuple(len(task.rows(split)) for split in SPLITS)
        if any(size < least for size, least in zip(sizes, expected, strict=True)):
            raise ProbingError(
                f"task {task.name}: {sizes} train, dev and test examples were fetched, {expected} are "
                f"published; remove its files below {cache_folder() / 'senteval'} to fetch them again"
            )
    return task
