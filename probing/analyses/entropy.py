"""Entropy of attention, or how widely a head attends (Clark et al. 2019; Michel's example script)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.analyses.analysis import Context, Methods
from probing.analyses.caution import warn_of_sinks
from probing.analyses.groups import check_unit
from probing.analyses.layer_by_layer import LayerByLayer
from probing.objectives.texts import joint_units
from probing.representations.reductions.entropy import Entropy
from probing.representations.request import Stack
from probing.results.finding import Finding, Picture
from probing.results.schema import as_frame
from probing.tasks.task import Task, Unit

FINDING = Finding(
    measure="entropy of attention",
    unit="nats",
    range="from 0 up",
    pictures=(Picture("grid", sweep="entropy"),),
)


@dataclass(frozen=True)
class EntropyAnalysis(LayerByLayer):
    """Mean over real tokens of −Σ_j A_ij ln A_ij, in nats, of every head; 0 · ln 0 is 0.

    Attributes:
        split: The examples; a text that several share is read once.
        stack: encoder, decoder or cross of an encoder-decoder model that is read whole; "" reads its encoder.
    """

    split: Literal["train", "dev", "test"] = "dev"
    stack: Stack = ""

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "entropy"

    @property
    def statistic(self) -> Entropy:
        """Sums of entropies for each text and head."""
        return Entropy()

    def check(self, task: Task, methods: Methods) -> None:
        """Refuse any granularity but single heads, and pairs of words."""
        check_unit(self.name, methods, ("head",))
        joint_units(task)

    def units(self, task: Task) -> Sequence[Unit]:
        """The texts of the split; a text counts once for each of its words that is an example."""
        units = joint_units(task)
        chosen = dict.fromkeys(units[row] for row in task.rows(self.split))
        return [replace(unit, span=None) for unit in chosen]

    def run_part(self, context: Context, part: int) -> pd.DataFrame:
        """The mean entropy of every head of a layer.

        Raises:
            CorruptFileError: If the layer is damaged in the cache.
        """
        sums = _sums(context, part)
        same = {**context.labels, "layer": part, "metric": "nats", "n_heads": 1}
        size = {f"n_{self.split}": context.reading.representations.size}
        values = sums["nats"] / sums["queries"]
        return as_frame(
            [{**same, **size, "head": head, "value": value} for head, value in enumerate(values.tolist())]
        )

    def conclude(self, context: Context, frame: pd.DataFrame) -> pd.DataFrame:
        """Warn of attention sinks, whose entropy is low for another reason."""
        sums = [_sums(context, layer) for layer in context.reading.representations.layers]
        if not any(layer["ahead"].any() for layer in sums):
            known = [layer for layer in sums if layer["late"].all()]
            warn_of_sinks(np.concatenate([[], *(layer["first"] / layer["late"] for layer in known)]))
        return frame


def _sums(context: Context, layer: int) -> dict[str, NDArray[np.float64]]:
    """The columns of the statistic summed over all texts, float64 (heads,) each."""
    heads, columns = context.reading.representations.layout[layer]
    total = np.zeros((heads, columns))
    for _, values in context.reading.representations.blocks(layer):
        total += values.sum(0)
    return dict(zip(Entropy().columns, total.T, strict=True))
