"""Cache of one request: all shards under one key."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from probing.errors import CorruptFileError
from probing.io.files import discard, replace_file
from probing.io.litter import remove_litter
from probing.io.locks import held, lock_file
from probing.representations.request import Request, key_of
from probing.representations.shard import Shard, open_shard

log = logging.getLogger(__name__)
REQUEST = "request.json"


@dataclass(frozen=True)
class ShardPart:
    """Rows of one shard, and their positions in the result.

    Attributes:
        shard: Shard with the vectors.
        rows: int64 (k,), rows of the shard.
        places: int64 (k,), the rows of the result that they fill.
    """

    shard: Shard
    rows: NDArray[np.int64]
    places: NDArray[np.int64]


@dataclass(frozen=True)
class Store:
    """A folder of shards for one request.

    Attributes:
        root: The folder of all stores.
        key: The request's key, and the folder's name.
    """

    root: Path
    key: str

    @property
    def folder(self) -> Path:
        """Folder of this store's shards."""
        return self.root / self.key

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Let one process at a time extract for this key; others wait and then find the rows cached."""
        path = lock_file(self.root, self.key)
        with held(path, waiting="waiting for another process that is extracting the same vectors"):
            yield

    def prepare(self, request: Request) -> None:
        """Create the folder, and remove half-written files of an interrupted process; requires the lock."""
        self.folder.mkdir(parents=True, exist_ok=True)
        remove_litter(self.folder)
        content = request.as_json().encode()
        path = self.folder / REQUEST
        if not path.is_file() or path.read_bytes() != content:
            replace_file(path, content)

    def shards(self) -> list[Shard]:
        """Return all committed shards, newest first.

        Raises:
            CorruptFileError: If one of them is damaged, or the folder belongs to another request.
        """
        check_request(self.folder)
        shards = [open_shard(folder) for folder in self.folder.glob("shard-*")]
        return sorted(shards, key=lambda shard: (-shard.number, shard.folder.name))

    def discard_damaged(self, error: CorruptFileError) -> None:
        """Remove the shard that a damaged file belongs to, so that its rows are extracted again.

        A wrong request file is removed on its own, since nothing is computed from it.

        Raises:
            OSError: If it cannot be removed.
        """
        if Path(error.path) == self.folder / REQUEST:
            log.warning("%s; it will be written again", error)
            Path(error.path).unlink(missing_ok=True)  # by `prepare`
            return
        shard = Path(error.path).parent
        if shard.parent != self.folder or not shard.name.startswith("shard-"):
            raise error
        log.warning("%s; its rows will be extracted again", error)
        discard(shard)

    def drop_superseded(self) -> None:
        """Remove shards whose every row and layer is in newer ones; requires the lock."""
        seen: dict[str, frozenset[int]] = {}
        for shard in self.shards():
            ids = shard.ids()
            if all(shard.layers <= seen.get(unit, frozenset()) for unit in ids):
                discard(shard.folder)
            seen |= {unit: seen.get(unit, frozenset()) | shard.layers for unit in ids}

    def layout(self) -> dict[int, tuple[int, int]] | None:
        """Return the number of heads and head dimension of every layer; None if not known yet."""
        shards = self.shards()
        return shards[0].model_layout if shards else None

    def cached_layers(self, ids: Sequence[str]) -> dict[int, tuple[int, int]]:
        """Return the layers that are cached for every one of some units, with heads and head dimension."""
        wanted = pa.array(ids, pa.string())
        held: dict[int, NDArray[np.bool_]] = {}
        layout: dict[int, tuple[int, int]] = {}
        for shard in self.shards():
            layout = shard.model_layout
            here = np.asarray(pc.is_in(wanted, shard.id_column()), dtype=bool)
            for layer in shard.layers:
                held[layer] = held[layer] | here if layer in held else here
        return {layer: layout[layer] for layer in sorted(held) if held[layer].all()}

    def locate(self, ids: Sequence[str], layers: Sequence[int]) -> tuple[ShardPart, ...]:
        """Find the rows of some units in the shards that hold all the given layers.

        Args:
            ids: Unit ids, one for each row of the result; an id may occur several times.
            layers: Layers that a shard must contain to be used.

        Returns:
            For each shard with some of the units, their positions in it. Units that are in no shard are in no
            part.
        """
        wanted = pa.array(ids, pa.string())
        unplaced = np.ones(len(ids), dtype=bool)
        parts = []
        for shard in self.shards():
            if not unplaced.any() or not shard.layers.issuperset(layers):
                continue
            found = pc.fill_null(pc.index_in(wanted, shard.id_column()), -1).to_numpy()
            places = np.flatnonzero(unplaced & (found >= 0))
            if len(places):
                parts.append(ShardPart(shard, found[places].astype(np.int64), places))
                unplaced[places] = False
        return tuple(parts)


def check_request(folder: Path) -> None:
    """Reject a cache folder whose `request.json` has another key; a folder without the file is accepted.

    Raises:
        CorruptFileError: If the folder is not named after its request.
    """
    path = folder / REQUEST
    try:
        key = key_of(path.read_bytes())
    except FileNotFoundError:
        return
    if key != folder.name:
        raise CorruptFileError(str(path), f"it belongs to request {key}, not to its folder; delete it")
