"""Which rows of the cache belong to which examples of a task, for those who come back for the vectors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from probing.errors import CorruptFileError
from probing.files import replace_file
from probing.representations.reader import Representations
from probing.representations.request import Request, unit_id
from probing.tasks.task import Task

_ABOUT = b"probing"
_NAMED_BY = ("model", "task", "granularity", "pooling")


@dataclass(frozen=True)
class Manifest:
    """The examples of one task as one request has them.

    Attributes:
        about: Model, task, granularity, pooling and the cache key.
        examples: One row per example, in the task's order: id, text, start, end, label, split.
        layout: For each layer that was extracted its number of heads and head dimension.
    """

    about: Mapping[str, str]
    examples: pd.DataFrame
    layout: Mapping[int, tuple[int, int]]


def write_manifest(
    root: Path,
    request: Request,
    task: Task,
    representations: Representations,
    labels: Mapping[str, object],
) -> None:
    """Note a task's examples beside the shards of a request; the same note replaces itself."""
    about = {name: labels[name] for name in _NAMED_BY} | {"key": request.key}
    spans = [unit.span or (None, None) for unit in task.units]
    table = pa.table(
        {
            "id": pa.array([unit_id(unit) for unit in task.units]),
            "text": pa.array([unit.text for unit in task.units]),
            "start": pa.array([start for start, _ in spans], pa.int32()),
            "end": pa.array([end for _, end in spans], pa.int32()),
            "label": pa.array([task.classes[label] for label in task.labels]),
            "split": pa.array(task.split.tolist()),
        }
    )
    content = {"about": about, "layout": {str(k): v for k, v in representations.layout.items()}}
    table = table.replace_schema_metadata({_ABOUT: json.dumps(content)})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
    digest = hashlib.sha256("".join(table.column("id").to_pylist()).encode()).hexdigest()[:8]
    name = f"{task.name}.{about['model']}.{digest}".replace("/", "-")
    replace_file(root / request.key / f"task-{name}.parquet", sink.getvalue())


def read_manifests(root: Path) -> list[Manifest]:
    """All manifests under a cache folder, the newest first.

    Raises:
        CorruptFileError: If one is damaged.
    """
    paths = sorted(root.glob("*/task-*.parquet"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    return [_read(path) for path in paths]


def _read(path: Path) -> Manifest:
    try:
        table = pq.ParquetFile(path, page_checksum_verification=True).read()
        content: dict[str, Any] = json.loads((table.schema.metadata or {})[_ABOUT])
        layout = {int(layer): (heads, dim) for layer, (heads, dim) in content["layout"].items()}
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise CorruptFileError(str(path), str(error).splitlines()[0]) from error
    return Manifest(content["about"], table.to_pandas(), layout)
