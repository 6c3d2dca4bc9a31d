"""The vectors of one request on their way into the cache, and what is reported about them."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from probing.errors import ProbingError
from probing.io.files import nearest
from probing.representations.buffer import Buffer
from probing.representations.cache import Store
from probing.representations.forward import ModelReader, PooledRows
from probing.representations.shard import ShardWriter
from probing.representations.tokens import TextPair, source_of
from probing.tasks.task import Unit

log = logging.getLogger(__name__)


@dataclass
class Filling:
    """The vectors that one request lacks, written a shard at a time as the model computes them.

    Attributes:
        store: Cache of the request.
        reader: Reader of the layers to write.
        layout: Shape of all layers of the model.
        wanted: The units without vectors, by their id.
    """

    store: Store
    reader: ModelReader
    layout: Mapping[int, tuple[int, int]]
    wanted: Mapping[str, Unit]
    _cut: set[TextPair] = field(default_factory=set)
    _lost: int = 0
    _silent: int = 0
    _last: float = field(default_factory=time.monotonic)

    @cached_property
    def units(self) -> list[Unit]:
        """The units, in order."""
        return list(self.wanted.values())

    @cached_property
    def ids(self) -> list[str]:
        """The ids of the units, in order."""
        return list(self.wanted)

    @property
    def bytes_of_unit(self) -> int:
        """The size of all vectors of one unit."""
        numbers = sum(heads * dim for heads, dim in self.reader.layout.values())
        return int(numbers * np.dtype(self.reader.request.kept_as).itemsize)

    @cached_property
    def _buffer(self) -> Buffer:
        capacity = max(1, int(self.reader.settings.shard_mb * 1e6) // self.bytes_of_unit)
        return Buffer(self.reader.layout, min(len(self.units), capacity), self.reader.request.kept_as)

    @cached_property
    def _writer(self) -> ShardWriter:
        return ShardWriter(self.store.folder)

    def add(self, rows: PooledRows) -> None:
        """Take a batch of vectors, and write a shard first if one is due, by memory or by time."""
        if not rows.places:
            return
        old = time.monotonic() - self._last > self.reader.settings.commit_seconds
        if len(self._buffer) and (old or not self._buffer.has_room(rows)):
            self._write()
        self._buffer.add(rows)

    def finish(self) -> None:
        """Write the last shard, and warn about texts that were truncated and units without a vector."""
        self._write()
        if self._cut:
            log.warning("%d texts were truncated to %s tokens", len(self._cut), self.reader.max_length)
        if self._lost:
            log.warning("%d words or spans were cut off by that and have no vector", self._lost)
        if self._silent:
            log.warning("%d words or spans have no token in this tokenizer, so no vector", self._silent)
        self._buffer.report()

    def _write(self) -> None:
        rows = self._buffer.take()
        chosen = [self.units[place] for place in rows.places]
        names, truncated, missing = (
            [self.ids[place] for place in places] for places in (rows.places, rows.truncated, rows.missing)
        )
        self._writer.write(names, chosen, rows.vectors, self.layout, truncated, missing)
        self._last = time.monotonic()
        self._cut.update(source_of(self.units[place]) for place in rows.truncated)
        untouched = len(set(rows.missing) - set(rows.truncated))
        self._lost += len(missing) - untouched
        self._silent += untouched


def announce(fillings: Sequence[Filling], units: Sequence[Unit], seconds: float) -> None:
    """Log what will be extracted, and raise an error if it does not fit on the disk.

    Args:
        fillings: The requests that one pass serves.
        units: All their units, each once.
        seconds: Estimated time of the pass.

    Raises:
        ProbingError: If the vectors do not fit on the disk.
    """
    first = fillings[0]
    size = sum(len(each.units) * each.bytes_of_unit for each in fillings)
    free = shutil.disk_usage(nearest(first.store.folder.parent)).free
    if size > free:
        raise ProbingError(
            f"{first.store.folder}: {size / 1e9:.1f} GB of vectors, but {free / 1e9:.1f} GB free; choose "
            "another paths.root, or fewer layers (granularity.layers)"
        )
    reader = first.reader
    log.debug("extracting on %s in %s", reader.settings.torch_device(), reader.settings.dtype)
    layers = len(reader.layout)
    vectors = sum(heads for each in fillings for heads, _ in each.reader.layout.values())
    log.info(
        "extracting %s %s from %s, %s each: %.1f MB on disk, about %.0f s",
        f"{len(units):,}",
        kind_of(units),
        "1 layer" if layers == 1 else f"{layers} layers",
        "1 vector" if vectors == 1 else f"{vectors:,} vectors",
        size / 1e6,
        seconds,
    )


def kind_of(units: Sequence[Unit]) -> str:
    """Return the word for these units in a message."""
    return "words and spans" if any(unit.span for unit in units) else "texts"
