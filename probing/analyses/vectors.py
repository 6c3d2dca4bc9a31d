"""Vectors that the probes of a part read: those of heads or layers, single or concatenated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from probing.analyses.analysis import Context
from probing.analyses.combine import blocks
from probing.analyses.reading import GROUP_BYTES
from probing.io.lazy import torch
from probing.tasks.task import Features

Head = tuple[int, int]


@dataclass(frozen=True)
class Pick:
    """Heads whose vectors are concatenated for one probe.

    Attributes:
        heads: (layer, head) of each; vectors are concatenated in this order.
        cell: Columns that identify the pick in a row of the result.
    """

    heads: tuple[Head, ...]
    cell: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class VectorBatch:
    """Vectors that are probed together.

    Attributes:
        vectors: float32 (u, n, dim).
        cells: Columns that identify the u units in their rows: layer, head, n_heads, ...
    """

    vectors: torch.Tensor
    cells: tuple[Mapping[str, object], ...]


def layer_batches(context: Context, layer: int, features: Features | None) -> Iterator[VectorBatch]:
    """Yield the heads of a layer one by one, or the layer itself if layers are read; see `VectorBatch`.

    Raises:
        CorruptFileError: If the layer is damaged in the cache.
    """
    whole = context.methods.granularity.unit == "layer"
    for heads in context.reading.head_groups(layer):
        cells = [
            {"layer": layer} if whole else {"layer": layer, "head": head, "n_heads": 1} for head in heads
        ]
        yield VectorBatch(context.reading.vectors(layer, features, heads), tuple(cells))


def pick_batches(context: Context, picks: Sequence[Pick], features: Features | None) -> Iterator[VectorBatch]:
    """Yield concatenated heads, with picks of the same width in one batch as far as memory allows.

    Raises:
        CorruptFileError: If a layer is damaged in the cache.
    """

    def width(pick: Pick) -> int:
        return sum(context.reading.representations.layout[layer][1] for layer, _ in pick.heads)

    for dim, alike in groupby(sorted(picks, key=width), key=width):
        waiting = list(alike)
        size = max(1, GROUP_BYTES // (8 * dim * len(context.reading.asked.all_units)))
        for start in range(0, len(waiting), size):
            chosen = waiting[start : start + size]
            yield VectorBatch(_put_together(context, chosen, features), tuple(pick.cell for pick in chosen))


def all_heads(context: Context) -> tuple[Head, ...]:
    """Return every (layer, head) that is read, in ascending order."""
    layout = context.reading.representations.layout
    return tuple((layer, head) for layer in sorted(layout) for head in range(layout[layer][0]))


def _put_together(context: Context, picks: Sequence[Pick], features: Features | None) -> torch.Tensor:
    """Return the concatenated vectors of every pick; float32 (picks, n, dim).

    For pairs, the heads of the first unit come before those of the second, as if one head had been read.
    """
    wanted = sorted({head for pick in picks for head in pick.heads})
    read: dict[Head, torch.Tensor] = {}
    for layer, heads in groupby(wanted, key=lambda place: place[0]):
        numbers = [head for _, head in heads]
        vectors = context.reading.vectors(layer, features, numbers)
        read |= {(layer, head): vectors[place] for place, head in enumerate(numbers)}
    asked = context.reading.asked
    parts = 1 if asked.partners is None else blocks(features or asked.features)
    return torch.stack([_joined([read[head] for head in pick.heads], parts) for pick in picks])


def _joined(heads: Sequence[torch.Tensor], parts: int) -> torch.Tensor:
    """Return vectors (n, dim) concatenated: the first of their equal parts of all, then the second, ..."""
    pieces = zip(*(head.chunk(parts, -1) for head in heads), strict=True)
    return torch.cat([piece for same in pieces for piece in same], -1)
