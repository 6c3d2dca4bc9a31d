"""Cached vectors as their marks describe them: request, examples, layers and size, without any vector."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from probing.errors import CorruptFileError
from probing.representations.cache import REQUEST, check_request
from probing.representations.manifest import read_manifest_note
from probing.representations.shard import Shard, open_shard


@dataclass(frozen=True)
class VectorsSummary:
    """The vectors of one request.

    Attributes:
        folder: Folder of the shards; its name is the key of the request.
        request: Content of `request.json`; None if it is missing or damaged.
        manifests: Note of each manifest, which names a model and a task.
        shards: Number of intact shards.
        texts: Number of units in the layer that has most of them.
        layers: Cached layers, ascending; -1 is the embeddings.
        size: Bytes of the shards, as their marks state them.
        written: Time at which the folder last changed.
        problems: Reasons why some of its files are not used.
    """

    folder: Path
    request: Mapping[str, Any] | None
    manifests: Sequence[Mapping[str, str]]
    shards: int
    texts: int
    layers: tuple[int, ...]
    size: int
    written: datetime
    problems: tuple[CorruptFileError, ...]

    @property
    def key(self) -> str:
        """Key of the request."""
        return self.folder.name


def summaries(root: Path, *, sizes: bool = False) -> list[VectorsSummary]:
    """Describe all requests of a cache folder.

    Args:
        root: Folder of the cache.
        sizes: Whether to compare the size of every file with the mark of its shard.
    """
    folders = sorted(root.iterdir()) if root.is_dir() else []
    return [summary_of(folder, sizes=sizes) for folder in folders if is_store(folder)]


def site_of(request: Mapping[str, Any]) -> str | None:
    """Return the site that a request reads: head, hidden or attention."""
    site = request.get("site")
    return None if site is None else str(site)


def reduction_of(request: Mapping[str, Any]) -> str | None:
    """Return the pooling of a request, or the name of its statistic of attention."""
    statistic = request.get("statistic")
    name = statistic.get("name") if isinstance(statistic, Mapping) else request.get("pooling")
    return None if name is None else str(name)


def is_store(folder: Path) -> bool:
    """Return whether a folder has the name of a request's key."""
    return re.fullmatch("[0-9a-f]{20}", folder.name) is not None and folder.is_dir()


def summary_of(folder: Path, *, sizes: bool = False) -> VectorsSummary:
    """Describe the vectors of one request; see `summaries`."""
    problems: list[CorruptFileError] = []
    request = _request(folder, problems)
    shards, manifests = [], []
    for path in sorted(folder.iterdir()):
        try:
            if path.name.startswith("shard-"):
                shards.append(open_shard(path, sizes=sizes))
            elif path.match("task-*.parquet"):
                manifests.append(read_manifest_note(path)[0])
        except CorruptFileError as error:
            problems.append(error)
    rows = Counter[int]()
    for shard in shards:
        rows.update(dict.fromkeys(shard.layers, int(shard.meta["rows"])))
    return VectorsSummary(
        folder, request, manifests, len(shards), max(rows.values(), default=0), tuple(sorted(rows)),
        sum(map(_bytes, shards)), datetime.fromtimestamp(folder.stat().st_mtime, UTC), tuple(problems),
    )  # fmt: skip


def _request(folder: Path, problems: list[CorruptFileError]) -> Mapping[str, Any] | None:
    """Read `request.json`; without one nothing says what the vectors are, but they are used all the same."""
    path = folder / REQUEST
    try:
        check_request(folder)
        content = json.loads(path.read_bytes())
        if isinstance(content, dict):
            return content
        problems.append(CorruptFileError(str(path), "it is not a request"))
    except FileNotFoundError:
        return None
    except CorruptFileError as error:
        problems.append(error)
    except (OSError, ValueError) as error:
        problems.append(CorruptFileError(str(path), getattr(error, "strerror", None) or "it is not JSON"))
    return None


def _bytes(shard: Shard) -> int:
    return sum(int(about["bytes"]) for about in shard.meta["files"].values())
