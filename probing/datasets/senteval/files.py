"""Where SentEval's files are: in the user's folder, or in the cache, fetched there if need be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from probing.datasets.fetching import FetchError, cache_folder, obtain
from probing.datasets.senteval.published import SIZES, SOURCES
from probing.errors import ProbingError
from probing.tasks.task import SPLITS, Task


def locate(root: Path | None, files: Sequence[str]) -> list[Path]:
    """The paths of some of SentEval's files.

    Args:
        root: SentEval's data folder, into which nothing is written; None for that of the cache, which has
            the same layout and into which missing files are fetched.
        files: Relative to it.

    Raises:
        ProbingError: If a file can neither be found in the cache nor fetched. One that is missing below
            `root` is noticed by who reads it.
    """
    if root is not None:
        return [root / file for file in files]
    for file in files:
        if file not in SOURCES:
            raise ProbingError(f"{file} is not among SentEval's files; give task.root=, a folder that has it")
    folder = cache_folder() / "senteval"
    found = []
    for at, file in enumerate(files):
        try:
            found.append(obtain(folder / file, SOURCES[file], folder / "downloads"))
        except FetchError as error:
            missing = [other for other in files[at:] if not (folder / other).exists()]
            others = {SOURCES[other][0].url for other in missing} - {SOURCES[file][0].url}
            more = f" (and then {len(others)} more)" if others else ""
            raise FetchError(f"{error}{more}, or give task.root=..., SentEval's data folder") from error
    return found


def check_sizes(task: Task, root: Path | None) -> Task:
    """Refuse a fetched task that lacks examples, as where what was fetched is not what it should be.

    Not every published file comes with a checksum, but all have a known size.

    Args:
        task: As it was read.
        root: As for `locate`; a folder of the user's may hold what they like.

    Raises:
        ProbingError: If there are fewer than were published.
    """
    expected = SIZES.get(task.name)
    if root is None and expected is not None:
        sizes = tuple(len(task.rows(split)) for split in SPLITS)
        if any(size < least for size, least in zip(sizes, expected, strict=True)):
            raise ProbingError(
                f"task {task.name}: {sizes} train, dev and test examples were fetched, {expected} are "
                f"published; remove its files below {cache_folder() / 'senteval'} to fetch them anew"
            )
    return task
