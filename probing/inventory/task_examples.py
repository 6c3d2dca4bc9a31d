"""Examples of a task, from the list next to its vectors, or else from its stored configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from probing.config.convert import make_target
from probing.errors import CorruptFileError, ProbingError
from probing.representations.manifest import PARTNER, read_manifest, read_manifest_note
from probing.tasks.sampling import sample
from probing.tasks.source import TaskSource
from probing.tasks.task import Task, Unit


@dataclass(frozen=True)
class Example:
    """One example of a task.

    Attributes:
        split: train, dev or test.
        label: The label as text.
        units: The unit, or the two units of a pair.
    """

    split: str
    label: str
    units: tuple[Unit, ...]


def examples_of_manifest(path: Path, count: int) -> list[Example]:
    """Read some examples, of as many different labels as there are.

    Raises:
        CorruptFileError: If the file is damaged.
    """
    frame = read_manifest(path).examples
    rows = [frame.iloc[place] for place in _various(frame["label"].tolist(), count)]
    prefixes = ["", PARTNER] if f"{PARTNER}id" in frame else [""]
    return [
        Example(str(row["split"]), str(row["label"]), tuple(_unit(row, prefix) for prefix in prefixes))
        for row in rows
    ]


def examples_of_task(config: Mapping[str, Any], count: int) -> list[Example]:
    """Build a task from the configuration of a run, and return some of its examples.

    Raises:
        ProbingError: If the configuration does not define the task, or its data are not there.
    """
    if not isinstance(config.get("task"), Mapping):
        raise ProbingError("the file keeps no configuration of the task")
    task: Task = make_target(config["task"], "task", TaskSource).build()
    chosen, seed = config.get("sample") or {}, int(config.get("seed") or 0)
    task = sample(sample(task, None, bool(chosen.get("balance")), seed), chosen.get("limit"), False, seed)
    labels, partners = task.target.shown(), task.partners
    return [
        Example(
            str(task.split[place]),
            labels[place],
            (task.units[place],) if partners is None else (task.units[place], partners[place]),
        )
        for place in _various(labels, count)
    ]


def manifest_of(folder: Path, task: str, sizes: Mapping[str, int]) -> Path | None:
    """Return the only manifest of a task among the vectors that a run read; None if several may be its.

    Args:
        folder: Folder of the vectors.
        task: Name of the task.
        sizes: Number of examples of each split, which distinguish a quick look from the full task.
    """
    found = []
    for path in sorted(folder.glob("task-*.parquet")):
        try:
            about, count = read_manifest_note(path)
        except CorruptFileError:
            continue
        if about["task"] == task and (not sizes or count == sum(sizes.values())):
            found.append(path)
    return found[0] if len(found) == 1 else None  # samples of other seeds have equal sizes


def _various(labels: Sequence[str], count: int) -> list[int]:
    """Return the first places of different labels, then further places, in the order of the task."""
    first: dict[str, int] = {}
    for place, label in enumerate(labels):
        first.setdefault(label, place)
    chosen = list(first.values())[:count]
    others = (place for place in range(len(labels)) if place not in set(chosen))
    return sorted([*chosen, *_some(others, count - len(chosen))])


def _some(places: Iterator[int], count: int) -> Iterator[int]:
    for place, _ in zip(places, range(count), strict=False):
        yield place


def _unit(row: pd.Series, prefix: str) -> Unit:
    start, end = row[f"{prefix}start"], row[f"{prefix}end"]
    span = None if pd.isna(start) else (int(start), int(end))
    second = row.get(f"{prefix}second")
    return Unit(str(row[f"{prefix}text"]), span, None if pd.isna(second) else str(second))
