"""The texts whose attention is read, and the sums of a statistic over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.objectives.texts import joint_units
from probing.representations.reader import Representations
from probing.representations.reductions.statistic import Statistic
from probing.statistics.ratios import per_text, ratio
from probing.tasks.task import Task, Unit

Average = Literal["document", "token"]
Split = Literal["train", "dev", "test"]
Segments = Literal[1, 2]
_Numbers = NDArray[np.float64]


def texts_of(task: Task, split: Split) -> list[Unit]:
    """Return the texts of a split in order, each once; both texts of a pair are one input.

    Raises:
        ProbingError: If the examples are pairs of words.
    """
    units = joint_units(task)
    chosen = dict.fromkeys(units[row] for row in task.rows(split))
    return list(dict.fromkeys(replace(unit, span=None) for unit in chosen))


def check_segments(task: Task, segments: Segments, name: str) -> None:
    """Refuse a task whose texts cannot be read in segments of this number, before it is divided.

    Raises:
        ProbingError: If its examples are pairs of words, or cannot be joined.
    """
    segmented(joint_units(task), segments, name)


def segmented(units: Sequence[Unit], segments: Segments, name: str) -> list[Unit]:
    """Return texts as they are, or two by two in one input; a last one without a partner is left out.

    Raises:
        ProbingError: If texts to be joined are pairs already, or there is only one.
    """
    if segments == 1:
        return list(units)
    if any(unit.second is not None for unit in units):
        raise ProbingError(
            f"analysis={name}: analysis.segments=2 joins two texts, but the examples are pairs of texts; "
            "use analysis.segments=1"
        )
    if len(units) < 2:
        raise ProbingError(
            f"analysis={name}: analysis.segments=2 needs two texts; the split has {len(units)}"
        )
    return [
        replace(first, second=second.text) for first, second in zip(units[::2], units[1::2], strict=False)
    ]


def columns_of(found: Representations, layer: int, statistic: Statistic) -> dict[str, _Numbers]:
    """Return the columns of a statistic for one layer, float64 (units, heads) each.

    Raises:
        CorruptFileError: If the layer is damaged in the cache.
    """
    heads, columns = found.layout[layer]
    values = np.empty((found.size, heads, columns))
    for places, block in found.blocks(layer):
        values[places] = block
    return dict(zip(statistic.columns, values.transpose(2, 0, 1), strict=True))


def averaged(sums: _Numbers, counts: _Numbers, average: Average) -> tuple[_Numbers, _Numbers, _Numbers]:
    """Return the mean over texts or their tokens, with its 95 % interval over texts, float64 (heads,) each.

    Args:
        sums: float64 (texts, heads).
        counts: float64 (texts, heads), the tokens that were summed.
        average: `document` averages each text first, as Clark et al. (2019); `token` weights texts by their
            tokens, as the code of Michel et al. (2019).
    """
    return ratio(*(per_text(sums, counts) if average == "document" else (sums, counts)))
