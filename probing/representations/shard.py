"""A shard of the cache: rows of vectors in a Parquet file per layer, committed by one rename.

A layer's file has a column of fixed-size lists for each head (H00, H01, ...). A layer can therefore be read
without the others, and only the requested heads are decoded. `rows.parquet` lists the unit of each row.
`shard.json`, the commit mark, is written last. It contains the request that the vectors belong to, the number
of the shard within its folder, and the size and digest of every file, including its own.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from probing.errors import CorruptFileError
from probing.io.files import delete, own_name, sync_folder, write_synced
from probing.representations.manifest_rows import unit_columns
from probing.tasks.task import Unit

if TYPE_CHECKING:
    from typing_extensions import Buffer

Vectors = NDArray[np.float16] | NDArray[np.float32] | NDArray[np.float64]
META = "shard.json"
ROWS = "rows.parquet"


@dataclass(frozen=True)
class Shard:
    """A committed folder of vectors.

    Attributes:
        folder: Path of the folder.
        meta: Content of `shard.json`: the request's key as `request`, a `number`, `files` with size and
            SHA-256, `layers` with heads and head dimension, `model` with the same for all layers of the
            model, ids of the units whose text was truncated as `truncated`, and ids of those that were cut
            off with it or have no token as `missing`.
    """

    folder: Path
    meta: Mapping[str, Any]

    @property
    def number(self) -> int:
        """One more than the largest number among the shards present when this one was written."""
        return int(self.meta["number"])

    @property
    def layers(self) -> frozenset[int]:
        """Layers in this shard."""
        return frozenset(self.meta["layers"])

    def shape(self, layer: int) -> tuple[int, int]:
        """Return the number of heads and head dimension of one layer."""
        return self.model_layout[layer]

    @property
    def model_layout(self) -> dict[int, tuple[int, int]]:
        """Number of heads and head dimension of every layer of the model, whether in this shard or not."""
        return {int(layer): (heads, dim) for layer, (heads, dim) in self.meta["model"].items()}

    def ids(self) -> list[str]:
        """Return the unit id of every row."""
        ids: list[str] = self.id_column().to_pylist()
        return ids

    def id_column(self) -> pa.Array:
        """Return the unit ids as an Arrow array of strings, for looking up many at once."""
        return self._read(ROWS, ["id"]).column("id").combine_chunks()

    def marked(self, name: Literal["truncated", "missing"]) -> NDArray[np.bool_]:
        """Return the rows whose text was truncated, or whose word has no vector; bool (rows,)."""
        marked = self.meta[name]
        if not marked:
            return np.zeros(self.meta["rows"], dtype=bool)
        found = pc.is_in(self.id_column(), pa.array(marked, pa.string()))
        return np.asarray(found, dtype=bool)

    def vectors(self, layer: int, heads: Sequence[int]) -> list[Vectors]:
        """Return the vectors of some heads of one layer, an array (rows, head_dim) for each head.

        Raises:
            CorruptFileError: If the file differs from what was written.
        """
        table = self._read(layer_file(layer), [_column(head) for head in heads])
        columns = (table.column(_column(head)).combine_chunks() for head in heads)
        _, dim = self.shape(layer)
        return [column.flatten().to_numpy().reshape(-1, dim) for column in columns]

    def check_sizes(self) -> None:
        """Raise CorruptFileError if a file is missing or its size differs from what was written."""
        for name, about in self.meta["files"].items():
            path = self.folder / name
            size = path.stat().st_size if path.is_file() else -1
            if size != about["bytes"]:
                raise CorruptFileError(str(path), f"{size} bytes instead of {about['bytes']}")

    def _read(self, name: str, columns: list[str]) -> pa.Table:
        path = self.folder / name
        try:
            content = path.read_bytes()
            if _digest(content) != self.meta["files"][name]["sha256"]:
                raise CorruptFileError(str(path), "its digest differs from what was written")
            return pq.ParquetFile(pa.BufferReader(content)).read(columns=columns)
        except (OSError, KeyError, ValueError, pa.ArrowException) as error:
            raise CorruptFileError(str(path), str(error).splitlines()[0]) from error


def open_shard(folder: Path, *, sizes: bool = True) -> Shard:
    """Read a shard's commit mark, and if `sizes` compare the sizes of its files with it.

    Raises:
        CorruptFileError: If the mark, or a file that it lists, is damaged; if the vectors do not belong to
            the request that the folder of shards is named after.
    """
    try:
        mark = json.loads((folder / META).read_bytes())
        intact = _digest(json.dumps(mark["meta"]).encode()) == mark["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptFileError(str(folder / META), type(error).__name__) from error
    if not intact:
        raise CorruptFileError(str(folder / META), "its digest differs from what was written")
    shard = Shard(folder, mark["meta"])
    if shard.meta["request"] != folder.parent.name:
        reason = f"its vectors are of request {shard.meta['request']}; move the shard there, or delete it"
        raise CorruptFileError(str(folder / META), reason)
    if sizes:
        shard.check_sizes()
    return shard


class ShardWriter:
    """Writer of shards in one folder, each with a higher number than those before it."""

    def __init__(self, parent: Path) -> None:
        """Read the numbers of the existing shards.

        Args:
            parent: The folder of shards, named after the key of their request. No other process may write to
                it in the meantime.
        """
        self._parent = parent
        # clocks may be set back and file times may change
        self._last = max((_number(folder) for folder in parent.glob("shard-*")), default=0)

    def write(
        self,
        ids: Sequence[str],
        units: Sequence[Unit],
        vectors: Mapping[int, Vectors],
        model_layout: Mapping[int, tuple[int, int]],
        truncated: Sequence[str] = (),
        missing: Sequence[str] = (),
    ) -> Shard:
        """Write rows as a new shard, which becomes visible only with the last rename.

        Args:
            ids: Unit ids, one for each row.
            units: The units themselves, stored for readers that use the files directly.
            vectors: For each layer an array (rows, heads, head_dim).
            model_layout: Number of heads and head dimension of every layer of the model.
            truncated: Ids of the units whose text was truncated to the model's limit.
            missing: Ids of those that were cut off with it; their vectors are NaN.
        """
        temporary = self._parent / own_name("tmp")
        temporary.mkdir(parents=True)
        try:
            files = {ROWS: _write_table(temporary / ROWS, pa.table(unit_columns(units, ids)))}
            for layer, array in vectors.items():
                name = layer_file(layer)
                files[name] = _write_table(temporary / name, _layer_table(array), split=True)
            meta = {
                "request": self._parent.name,
                "number": self._last + 1,
                "rows": len(ids),
                "layers": sorted(vectors),
                "model": {str(layer): list(shape) for layer, shape in model_layout.items()},
                "truncated": list(truncated),
                "missing": list(missing),
                "files": files,
            }
            mark = {"meta": meta, "sha256": _digest(json.dumps(meta).encode())}
            write_synced(temporary / META, json.dumps(mark, indent=1).encode())
            folder = self._parent / f"shard-{uuid.uuid4().hex[:12]}"
            temporary.rename(folder)
            sync_folder(self._parent)
        finally:
            delete(temporary)
        self._last += 1
        return open_shard(folder)


def layer_file(layer: int) -> str:
    """Return the name of a layer's file; layer -1 is the embeddings."""
    return "embeddings.parquet" if layer < 0 else f"layer-{layer:02d}.parquet"


def _number(folder: Path) -> int:
    try:
        return int(json.loads((folder / META).read_bytes())["meta"]["number"])
    except (OSError, ValueError, KeyError, TypeError):  # the mark is damaged, and such a shard is never read
        return 0


def _digest(content: Buffer) -> str:
    return hashlib.sha256(content).hexdigest()


def _column(head: int) -> str:
    return f"H{head:02d}"


def _layer_table(vectors: Vectors) -> pa.Table:
    _, heads, dim = vectors.shape
    columns = [
        pa.FixedSizeListArray.from_arrays(np.ascontiguousarray(vectors[:, head]).ravel(), dim)
        for head in range(heads)
    ]
    return pa.table(columns, names=[_column(head) for head in range(heads)])


def _write_table(path: Path, table: pa.Table, *, split: bool = False) -> dict[str, Any]:
    """Write a table and return its size and digest."""
    # byte-stream split with zstd-1 is the smallest and fastest layout for vectors
    floats = [f"{name}.list.element" for name in table.column_names] if split else False
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        compression_level=1,
        use_dictionary=False,
        write_statistics=False,
        use_byte_stream_split=floats,
    )
    content = sink.getvalue()
    write_synced(path, content)
    return {"bytes": len(content), "sha256": _digest(content)}
