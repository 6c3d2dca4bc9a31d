"""Manifests: the rows of the cache that belong to each example of a task."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from probing.errors import CorruptFileError, MisplacedFileError, OldFileError
from probing.io.files import file_name
from probing.io.parquet import read_footer, read_marked, write_table
from probing.representations.manifest_rows import unit_columns
from probing.representations.request import Request, unit_id
from probing.tasks.task import Task

log = logging.getLogger(__name__)
SCHEMA = 1
NAMED_BY = ("model", "task", "granularity", "pooling", "examples", "vectors")
PARTNER = "partner_"  # prefix of the columns of the second unit of a pair
_COLUMNS = ("id", "text", "start", "end", "second")


@dataclass(frozen=True)
class Manifest:
    """The examples of one task, as used in one request.

    Attributes:
        about: Model, task, granularity and pooling; `vectors`, the cache key; `examples`, a digest of
            units, labels and splits.
        examples: One row per example, in the task's order: id, text, start, end, second, label, split. The
            label is a class by name or a score as text. Pairs also have partner_id, partner_text,
            partner_start, partner_end and partner_second. Older files have no `second`.
    """

    about: Mapping[str, str]
    examples: pd.DataFrame


def write_manifest(root: Path, request: Request, task: Task, labels: Mapping[str, object]) -> Path:
    """Write a task's examples next to the shards of a request; an identical manifest is replaced.

    Returns:
        The file, which has the columns that `task=table` reads: text, label, split.
    """
    columns = unit_columns(task.units, [unit_id(unit) for unit in task.units])
    columns["label"] = pa.array(task.target.shown())
    columns["split"] = pa.array(task.split.tolist())
    if task.partners is not None:
        ids = [unit_id(unit) for unit in task.partners]
        columns |= unit_columns(task.partners, ids, PARTNER)
    table = pa.table(columns)
    identifying = [name for name in ("id", "label", "split", f"{PARTNER}id") if name in columns]
    rows = zip(*(columns[name].to_pylist() for name in identifying), strict=True)
    digest = hashlib.sha256("\n".join("\t".join(row) for row in rows).encode()).hexdigest()[:8]
    about = {name: str(labels[name]) for name in NAMED_BY if name in labels}
    about |= {"examples": digest, "vectors": request.key}
    path = root / request.key / f"task-{_title(about)}.{digest}.parquet"
    if _is_of_others(path, about):
        path = root / request.key / f"task-{_title(about, apart=True)}.{digest}.parquet"
    write_table(path, table, about, {"kind": "manifest", "schema": SCHEMA})
    return path


def read_manifests(root: Path) -> list[Manifest]:
    """Return all manifests under a cache folder, without duplicates.

    Raises:
        CorruptFileError: If one is damaged, or does not belong where it is.
    """
    found: dict[tuple[tuple[str, str], ...], Manifest] = {}
    for path in sorted(root.glob("*/task-*.parquet")):
        try:
            manifest = _read(path)
        except OldFileError as error:
            log.warning("%s; it is skipped; run its command again", error)
        except MisplacedFileError:
            raise
        except CorruptFileError as error:
            raise CorruptFileError(error.path, error.reason, "delete it and run its command again") from error
        else:
            found.setdefault(tuple(sorted(manifest.about.items())), manifest)
    return list(found.values())


def read_manifest(path: Path) -> Manifest:
    """Read one manifest.

    Raises:
        CorruptFileError: If it is damaged, or does not belong where it is.
    """
    return _read(path)


def read_manifest_note(path: Path) -> tuple[dict[str, str], int]:
    """Return the note of a manifest and the number of its examples, from its footer alone.

    Raises:
        CorruptFileError: If it is damaged, or does not belong where it is.
    """
    footer = read_footer(path)
    _check_place(path, footer.note, footer.mark)
    return {name: str(value) for name, value in footer.note.items()}, footer.rows


def _title(about: Mapping[str, str], *, apart: bool = False) -> str:
    """Return the start of a manifest's name; a digest separates names that map to the same file name."""
    named = f"{about['task']}.{about['model']}"
    title = file_name(named, 95)
    if title == named.replace("/", "-") and not apart:
        return title
    return f"{title}.{hashlib.sha256(json.dumps([*about.items()]).encode()).hexdigest()[:8]}"


def _is_of_others(path: Path, about: Mapping[str, str]) -> bool:
    """Return whether another manifest already has this file name, such as a/b where this one is a-b."""
    try:
        return path.exists() and read_marked(path)[1] != about
    except CorruptFileError:
        return False


def _read(path: Path) -> Manifest:
    table, about, mark = read_marked(path)
    _check_place(path, about, mark)
    _check_columns(path, table.column_names, int(mark.get("schema", 0)))
    return Manifest(about, table.to_pandas())


def _check_place(path: Path, about: Mapping[str, Any], mark: Mapping[str, Any]) -> None:
    if set(about) != set(NAMED_BY) or mark.get("kind", "manifest") != "manifest":
        raise MisplacedFileError(str(path), "it is not a list of examples; remove it")
    if (about["vectors"], about["examples"]) != (path.parent.name, path.stem.rpartition(".")[2]):
        own = f"it belongs to examples {about['examples']} and vectors {about['vectors']}"
        raise MisplacedFileError(str(path), f"{own}; move it back or delete it")


def _check_columns(path: Path, names: Sequence[str], schema: int) -> None:
    """Reject columns that no version writes, and the lack of one that this version does."""
    pair = f"{PARTNER}id" in names
    own = [*_COLUMNS, "label", "split", *(f"{PARTNER}{name}" for name in _COLUMNS if pair)]
    wrong = sorted(set(names) - set(own)) or (sorted(set(own) - set(names)) if schema == SCHEMA else [])
    if schema > SCHEMA or wrong:
        raise MisplacedFileError(
            str(path), f"its columns are not those of this version ({', '.join(wrong)}); remove it"
        )
