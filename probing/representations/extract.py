"""Extraction: run the model over the units that no shard contains yet."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from probing.errors import CorruptFileError, ProbingError
from probing.io.progress import Progress
from probing.representations.cache import Store
from probing.representations.reader import Representations
from probing.representations.request import Request, unit_id
from probing.representations.settings import ExtractConfig
from probing.representations.tokens import characters, distinct_characters, source_of
from probing.tasks.task import Unit

if TYPE_CHECKING:  # a cached answer needs neither the model nor the library that runs it
    from probing.models.loading import LoadedModel
    from probing.representations.filling import Filling

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
        found: Called with the key of the request whenever cached vectors of it are looked up.
    """

    root: Path
    request: Request
    settings: ExtractConfig
    load: Callable[[], LoadedModel]
    overwrite: Overwrite = "missing"
    done: Callable[[int, float], None] | None = None
    found: Callable[[str], None] | None = None

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
        cached = self.cached(units, layers)
        if cached is not None:
            return cached
        ids = [unit_id(unit) for unit in units]
        with self.store.lock():
            self._fill(ids, units, layers)
        found = self.find(ids, layers)
        if found is None or not found.complete:
            raise ProbingError(f"{self.store.folder}: vectors were removed while being read; run again")
        return found

    def cached(self, units: Sequence[Unit], layers: Sequence[int] | None = None) -> Representations | None:
        """Return vectors for every unit, in order, if all are cached and may be used; None otherwise.

        No lock is taken, unless a damaged shard has to be removed.

        Raises:
            ProbingError: If the model has no such layer, or a damaged shard may not be extracted again.
        """
        if self.overwrite == "always":
            return None
        ids = [unit_id(unit) for unit in units]
        found = self.find(ids, layers)
        if found is None or not found.complete:
            return None
        log.info("representations: all %s cached under %s", f"{len(set(ids)):,}", found.key)
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

    def find(
        self, ids: Sequence[str], layers: Sequence[int] | None, *, locked: bool = False
    ) -> Representations | None:
        """Return the cached part of these units, or None if the layers are not known yet."""
        if self.found is not None:
            self.found(self.store.key)
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
        wanted = self.lacking(ids, units, layers)
        if wanted:  # another process may have extracted them in the meantime
            fill([self], [wanted], layers)

    def lacking(
        self, ids: Sequence[str], units: Sequence[Unit], layers: Sequence[int] | None
    ) -> dict[str, Unit]:
        """Return the units to extract, each once, by their id; the cache must be locked."""
        wanted = dict(zip(ids, units, strict=True))
        found = None if self.overwrite == "always" else self.find(ids, layers, locked=True)
        for part in found.parts if found else ():
            for place in part.places.tolist():
                wanted.pop(ids[place], None)
        return wanted

    def drop_superseded(self) -> None:
        """Remove the shards that newly extracted ones replace; the cache must be locked."""
        while True:
            try:
                return self.store.drop_superseded()
            except CorruptFileError as error:
                self._discard(error, self.store)


def fill(
    extractors: Sequence[Extractor], wanted: Sequence[Mapping[str, Unit]], layers: Sequence[int] | None
) -> None:
    """Run the model once over all units that several requests lack, and write their vectors.

    The `done` of the first extractor is called once for all of them.

    Args:
        extractors: Extractors of one model at one kind of site, each of another request, whose caches are
            locked.
        wanted: The units that each lacks, by their id; at least one.
        layers: Layers to read; None reads all.

    Raises:
        ProbingError: If the model cannot compute them, or they do not fit on the disk.
    """
    from probing.representations.filling import Filling, announce
    from probing.representations.forward import ModelReader
    from probing.representations.passes import estimate

    begin, first = time.perf_counter(), extractors[0]
    loaded = first.load()
    fillings = []
    for extractor, units in zip(extractors, wanted, strict=True):
        everything = ModelReader.of(loaded, extractor.request, extractor.settings)
        reader = everything.restricted(_choose(layers, tuple(everything.layout)))
        fillings.append(Filling(extractor.store, reader, everything.layout, units))
    together = list(dict.fromkeys(unit for each in fillings for unit in each.units))
    announce(fillings, together, estimate([each.reader for each in fillings], together))
    for extractor in extractors:
        extractor.store.prepare(extractor.request)  # writing starts here
    _run(fillings, together)
    if first.done is not None:
        first.done(distinct_characters(together), time.perf_counter() - begin)
    if first.overwrite == "always":
        for extractor in extractors:
            extractor.drop_superseded()


def _run(fillings: Sequence[Filling], units: Sequence[Unit]) -> None:
    """Run the model once over all units of several requests, each once, and write what each wants."""
    from probing.representations.filling import kind_of
    from probing.representations.passes import read

    start, kind = time.perf_counter(), kind_of(units)
    with Progress("extracting", kind, sum(characters(source_of(unit)) for unit in units)) as progress:
        for batches in read([each.reader for each in fillings], [each.units for each in fillings]):
            read_now: set[Unit] = set()
            for filling, rows in zip(fillings, batches, strict=True):
                filling.add(rows)
                read_now.update(filling.units[place] for place in rows.places)
            progress.add(len(read_now), sum(characters(source_of(unit)) for unit in read_now))
        for filling in fillings:
            filling.finish()
    seconds, count = time.perf_counter() - start, len(units)
    log.info("extracted %s %s in %.1f s (%.0f/s)", f"{count:,}", kind, seconds, count / seconds)


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
