"""Data sets of the Hugging Face hub, from the `datasets` library or from local parquet files."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probing.datasets.lines import readable
from probing.errors import ProbingError


@dataclass(frozen=True)
class HubSplit:
    """One split of a data set.

    Attributes:
        columns: Values by column, all of the same length.
        names: Class names of the column `label`, in the order of their numbers; empty if unknown.
        where: Source of the split, for messages.
    """

    columns: dict[str, list[Any]]
    names: tuple[str, ...]
    where: str

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


def load_splits(repository: str, config: str, splits: Sequence[str], folder: Path | None) -> list[HubSplit]:
    """Read some splits of a data set.

    Args:
        repository: Its name on the hub.
        config: Name of the data set within the repository.
        splits: Names of the splits on the hub.
        folder: Folder with parquet files, named `<config>/<split>-00000-of-00001.parquet` or
            `<split>.parquet`; None uses `datasets`, which looks in its cache and on the hub.

    Raises:
        ProbingError: If there are no files; the message says which files to put where.
    """
    if folder is None:
        return _from_library(repository, config, splits)
    return [_from_files(repository, folder, config, split) for split in splits]


def _from_library(repository: str, config: str, splits: Sequence[str]) -> list[HubSplit]:
    try:
        import datasets
    except ImportError as error:
        raise ProbingError(
            f"reading {repository} needs the datasets library; pip install 'transformer-probing[glue]', or "
            "give task.path=... with its parquet files"
        ) from error
    # otherwise it warns in two lines that it reads its cache
    datasets.utils.logging.set_verbosity_error()
    try:
        loaded = datasets.load_dataset(repository, config)
    except Exception as error:  # from the library, its transport or its files
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        files = " and ".join(f"{config}/{split}-00000-of-00001.parquet" for split in splits)
        raise ProbingError(
            f"{repository} cannot be loaded ({reason}); put {files} from "
            f"huggingface.co/datasets/{repository} into a folder and give task.path=<that folder>"
        ) from error
    return [
        HubSplit(
            columns=loaded[split].to_dict(),
            names=tuple(getattr(loaded[split].features.get("label"), "names", None) or ()),
            where=f"{repository}, {config}, {split}",
        )
        for split in splits
    ]


def _from_files(repository: str, folder: Path, config: str, split: str) -> HubSplit:
    import pyarrow as pa
    import pyarrow.parquet as pq

    files = _files(repository, folder, config, split)
    try:
        table = pq.read_table(files)
        columns = table.to_pydict()
        # datasets stores here the types that parquet lacks
        about = json.loads((table.schema.metadata or {}).get(b"huggingface", b"{}"))
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        reason = str(error).splitlines()[0]
        raise ProbingError(f"{files[0]}: not a readable parquet file ({reason}); fetch it again") from error
    label = about.get("info", {}).get("features", {}).get("label", {})
    return HubSplit(columns, tuple(label.get("names") or ()), str(files[0]))


def _files(repository: str, folder: Path, config: str, split: str) -> list[Path]:
    """The parquet files of a split, in the given folder or in its subfolder named after the data set."""
    for inside in (folder / config, folder):
        with readable(inside, "give task.path=..., a folder with parquet files"):
            whole = (inside / f"{split}.parquet").is_file()
            shards = sorted(inside.glob(f"{split}-*-of-*.parquet"))
        if whole:
            return [inside / f"{split}.parquet"]
        if shards:
            # older hub files have a digest after the number
            numbered = re.search(r"-of-(\d+)", shards[0].name)
            total = int(numbered[1]) if numbered else len(shards)
            if len(shards) != total:
                raise ProbingError(
                    f"{shards[0]}: one of {total} files, but only {len(shards)} are there; add the rest"
                )
            return shards
    raise ProbingError(
        f"{folder}: no {config}/{split}.parquet or {config}/{split}-00000-of-00001.parquet; set "
        f"task.path to a folder with the files of huggingface.co/datasets/{repository}"
    )
