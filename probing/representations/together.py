"""Several requests for one model, served by one pass over the texts that lack any of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from probing.representations.extract import Extractor, fill
from probing.representations.reader import Representations
from probing.representations.request import unit_id
from probing.representations.tokens import distinct_characters
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

    Args:
        wanted: Requests for one model at one kind of site.
        layers: Layers to read; None reads all.

    Raises:
        ProbingError: If the model cannot compute them, or they do not fit on the disk.
    """
    if len(wanted) > 1:
        _fill(wanted, layers)
        wanted = [replace(each, extractor=_only_missing(each.extractor)) for each in wanted]
    return [each.extractor.extract(each.units, layers) for each in wanted]


def _fill(wanted: Sequence[Wanted], layers: Sequence[int] | None) -> None:
    """Extract what several requests lack, under the locks of all, which are taken in one order."""
    with ExitStack() as locks:
        for each in sorted(wanted, key=lambda each: each.extractor.store.key):
            locks.enter_context(each.extractor.store.lock())
        lacking = [
            each.extractor.lacking([unit_id(unit) for unit in each.units], each.units, layers)
            for each in wanted
        ]
        open_ones = [(each.extractor, units) for each, units in zip(wanted, lacking, strict=True) if units]
        if not open_ones:
            return
        start = time.perf_counter()
        fill([extractor for extractor, _ in open_ones], [units for _, units in open_ones], layers)
        done = wanted[0].extractor.done
        if done is not None:
            units = {unit for _, own in open_ones for unit in own.values()}
            done(distinct_characters(units), time.perf_counter() - start)


def _only_missing(extractor: Extractor) -> Extractor:
    """Return an extractor that does not repeat what has just been extracted."""
    return replace(extractor, overwrite="missing") if extractor.overwrite == "always" else extractor
