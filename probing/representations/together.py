"""Several requests for one model, served by one pass over the texts that lack any of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from probing.representations.cache import Store
from probing.representations.extract import Extractor, fill
from probing.representations.reader import Representations
from probing.representations.request import unit_id
from probing.tasks.task import Unit


@dataclass(frozen=True)
class Wanted:
    """A request, and the units that it is wanted for.

    Attributes:
        extractor: Source of the requested vectors.
        units: The units, in order.
    """

    extractor: Extractor
    units: tuple[Unit, ...]


def extract_together(wanted: Sequence[Wanted], layers: Sequence[int] | None) -> list[Representations]:
    """Return what is wanted, in order; the model runs once over all that is not cached.

    What is cached is returned without a lock, so it waits for no other process.

    Args:
        wanted: Requests for one model at one kind of site.
        layers: Layers to read; None reads all.

    Raises:
        ProbingError: If the model cannot compute them, or they do not fit on the disk.
    """
    found = [each.extractor.cached(each.units, layers) for each in wanted]
    lacking = [each for each, cached in zip(wanted, found, strict=True) if cached is None]
    if len(lacking) > 1:
        _fill(lacking, layers)
        wanted = [replace(each, extractor=_only_missing(each.extractor)) for each in wanted]
    return [
        cached or each.extractor.extract(each.units, layers)
        for each, cached in zip(wanted, found, strict=True)
    ]


def _fill(wanted: Sequence[Wanted], layers: Sequence[int] | None) -> None:
    """Extract what several requests lack, under the locks of all, which are taken in one order."""
    with ExitStack() as locks:
        for store in sorted({each.extractor.store for each in wanted}, key=lambda store: store.key):
            locks.enter_context(store.lock())
        lacking: dict[Store, tuple[Extractor, dict[str, Unit]]] = {}
        for each in wanted:  # a request may be wanted several times
            _, units = lacking.setdefault(each.extractor.store, (each.extractor, {}))
            units |= each.extractor.lacking([unit_id(unit) for unit in each.units], each.units, layers)
        open_ones = [(extractor, units) for extractor, units in lacking.values() if units]
        if open_ones:
            fill([extractor for extractor, _ in open_ones], [units for _, units in open_ones], layers)


def _only_missing(extractor: Extractor) -> Extractor:
    """Return an extractor that does not repeat what has just been extracted."""
    return replace(extractor, overwrite="missing") if extractor.overwrite == "always" else extractor
