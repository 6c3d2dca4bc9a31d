"""Files of a table and the splits that they contain."""

from __future__ import annotations

from pathlib import Path

from probing.datasets.lines import readable
from probing.datasets.table.columns import SPLIT_OF
from probing.datasets.table.records import EXTENSIONS, HINT
from probing.errors import ProbingError


def files_of_folder(folder: Path) -> dict[str, Path]:
    """Return the files of a folder that are named after a split, such as `train.csv`, by split.

    Raises:
        ProbingError: If there is no train file, or there are two files for one split.
    """
    with readable(folder, HINT):
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in EXTENSIONS)
    found: dict[str, Path] = {}
    for path in files:
        split = SPLIT_OF.get(path.stem.lower())
        if split in found:
            raise ProbingError(f"{folder}: {found[split].name} and {path.name} are both {split}; remove one")
        if split is not None:
            found[split] = path
    if "train" not in found:
        there = ", ".join(path.name for path in files) or f"no file ending in {', '.join(EXTENSIONS)}"
        raise ProbingError(
            f"{folder}: no train file; there is {there}; name the files train, dev and test, or give one "
            "file as task.path"
        )
    return found


def split_files(path: Path | None, named: dict[str, Path | None]) -> list[tuple[str | None, Path]]:
    """Return the files to read, each with its split, or with None if a column or nothing gives the split.

    Args:
        path: A file, or a folder with a file for each split.
        named: A file for each split, as an alternative.

    Raises:
        ProbingError: If neither or both are given, or files are missing.
    """
    given = {split: file for split, file in named.items() if file is not None}
    if path is not None and given:
        raise ProbingError(f"task.path and task.{next(iter(given))} contradict each other; leave one out")
    if path is not None:
        with readable(path, HINT):
            folder = path.is_dir()
        if not folder:
            return [(None, path)]
        given = files_of_folder(path)
    if not given:
        raise ProbingError(
            "task.path is not set; give task.path=... with your csv, tsv, jsonl or parquet file"
        )
    if "train" not in given:
        raise ProbingError("task.train is not set; give the file to train on")
    if set(given) == {"train"}:
        return [(None, given["train"])]
    return [(split, given[split]) for split in named if split in given]
