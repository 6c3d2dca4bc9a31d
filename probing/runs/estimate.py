"""Estimates of the disk and the time that runs will take. No result depends on them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from statistics import median
from typing import Any

import numpy as np

from probing.analyses.analysis import AttentionAnalysis, SeveralStatistics
from probing.errors import CorruptFileError
from probing.models.proportions import proportions
from probing.objectives.divide import divided
from probing.representations.cache import Store
from probing.representations.reductions.statistic import AcrossLayers
from probing.representations.request import unit_id
from probing.representations.tokens import distinct_characters
from probing.runs.effort import Work, work_of
from probing.runs.spec import RunSpec
from probing.tasks.task import Unit

_SIMILAR = 3
Layout = Mapping[int, tuple[int, int]]
"""Number of heads and features of each head, by layer."""


@dataclass(frozen=True)
class Cost:
    """The work that a run has to do.

    Attributes:
        work: Properties of the run that determine its time.
        reads_vectors: Whether the run reads vectors or a statistic of attention.
        characters: Number of characters to extract.
        disk: Bytes of the vectors to extract; None if unknown.
    """

    work: Work
    reads_vectors: bool
    characters: int
    disk: int | None


@dataclass
class Costs:
    """The costs of runs in their order; vectors that several of them need are counted once."""

    _promised: dict[str, list[tuple[frozenset[int], frozenset[str]]]] = field(default_factory=dict)

    def of(self, spec: RunSpec) -> Cost:
        """Return the cost of a run whose result is not cached; nothing is written."""
        units = {unit_id(unit): unit for unit in _units(spec)}
        always = spec.config.overwrite == "always"
        layout = _layout(spec)
        chosen = _chosen(layout, spec.config.granularity.layers)
        cached = frozenset() if always else _cached(spec, units)
        promised = self._promised.setdefault(spec.request.key, [])
        earlier = [ids for layers, ids in promised if layers.issuperset(chosen)]
        missing = frozenset(units).difference(cached, *([] if always else earlier))
        promised.append((frozenset(chosen), missing))
        width = sum(heads * dim for heads, dim in chosen.values()) * np.dtype(spec.request.kept_as).itemsize
        new = missing.difference(*earlier)
        return Cost(
            work=work_of(spec),
            reads_vectors=bool(units),
            characters=distinct_characters(units[each] for each in missing),
            disk=len(new) * width if _is_exact(spec) and (layout or not new) else None,
        )


def _is_exact(spec: RunSpec) -> bool:
    """Return whether a run writes no vectors but those of its own request.

    Inner runs, objectives and further statistics write others.
    """
    config = spec.config
    own = config.granularity.unit in ("head", "layer", "attention") and config.baseline.kind == "none"
    several = isinstance(config.analysis, SeveralStatistics)
    return own and not several and config.analysis.uses in ("probe", "attention")


def _units(spec: RunSpec) -> Sequence[Unit]:
    """Return the units of which a run reads vectors, or a statistic of attention."""
    analysis = spec.config.analysis
    if isinstance(analysis, AttentionAnalysis):
        return analysis.units(divided(spec.task, spec.config.seed))
    return spec.task.all_units if analysis.uses == "probe" else ()


def _layout(spec: RunSpec) -> Layout:
    """Return the layout of all layers of a model, from its configuration; empty if unknown."""
    found = proportions(spec.files.settings)
    if found is None:
        return {}
    if spec.request.site == "hidden":
        return dict.fromkeys(range(-1, found.layers), (1, found.width))
    statistic = spec.request.statistic
    if isinstance(statistic, AcrossLayers):
        return {layer: (found.heads, (layer + 1) * found.heads) for layer in range(found.layers)}
    dim = found.head_dim if statistic is None else len(statistic.columns)
    return dict.fromkeys(range(found.layers), (found.heads, dim))


def _chosen(layout: Layout, layers: Sequence[int] | None) -> Layout:
    return layout if layers is None else {layer: layout[layer] for layer in layers if layer in layout}


def _cached(spec: RunSpec, ids: Iterable[str]) -> frozenset[str]:
    """Return the units that are cached in the layers of a run."""
    wanted = list(ids)
    store = Store(spec.config.paths.representations, spec.request.key)
    try:
        known = store.layout()
        if known is None or not wanted:
            return frozenset()
        layers = spec.config.granularity.layers or tuple(known)
        parts = store.locate(wanted, layers)
    except CorruptFileError:  # it is dropped when the run reads it
        return frozenset()
    return frozenset(wanted[place] for part in parts for place in part.places.tolist())


def seconds(cost: Cost, past: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the estimated seconds of a run from earlier runs; None if there is nothing to go by.

    Runs of the same model and kind count first, then those of the same model, then those of other models, in
    proportion to the number of weights. The time is proportional to the number of characters.

    Args:
        cost: The work to do.
        past: Records of earlier runs, see `probing.runs.effort.Effort.note`.
    """
    work = cost.work
    extraction: float | None = 0.0
    if cost.characters:
        done = [note for note in past if note.get("extracted")]
        levels = [_same(work, "model"), lambda note: True]
        extraction = _scaled(work, cost.characters, done, levels, "extracting", "extracted")
    done = [note for note in past if note.get("characters") and note.get("seconds") is not None]
    levels = [_same(work, "model", "kind"), _same(work, "model"), _same(work, "kind"), lambda note: True]
    rest = _scaled(work, work.characters, done, levels, "seconds", "characters")
    return None if extraction is None or rest is None else extraction + rest


Level = Callable[[Mapping[str, Any]], bool]


def _same(work: Work, *names: str) -> Level:
    return lambda note: all(note.get(name) == getattr(work, name) for name in names)


def _scaled(
    work: Work,
    characters: int,
    past: Sequence[Mapping[str, Any]],
    levels: Sequence[Level],
    time: str,
    amount: str,
) -> float | None:
    """Return the time of some characters, by the median of the three most similar records of the first level.

    Similar records are of about as many characters, since a small run takes more time for each.
    """
    for level in levels:
        comparable = [note for note in past if level(note) and _comparable(work, note)]
        similar = sorted(comparable, key=lambda note: abs(log(note[amount] / max(characters, 1))))[:_SIMILAR]
        if similar:
            return characters * median(_rate(work, note, time, amount) for note in similar)
    return None


def _comparable(work: Work, note: Mapping[str, Any]) -> bool:
    return _same(work, "model")(note) or bool(work.weights and note.get("weights"))


def _rate(work: Work, note: Mapping[str, Any], time: str, amount: str) -> float:
    """Return seconds for each character, for another model in proportion to the number of weights."""
    scale = 1.0 if _same(work, "model")(note) else work.weights / note["weights"]
    return float(note[time] / note[amount] * scale)
