"""Distances between heads by their attention, with a map and clusters (Clark et al. 2019, section 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.analyses.analysis import Context, Methods
from probing.analyses.behaviour import tags_of
from probing.analyses.distances import Distances
from probing.analyses.groups import check_unit
from probing.analyses.layer_by_layer import LayerByLayer
from probing.analyses.read_texts import (
    Average,
    Segments,
    Split,
    check_segments,
    columns_of,
    segmented,
    texts_of,
)
from probing.comparisons.clusters import cut, tree_of
from probing.errors import ProbingError
from probing.representations.reductions.divergence import Divergence
from probing.representations.reductions.surface import Surface
from probing.representations.request import Stack
from probing.results.behaviours import TAGS, THRESHOLDS
from probing.results.column_rows import rows_of_columns
from probing.results.finding import Finding, Picture, all_rows
from probing.results.head_pairs import matrix_of_pairs, pair_rows
from probing.results.text.head_distances import distances_summary, distances_text
from probing.results.text.reports import values_report
from probing.statistics.mds import scaled
from probing.tasks.task import Task, Unit
from probing.validation.ranges import AtLeast, Range, ZeroToOne, check_ranges

if TYPE_CHECKING:
    from probing.representations.reductions.statistic import Statistic

NATS = "nats"
FINDING = Finding(
    measure="distance to other heads",
    unit=NATS,
    metric_units={"stress": "", "cluster": ""},
    digits=3,
    range="from 0 to ln 2 = 0.693",
    variant="mean",
    no_measure=("x", "y", "cluster", "stress"),
    pictures=(
        Picture("head_distance", "probing.figures.head_map:draw_head_map", rows=all_rows),
        Picture("mean_distance", sweep="mean_distance"),
    ),
    text=distances_text,
    report=values_report,
    line=distances_summary,
)
Smoothing = Annotated[float, Range(0, 0.1)]


@dataclass(frozen=True)
class HeadDistanceAnalysis(LayerByLayer):
    """The Jensen-Shannon divergence between the attention of every two heads, per query, in nats.

    Rows with `layer_2` and `head_2` are pairs of heads. The rows of single heads are `mean`, the mean
    distance to all other heads; `nearest`, the distance to the nearest head, which column `heads` names; `x`
    and `y`, the place on the map of metric multidimensional scaling; and `cluster`. `stress` says how badly
    the map fits. Column `roles` has a tag of behaviour by the rules of Clark et al., in which entropy is a
    share of that of uniform attention instead of 3.8 nats, which is such a share for texts of 128 tokens.

    Attributes:
        split: The examples; a text that several share is read once.
        average: Mean over all tokens, or over texts of the mean of each.
        segments: Number of texts in one input; 2 joins each text with the next, as Clark et al. do.
        smoothing: Share of uniform attention that is mixed in first.
        clusters: Number of clusters.
        next_token: Attention to the next token from which on a head has this tag; the other thresholds are
            the same for other tags.
        previous_token: Attention to the token before.
        first_token: Attention to the first token.
        delimiter: Attention to separators, or to punctuation, for the tag of either.
        broad: Entropy as a share of that of uniform attention.
        stack: encoder, decoder or cross of an encoder-decoder model that is read whole; "" reads its encoder.
        weighted: Whether weights are multiplied by the length of what they write, A_ij ‖v_j W_O‖ (Kobayashi
            et al. 2020), and divided by the sum of each row.
    """

    split: Split = "dev"
    average: Average = "token"
    segments: Segments = 1
    smoothing: Smoothing = 0.001
    clusters: Annotated[int, AtLeast(1)] = 6
    next_token: ZeroToOne = THRESHOLDS["next_token"]
    previous_token: ZeroToOne = THRESHOLDS["previous_token"]
    first_token: ZeroToOne = THRESHOLDS["first_token"]
    delimiter: ZeroToOne = THRESHOLDS["delimiter"]
    broad: ZeroToOne = THRESHOLDS["broad"]
    stack: Stack = ""
    weighted: bool = False

    def __post_init__(self) -> None:
        """Reject numbers out of their range."""
        check_ranges(self, "analysis")

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "head_distance"

    @property
    def statistic(self) -> Divergence:
        """Sums of divergences over the queries of each text."""
        return Divergence(self.smoothing, self.weighted)

    def check(self, task: Task, methods: Methods) -> None:
        """Refuse any granularity but single heads, and texts that cannot be joined."""
        check_unit(self.name, methods, ("head",))
        check_segments(task, self.segments, self.name)

    def units(self, task: Task) -> Sequence[Unit]:
        """The texts of the split."""
        return segmented(texts_of(task, self.split), self.segments, self.name)

    def further(self, task: Task) -> Sequence[tuple[Statistic, Sequence[Unit]]]:
        """The surface statistics of the same texts, for tags and the number of queries."""
        return [(self._tagging, self.units(task))]

    @property
    def _tagging(self) -> Surface:
        return Surface(weighted=self.weighted)

    def run_part(self, context: Context, part: int) -> pd.DataFrame:
        """The pairs of every head of a layer with earlier heads.

        Raises:
            CorruptFileError: If the layer is damaged in the cache.
        """
        distances = context.once(self._distances)
        first, second, found = distances.pairs(part)
        heads = distances.heads()
        return pair_rows({**self._same(context), "metric": NATS}, heads[first], heads[second], found)

    def conclude(self, context: Context, frame: pd.DataFrame) -> pd.DataFrame:
        """Add the rows of single heads, and the stress of the map.

        Raises:
            ProbingError: If there is one head only.
            CorruptFileError: If a layer is damaged in the cache.
        """
        matrix = matrix_of_pairs(frame)
        if len(matrix) < 2:
            raise ProbingError("analysis=head_distance: one head has no distance; read more layers")
        apart = matrix.to_numpy()
        placed = scaled(apart, context.seed)
        layers, heads = (matrix.index.get_level_values(level) for level in range(2))
        cell = {"layer": layers, "head": heads, "n_heads": 1, "roles": self._tags(context), "main": False}
        same = {**self._same(context), "metric": NATS}
        measures: dict[str, dict[str, object]] = {
            "mean": self._mean(context),
            "nearest": _nearest(matrix),
            "x": {"value": placed.points[:, 0]},
            "y": {"value": placed.points[:, 1]},
            "cluster": self._clusters(apart),
        }
        single = [
            rows_of_columns({**same, **cell, "variant": variant, **own}, len(matrix))
            for variant, own in measures.items()
        ]
        stress = {**same, "variant": "stress", "metric": "stress", "value": placed.stress, "main": False}
        return pd.concat([*single, rows_of_columns(stress, 1), frame], ignore_index=True)

    def _same(self, context: Context) -> dict[str, object]:
        return {**context.labels, f"n_{self.split}": context.reading.representations.size}

    def _surface(self, context: Context, layer: int) -> dict[str, NDArray[np.float64]]:
        """Return the surface statistics of the same texts, float64 (texts, heads) for each column."""
        return columns_of(context.attention(self._tagging), layer, self._tagging)

    def _distances(self, context: Context) -> Distances:
        read = context.reading.representations
        queries = self._surface(context, read.layers[-1])["queries"][:, 0]
        return Distances(read, queries, self.average)

    def _mean(self, context: Context) -> dict[str, object]:
        value, low, high = context.once(self._distances).to_others()
        return {"value": value, "value_low": low, "value_high": high, "main": True}

    def _clusters(self, apart: NDArray[np.float64]) -> dict[str, object]:
        return {"value": cut(tree_of(apart), min(self.clusters, len(apart))), "metric": "cluster"}

    def _tags(self, context: Context) -> list[str | None]:
        thresholds = {name: float(getattr(self, name)) for name in TAGS.values()}
        layers = context.reading.representations.layers
        found = (tags_of(self._surface(context, layer), self.average, thresholds) for layer in layers)
        return [tag or None for tags in found for tag in tags]


def _nearest(matrix: pd.DataFrame) -> dict[str, object]:
    """Return the distance to the nearest head, and its name."""
    apart = matrix.to_numpy(copy=True)
    np.fill_diagonal(apart, np.inf)
    names = [f"{layer}.{head}" for layer, head in matrix.index]
    return {"value": apart.min(1), "heads": [names[at] for at in apart.argmin(1)]}
