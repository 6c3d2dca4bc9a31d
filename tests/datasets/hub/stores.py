"""Small data sets in the places where those of the hub are found: folders, save_to_disk, the cache."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

datasets = pytest.importorskip("datasets")

REPOSITORY = "some-one/reviews"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
CLASSES = ("neg", "pos")


def features(**kinds: Any) -> Any:  # noqa: ANN401
    """Types of columns: texts, classes, and any others by name."""
    return datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=list(CLASSES)), **kinds}
    )


def reviews(split: str, n: int, *, ordered: bool = False, hidden: bool = False) -> Any:  # noqa: ANN401
    """A split of texts with classes; with `ordered`, all of the first class come first."""
    labels = [-1 if hidden else int(row >= n / 2) if ordered else row % 2 for row in range(n)]
    texts = [f"{split} text {row} is {CLASSES[label]}" for row, label in enumerate(labels)]
    return datasets.Dataset.from_dict({"text": texts, "label": labels}, features=features())


def write(folder: Path, form: str, splits: Mapping[str, Any], *, group: int = 1000) -> Path:
    """Write the parquet file of every split; `form` is its path, such as `data/{split}.parquet`."""
    for split, data in splits.items():
        path = folder / form.format(split=split)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(data.data.table, path, row_group_size=group)
    return folder


def cached(
    folder: Path, splits: Mapping[str, Any], *configs: str, repository: str = REPOSITORY, commit: str = COMMIT
) -> Path:
    """A cache such as `datasets` leaves behind when it has loaded a data set from the hub."""
    from datasets.packaged_modules.parquet.parquet import Parquet

    write(folder / "files", "{split}.parquet", splits)
    files = {split: str(folder / "files" / f"{split}.parquet") for split in splits}
    cache = folder / "cache"
    for config in configs:
        builder = Parquet(
            cache_dir=str(cache),
            dataset_name=repository.rpartition("/")[2],
            config_name=config,
            data_files=files,
            hash=commit,
        )
        builder.download_and_prepare()
        place = cache / repository.replace("/", "___") / config / "0.0.0" / commit
        place.parent.mkdir(parents=True)
        shutil.move(builder.cache_dir, place)
    return cache
