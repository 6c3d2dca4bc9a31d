"""Data sets of the Hugging Face hub: through the `datasets` library, or from local parquet files."""

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
        columns: Values by column, all of one length.
        names: The classes of the column `label` in the order of their numbers; empty if it does not say.
        where: What it was read from, for messages.
    """

    columns: dict[str, list[Any]]
    names: tuple[str, ...]
    where: str

    def check_columns(self, needed: Sequence[str]) -> None:
        """Refuse a split that lacks a column.

        Raises:
            ProbingError: If it does.
        """
        for column in needed:
            if column not in self.columns:
                there = ", ".join(self.columns)
                raise ProbingError(
                    f"{self.where}: there is no column {column!r} but {there}; take the hub's files"
                )


def load_splits(repository: str, config: str, splits: Sequence[str], folder: Path | None) -> list[HubSplit]:
    """Read some splits of a data set.

    Args:
        repository: Its name on the hub.
        config: Which of its data sets.
        splits: The splits, as the hub calls them.
        folder: Where parquet files lie, as `<config>/<split>-00000-of-00001.parquet` or `<split>.parquet`;
            None leaves it to `datasets`, which looks into its cache and on the hub.

    Raises:
        ProbingError: Saying which files to put where, if there are none.
    """
    if folder is None:
        return _from_library(repository, config, splits)
    return [_from_files(repository, folder, config, split) for split in splits]


def _from_library(repository: str, config: str, splits: Sequence[str]) -> list[HubSplit]:
    try:
        import datasets
    except ImportError as error:
        raise ProbingError(
            f"{repository} is read with the datasets library; pip install 'transformer-probing[glue]', or "
            "give task.path=... with its parquet files"
        ) from error
    # or it warns in two lines that it reads its cache
    datasets.utils.logging.set_verbosity_error()
    try:
        loaded = datasets.load_dataset(repository, config)
    except Exception as error:  # whatever the library, its transport or its files raise
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
        # where datasets notes the types that parquet does not have
        about = json.loads((table.schema.metadata or {}).get(b"huggingface", b"{}"))
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        reason = str(error).splitlines()[0]
        raise ProbingError(
            f"{files[0]}: no parquet file that can be read ({reason}); fetch it again"
        ) from error
    label = about.get("info", {}).get("features", {}).get("label", {})
    return HubSplit(columns, tuple(label.get("names") or ()), str(files[0]))


def _files(repository: str, folder: Path, config: str, split: str) -> list[Path]:
    """The parquet files of a split, in a folder named after the data set or right in the one given."""
    for inside in (folder / config, folder):
        with readable(inside, "give task.path=..., a folder with parquet files"):
            whole = (inside / f"{split}.parquet").is_file()
            shards = sorted(inside.glob(f"{split}-*-of-*.parquet"))
        if whole:
            return [inside / f"{split}.parquet"]
        if shards:
            # older files of the hub have a digest after the number
            numbered = re.search(r"-of-(\d+)", shards[0].name)
            total = int(numbered[1]) if numbered else len(shards)
            if len(shards) != total:
                raise ProbingError(
                    f"{shards[0]}: one of {total} files, of which {len(shards)} are there; add the rest"
                )
            return shards
    raise ProbingError(
        f"{folder}: no {config}/{split}.parquet or {config}/{split}-00000-of-00001.parquet; give as "
        f"task.path a folder with the files of huggingface.co/datasets/{repository}"
    )
