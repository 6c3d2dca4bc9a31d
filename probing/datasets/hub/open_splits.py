"""Splits of a data set of the hub, from the `datasets` library or from a local folder."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from probing.datasets.hub.blocks import Part
from probing.datasets.hub.label_names import declared_names
from probing.datasets.hub.library import HubData, open_library, open_saved
from probing.datasets.hub.parquet_folder import HINT, no_files, parquet_splits, rows_of
from probing.datasets.lines import readable
from probing.errors import ProbingError


@dataclass(frozen=True)
class HubSplit:
    """One split of a data set, or a part of it.

    Attributes:
        columns: Values by column, all of the same length.
        class_names: Names of the classes, in the order of their numbers, of the columns that declare them.
        where: Source of the split, for messages.
        rows: Number of each row in the split, from 1, if only a part was read; else None.
    """

    columns: Mapping[str, list[Any]]
    class_names: Mapping[str, tuple[str, ...]]
    where: str
    rows: Sequence[int] | None = None

    def check_columns(self, needed: Sequence[str]) -> None:
        """Reject a split that lacks a column.

        Raises:
            ProbingError: If a column is missing.
        """
        for column in needed:
            if column not in self.columns:
                there = ", ".join(self.columns)
                raise ProbingError(
                    f"{self.where}: there is no column {column!r}, only {there}; use the hub's files"
                )


def open_data(
    repository: str, config: str | None, revision: str | None, folder: Path | None, *, streamed: bool = False
) -> HubData:
    """Open a data set, without reading its rows.

    Args:
        repository: Name on the hub; with a folder, it is for messages and may be empty.
        config: Name of the data set within the repository; None takes the only one, or the default.
        revision: Branch, tag or commit of the repository; None takes the main branch.
        folder: Folder with parquet files (see `parquet_splits`) or written by `save_to_disk`; None uses the
            `datasets` library, which looks in its cache and on the hub.
        streamed: Whether only a part will be read, so that files are not downloaded if ranges can be read.

    Raises:
        ProbingError: If there is no such data set; the message says what there is.
    """
    if folder is None:
        return open_library(repository, config, revision, streamed)
    with readable(folder, HINT):
        saved = [place for place in (folder / (config or ""), folder) if _is_saved(place)]
        if not saved and folder.is_file():
            raise ProbingError(f"{folder}: not a folder; give its folder, or read the file with task=table")
    if saved:
        return open_saved(saved[0])
    files = parquet_splits(folder, config, repository)
    return HubData(tuple(files), lambda name: rows_of(name, files[name]), f"files of {folder}")


def _is_saved(place: Path) -> bool:
    return any((place / name).is_file() for name in ("dataset_dict.json", "state.json"))


def read_split(
    data: HubData, name: str, part: Part | None = None, needed: Collection[str] | None = None
) -> HubSplit:
    """Read the rows of a split.

    Args:
        data: The data set.
        name: Name of the split.
        part: The part to read; None reads all.
        needed: Columns to read; None, or a name that is not among the columns, reads all.
    """
    stored = data.open(name)
    columns = stored.names()
    if needed is not None and set(needed) <= set(columns):
        columns = [column for column in columns if column in needed]
    n = len(stored)
    spans = [range(n)] if part is None else part.spans(n)
    whole = spans == [range(n)]
    return HubSplit(
        stored.read(spans, columns).to_pydict(),
        declared_names(stored.features()),
        stored.where,
        None if whole else [row + 1 for row in chain(*spans)],
    )


def load_splits(repository: str, config: str, splits: Sequence[str], folder: Path | None) -> list[HubSplit]:
    """Read some splits of a data set whose splits are known.

    Args:
        repository: Name on the hub.
        config: Name of the data set within the repository.
        splits: Names of the splits on the hub.
        folder: See `open_data`.

    Raises:
        ProbingError: If there are no files; the message says which files to put where.
    """
    try:
        data = open_data(repository, config, None, folder)
    except ProbingError as error:
        if folder is not None:
            raise
        files = " and ".join(f"{config}/{split}-00000-of-00001.parquet" for split in splits)
        raise ProbingError(
            f"{error}; or put {files} from huggingface.co/datasets/{repository} into a folder and give "
            "task.path=<that folder>"
        ) from error
    for split in splits:
        if split not in data.names:
            missing = f"{repository}, {config}: there is no split {split}; use the hub's files"
            raise ProbingError(missing if folder is None else no_files(folder, config, split, repository))
    return [read_split(data, split) for split in splits]
