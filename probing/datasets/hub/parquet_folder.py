"""Parquet files of a data set in a local folder, in the layouts that the hub and its tools write."""

from __future__ import annotations

import re
from pathlib import Path

from probing.datasets.hub.stored import ParquetRows
from probing.datasets.lines import readable
from probing.errors import ProbingError
from probing.validation.suggestions import suggest

HINT = "give task.path=..., a folder with parquet files"
# older files of the hub have a digest after the number
_FILE = re.compile(r"(?P<split>\w+(\.\w+)*)(-\d{5}-of-(?P<total>\d{5})(-[0-9a-f]+)?)?\.parquet")
# the branch refs/convert/parquet has a folder for each split
_NUMBERED = re.compile(r"\d+\.parquet")


def parquet_splits(folder: Path, config: str | None, repository: str) -> dict[str, list[Path]]:
    """Return the files of every split of a folder, by the name of the split.

    A split is `train.parquet`, `train-00000-of-00002.parquet` and so on, or `train/0000.parquet` and so on.
    These are in the folder, in its subfolder `data`, or in one that is named after the data set.

    Args:
        folder: The folder.
        config: Name of the data set within the repository; None takes the only one.
        repository: Name of the repository, for messages; empty if it is not known.

    Raises:
        ProbingError: If there are no files, or the data set is not the only one.
    """
    with readable(folder, HINT):
        paths = list(folder.iterdir()) if folder.is_dir() else []
        inside = sorted(path.name for path in paths if path.is_dir())
    places = [folder, folder / "data"] if config is None else [folder / config, folder, folder / "data"]
    for place in places:
        if found := _splits(place):
            return found
    configs = {name: found for name in inside if (found := _splits(folder / name))}
    if config is None and len(configs) == 1:
        return next(iter(configs.values()))
    if configs:
        wrong = (
            f"task.config={config}: {folder} has no such subfolder"
            if config
            else f"{folder}: several data sets"
        )
        raise ProbingError(f"{wrong}; name one, task.config=...; {suggest(config or '', list(configs))}")
    raise ProbingError(no_files(folder, config, "train", repository))


def no_files(folder: Path, config: str | None, split: str, repository: str) -> str:
    """Return the message for a split that a folder lacks."""
    start = f"{config}/{split}" if config else split
    files = f"the files of huggingface.co/datasets/{repository}" if repository else "such files"
    names = f"{start}.parquet or {start}-00000-of-00001.parquet"
    return f"{folder}: no {names}; set task.path to a folder with {files}"


def _splits(place: Path) -> dict[str, list[Path]]:
    with readable(place.parent, HINT):
        paths = sorted(place.iterdir()) if place.is_dir() else []
    found: dict[str, list[Path]] = {}
    for path in paths:
        matched = _FILE.fullmatch(path.name)
        if matched and path.is_file():
            found.setdefault(matched["split"], []).append(path)
        elif path.is_dir():
            numbered = sorted(file for file in path.iterdir() if _NUMBERED.fullmatch(file.name))
            if numbered:
                found.setdefault(path.name.removeprefix("partial-"), numbered)
    return found


def rows_of(split: str, files: list[Path]) -> ParquetRows:
    """Return the rows of the files of a split.

    Raises:
        ProbingError: If files are missing.
    """
    whole = [file for file in files if file.name == f"{split}.parquet"]
    files = whole or files
    matched = _FILE.fullmatch(files[0].name)
    total = int(matched["total"]) if matched and matched["total"] else len(files)
    if len(files) != total:
        raise ProbingError(f"{files[0]}: one of {total} files, but only {len(files)} are there; add the rest")
    return ParquetRows(tuple(map(str, files)), str(files[0]))
