"""The cache of one request: all shards under one key."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from probing.errors import CorruptFileError
from probing.files import remove_empty, replace_file
from probing.representations.request import Request
from probing.representations.shard import Shard, open_shard

log = logging.getLogger(__name__)
REQUEST = "request.json"
LAYOUT = "layout.json"


@dataclass(frozen=True)
class Part:
    """Rows of one shard, and their places in what was asked for.

    Attributes:
        shard: Where the vectors lie.
        rows: int64 (k,), rows of the shard.
        places: int64 (k,), the rows of the result that they fill.
    """

    shard: Shard
    rows: NDArray[np.int64]
    places: NDArray[np.int64]


@dataclass(frozen=True)
class Store:
    """A folder of shards that all answer one request.

    Attributes:
        root: The folder of all stores.
        key: The request's key, and the folder's name.
    """

    root: Path
    key: str

    @property
    def folder(self) -> Path:
        """Where this store's shards lie."""
        return self.root / self.key

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Let one process at a time extract for this key; others wait, then find the rows there."""
        path = self.root / f"{self.key}.lock"
        self.root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.info("waiting for another process that extracts the same vectors")
            lock.acquire()
        try:
            yield
        finally:
            if not self.folder.exists():  # it came to nothing, and leaves nothing
                path.unlink(missing_ok=True)
                remove_empty(self.root, self.root)
            lock.release()

    def prepare(self, request: Request) -> None:
        """Make the folder, and remove what a killed process left half-written; needs the lock."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for leftover in self.folder.glob("tmp-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        if not (self.folder / REQUEST).exists():
            replace_file(self.folder / REQUEST, request.as_json().encode())

    def shards(self) -> list[Shard]:
        """All committed shards, oldest first.

        Raises:
            CorruptFileError: If one of them is damaged.
        """
        folders = sorted(self.folder.glob("shard-*"), key=lambda path: path.stat().st_mtime_ns)
        return [open_shard(folder) for folder in folders]

    def discard_damaged(self, error: CorruptFileError) -> None:
        """Remove the shard that a damaged file belongs to, so that its rows are extracted again."""
        log.warning("%s; its rows are extracted again", error)
        shutil.rmtree(Path(error.path).parent, ignore_errors=True)

    def forget(self, ids: Sequence[str]) -> None:
        """Remove every shard that holds any of these units; needs the lock."""
        unwanted = set(ids)
        for shard in self.shards():
            if not unwanted.isdisjoint(shard.ids()):
                shutil.rmtree(shard.folder)

    def locate(self, ids: Sequence[str], layers: Sequence[int]) -> tuple[Part, ...]:
        """Find the rows of some units in the shards that hold all the given layers.

        Args:
            ids: Unit ids, one for each row of the result; the same id may come again.
            layers: Layers that a shard must hold to count.

        Returns:
            For each shard with some of the units, where they are in it; units that no shard has are in
            no part.
        """
        unplaced = np.ones(len(ids), dtype=bool)
        parts = []
        for shard in self.shards():
            if not unplaced.any() or not shard.layers.issuperset(layers):
                continue
            row_of = {unit: row for row, unit in enumerate(shard.ids())}
            places = [place for place in np.flatnonzero(unplaced).tolist() if ids[place] in row_of]
            if places:
                rows = np.array([row_of[ids[place]] for place in places])
                parts.append(Part(shard, rows, np.array(places)))
                unplaced[places] = False
        return tuple(parts)

    def write_layout(self, layout: Mapping[int, tuple[int, int]]) -> None:
        """Note which layers the model has: for each its number of heads and head dimension."""
        content = json.dumps({str(layer): list(shape) for layer, shape in layout.items()})
        replace_file(self.folder / LAYOUT, content.encode())

    def layout(self) -> dict[int, tuple[int, int]] | None:
        """For every layer of the model its number of heads and head dimension; None if not known."""
        path = self.folder / LAYOUT
        if not path.is_file():
            return None
        try:
            content = json.loads(path.read_text())
            return {int(layer): (int(heads), int(dim)) for layer, (heads, dim) in content.items()}
        except (ValueError, AttributeError):
            return None
