"""Which rows of the cache belong to which examples of a task, for those who come back for the vectors."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from probing.errors import CorruptFileError
from probing.parquet import read_table, write_table
from probing.representations.request import Request, unit_id
from probing.tasks.task import Task

NAMED_BY = ("model", "task", "granularity", "pooling", "examples", "vectors")


@dataclass(frozen=True)
class Manifest:
    """The examples of one task as one request has them.

    Attributes:
        about: Model, task, granularity and pooling; `vectors`, the cache key; `examples`, a digest of
            units, labels and splits.
        examples: One row per example, in the task's order: id, text, start, end, label, split.
    """

    about: Mapping[str, str]
    examples: pd.DataFrame


def write_manifest(root: Path, request: Request, task: Task, labels: Mapping[str, object]) -> None:
    """Note a task's examples beside the shards of a request; the same note replaces itself."""
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
    content = "\n".join("\t".join(row) for row in zip(*_columns(table), strict=True))
    digest = hashlib.sha256(content.encode()).hexdigest()[:8]
    about = {name: str(labels[name]) for name in NAMED_BY if name in labels}
    about |= {"examples": digest, "vectors": request.key}
    name = f"task-{task.name}.{about['model']}"[:100].replace("/", "-")
    write_table(root / request.key / f"{name}.{digest}.parquet", table, about)


def read_manifests(root: Path) -> list[Manifest]:
    """All manifests under a cache folder.

    Raises:
        CorruptFileError: If one is damaged.
    """
    return [_read(path) for path in sorted(root.glob("*/task-*.parquet"))]


def _columns(table: pa.Table) -> list[list[str]]:
    return [table.column(name).to_pylist() for name in ("id", "label", "split")]


def _read(path: Path) -> Manifest:
    table, about = read_table(path)
    if set(about) != set(NAMED_BY):
        raise CorruptFileError(str(path), "it does not say what it is of")
    return Manifest(about, table.to_pandas())
