"""Which rows of the cache belong to which examples of a task, for those who come back for the vectors."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from probing.errors import CorruptFileError
from probing.parquet import read_table, write_table
from probing.representations.request import Request, unit_id
from probing.tasks.task import Task, Unit

NAMED_BY = ("model", "task", "granularity", "pooling", "examples", "vectors")
PARTNER = "partner_"  # before the columns of the second unit of a pair


@dataclass(frozen=True)
class Manifest:
    """The examples of one task as one request has them.

    Attributes:
        about: Model, task, granularity and pooling; `vectors`, the cache key; `examples`, a digest of
            units, labels and splits.
        examples: One row per example, in the task's order: id, text, start, end, second, label, split, of
            which label is a class by name or a score as text; of pairs also partner_id, partner_text,
            partner_start, partner_end and partner_second. Older files lack `second`.
    """

    about: Mapping[str, str]
    examples: pd.DataFrame


def write_manifest(root: Path, request: Request, task: Task, labels: Mapping[str, object]) -> Path:
    """Note a task's examples beside the shards of a request; the same note replaces itself.

    Returns:
        The file; it has what `task=table` reads: text, label, split.
    """
    columns = _units(task.units)
    columns["label"] = pa.array(task.target.shown())
    columns["split"] = pa.array(task.split.tolist())
    if task.partners is not None:
        columns |= _units(task.partners, PARTNER)
    table = pa.table(columns)
    told_by = [name for name in ("id", "label", "split", f"{PARTNER}id") if name in columns]
    rows = zip(*(columns[name].to_pylist() for name in told_by), strict=True)
    digest = hashlib.sha256("\n".join("\t".join(row) for row in rows).encode()).hexdigest()[:8]
    about = {name: str(labels[name]) for name in NAMED_BY if name in labels}
    about |= {"examples": digest, "vectors": request.key}
    name = f"task-{task.name}.{about['model']}"[:100].replace("/", "-")
    path = root / request.key / f"{name}.{digest}.parquet"
    write_table(path, table, about)
    return path


def read_manifests(root: Path) -> list[Manifest]:
    """All manifests under a cache folder.

    Raises:
        CorruptFileError: If one is damaged.
    """
    return [_read(path) for path in sorted(root.glob("*/task-*.parquet"))]


def _units(units: Sequence[Unit], prefix: str = "") -> dict[str, pa.Array]:
    spans = [unit.span or (None, None) for unit in units]
    return {
        f"{prefix}id": pa.array([unit_id(unit) for unit in units], pa.string()),
        f"{prefix}text": pa.array([unit.text for unit in units], pa.string()),
        f"{prefix}start": pa.array([start for start, _ in spans], pa.int32()),
        f"{prefix}end": pa.array([end for _, end in spans], pa.int32()),
        f"{prefix}second": pa.array([unit.second for unit in units], pa.string()),
    }


def _read(path: Path) -> Manifest:
    table, about = read_table(path)
    if set(about) != set(NAMED_BY):
        raise CorruptFileError(str(path), "it does not say what it is of")
    return Manifest(about, table.to_pandas())
