"""Extraction: run the model over the units that no shard contains yet."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from probing.errors import CorruptFileError, ProbingError
from probing.io.files import nearest
from probing.io.progress import Progress
from probing.representations.cache import Store
from probing.representations.reader import Representations
from probing.representations.request import Request, unit_id
from probing.representations.settings import ExtractConfig
from probing.representations.shard import ShardWriter
from probing.representations.tokens import TextPair, characters, distinct_characters, source_of
from probing.tasks.task import Unit

if TYPE_CHECKING:  # a cached answer needs neither the model nor the library that runs it
    from probing.models.loading import LoadedModel
    from probing.representations.buffer import Buffer
    from probing.representations.forward import ModelReader, PooledRows

log = logging.getLogger(__name__)
Overwrite = Literal["never", "missing", "always"]


@dataclass(frozen=True)
class Extractor:
    """Source of requested vectors: the cache, and the model for those that are not cached.

    Attributes:
        root: The folder of the cache.
        request: The vectors to return.
        settings: Device, batch size and threads.
        load: Loads the model; called only if a unit is not cached.
        overwrite: Whether damaged shards (`missing`) or all of them (`always`) may be extracted again.
        done: Called after the model was run, with the characters it read and the seconds it took.
    """

    root: Path
    request: Request
    settings: ExtractConfig
    load: Callable[[], LoadedModel]
    overwrite: Overwrite = "missing"
    done: Callable[[int, float], None] | None = None

    @property
    def store(self) -> Store:
        """Cache of this request."""
        return Store(self.root, self.request.key)

    def extract(self, units: Sequence[Unit], layers: Sequence[int] | None = None) -> Representations:
        """Return vectors for every unit, in order; those that are not cached are computed and cached.

        A unit that occurs several times is computed once. A unit without a vector, because its word was cut
        off with the end of its text or has no token, is cached as such and listed in `missing`.

        Raises:
            ProbingError: If the model cannot compute them, or they do not fit on the disk.
        """
        ids = [unit_id(unit) for unit in units]
        found = None if self.overwrite == "always" else self._find(ids, layers)
        if found is not None and found.complete:
            log.info("representations: all %s cached under %s", f"{len(set(ids)):,}", found.key)
            return found
        with self.store.lock():
            self._fill(ids, units, layers)
        found = self._find(ids, layers)
        if found is None or not found.complete:
            raise ProbingError(f"{self.store.folder}: vectors were removed while being read; run again")
        return found

    def refill(self, error: CorruptFileError) -> None:
        """Remove the shard of a damaged file, if `overwrite` allows it.

        It may be a shard of another request under the same root: objectives read hidden states in runs on
        heads.
        """
        store = self.store
        shard = Path(error.path).parent
        if shard.parent != store.folder and shard.parent.parent == self.root:
            store = Store(self.root, shard.parent.name)
        with store.lock():
            self._discard(error, store)

    def _discard(self, error: CorruptFileError, store: Store) -> None:
        if self.overwrite == "never":
            raise ProbingError(f"{error}; overwrite=missing extracts it again") from error
        store.discard_damaged(error)
        if store == self.store:
            store.prepare(self.request)

    def _find(
        self, ids: Sequence[str], layers: Sequence[int] | None, *, locked: bool = False
    ) -> Representations | None:
        """Return the cached part of these units, or None if the layers are not known yet."""
        while True:
            try:
                layout = self.store.layout()
                if layout is None:
                    return None
                chosen = {layer: layout[layer] for layer in _choose(layers, tuple(layout))}
                return Representations(
                    self.store.key, chosen, len(ids), self.store.locate(ids, tuple(chosen))
                )
            except CorruptFileError as error:
                if locked:
                    self._discard(error, self.store)
                else:
                    self.refill(error)

    def _fill(self, ids: Sequence[str], units: Sequence[Unit], layers: Sequence[int] | None) -> None:
        wanted = dict(zip(ids, units, strict=True))
        always = self.overwrite == "always"
        found = None if always else self._find(ids, layers, locked=True)
        for part in found.parts if found else ():
            for place in part.places.tolist():
                wanted.pop(ids[place], None)
        if not wanted:  # another process has extracted them in the meantime
            return
        start = time.perf_counter()
        from probing.representations.forward import ModelReader

        everything = ModelReader.of(self.load(), self.request, self.settings)
        reader = everything.restricted(_choose(layers, tuple(everything.layout)))
        self._announce(reader, list(wanted.values()))
        self.store.prepare(self.request)  # writing starts here
        self._run(reader, everything.layout, wanted)
        if self.done is not None:
            self.done(distinct_characters(wanted.values()), time.perf_counter() - start)
        if always:
            self._drop_superseded()

    def _drop_superseded(self) -> None:
        while True:
            try:
                return self.store.drop_superseded()
            except CorruptFileError as error:
                self._discard(error, self.store)

    def _run(
        self, reader: ModelReader, layout: Mapping[int, tuple[int, int]], wanted: dict[str, Unit]
    ) -> None:
        ids, units = list(wanted), list(wanted.values())
        kind = _kind(units)
        start = time.perf_counter()
        cut: set[TextPair] = set()
        lost = silent = 0
        buffer = self._buffer(reader, len(units))
        writer = ShardWriter(self.store.folder)
        work = sum(characters(source_of(unit)) for unit in units)
        with Progress("extracting", kind, work) as progress:
            for rows in self._shards(reader, units, progress, buffer):
                chosen = [units[place] for place in rows.places]
                names, truncated, missing = (
                    [ids[place] for place in places] for places in (rows.places, rows.truncated, rows.missing)
                )
                writer.write(names, chosen, rows.vectors, layout, truncated, missing)
                cut.update(source_of(units[place]) for place in rows.truncated)
                untouched = len(set(rows.missing) - set(rows.truncated))
                lost += len(missing) - untouched
                silent += untouched
        seconds = time.perf_counter() - start
        log.info("extracted %s %s in %.1f s (%.0f/s)", f"{len(ids):,}", kind, seconds, len(ids) / seconds)
        if cut:
            log.warning("%d texts were truncated to %s tokens", len(cut), reader.max_length)
        if lost:
            log.warning("%d words or spans were cut off by that and have no vector", lost)
        if silent:
            log.warning("%d words or spans have no token in this tokenizer, so no vector", silent)
        buffer.report()

    def _buffer(self, reader: ModelReader, units: int) -> Buffer:
        from probing.representations.buffer import Buffer

        capacity = max(1, int(self.settings.shard_mb * 1e6) // self._width(reader))
        return Buffer(reader.layout, min(units, capacity), self.request.kept_as)

    def _width(self, reader: ModelReader) -> int:
        """Return the size in bytes of all vectors of one unit."""
        numbers = sum(heads * dim for heads, dim in reader.layout.values())
        return numbers * np.dtype(self.request.kept_as).itemsize

    def _shards(
        self, reader: ModelReader, units: list[Unit], progress: Progress, buffer: Buffer
    ) -> Iterator[PooledRows]:
        """Gather batches until a shard is due, by memory or by time."""
        last = time.monotonic()
        for rows in reader.read(units):
            old = time.monotonic() - last > self.settings.commit_seconds
            if len(buffer) and (old or not buffer.has_room(rows)):
                yield buffer.take()
                last = time.monotonic()
            buffer.add(rows)
            progress.add(len(rows.places), sum(characters(source_of(units[place])) for place in rows.places))
        yield buffer.take()

    def _announce(self, reader: ModelReader, units: list[Unit]) -> None:
        """Log what will be extracted, and raise an error if it does not fit on the disk."""
        size = len(units) * self._width(reader)
        free = shutil.disk_usage(nearest(self.root)).free
        if size > free:
            raise ProbingError(
                f"{self.store.folder}: {size / 1e9:.1f} GB of vectors, but {free / 1e9:.1f} GB free; choose "
                "another paths.root, or fewer layers (granularity.layers)"
            )
        log.debug("extracting on %s in %s", self.settings.torch_device(), self.settings.dtype)
        layers, vectors = len(reader.layout), sum(heads for heads, _ in reader.layout.values())
        log.info(
            "extracting %s %s from %s, %s each: %.1f MB on disk, about %.0f s",
            f"{len(units):,}",
            _kind(units),
            "1 layer" if layers == 1 else f"{layers} layers",
            "1 vector" if vectors == 1 else f"{vectors:,} vectors",
            size / 1e6,
            reader.estimate(units),
        )


def _kind(units: Sequence[Unit]) -> str:
    """Return the word for these units in a message."""
    return "words and spans" if any(unit.span for unit in units) else "texts"


def _choose(layers: Sequence[int] | None, known: Sequence[int]) -> tuple[int, ...]:
    """Return the requested layers, by default all, checked against those of the model."""
    if layers is None:
        return tuple(sorted(known))
    unknown = sorted(set(layers) - set(known))
    if unknown:
        raise ProbingError(
            f"granularity.layers: the model has no layer {unknown[0]}; it has {min(known)} to {max(known)}"
        )
    return tuple(sorted(set(layers)))
