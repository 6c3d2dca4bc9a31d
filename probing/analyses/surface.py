"""Surface statistics: the tokens that a head attends to, by position and kind (Clark et al. 2019)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.analyses.analysis import Context, Methods
from probing.analyses.groups import check_unit
from probing.analyses.layer_by_layer import LayerByLayer
from probing.analyses.read_texts import (
    Average,
    Segments,
    Split,
    averaged,
    check_segments,
    columns_of,
    segmented,
    texts_of,
)
from probing.representations.reductions.surface import SHARES, Surface
from probing.representations.reductions.visible import by_chance
from probing.representations.request import Stack
from probing.results.finding import Finding, Picture
from probing.results.schema import as_frame
from probing.results.text.measure_lines import shares_summary, shares_text
from probing.tasks.task import Task, Unit
from probing.validation.ranges import Range, check_ranges
from probing.validation.signs import Punctuation

log = logging.getLogger(__name__)
SINK = 0.5
"""Share of attention from which the first token counts as a sink."""
NATS = "nats"
SHARE = "share"
_QUERIES, _SEPARATORS, _FIRSTS, _REST = "queries", "separators", "firsts", "rest"
MEASURES: dict[str, tuple[str, str, str]] = {
    **{name: (name, _QUERIES, SHARE) for name in SHARES},
    "separator_to_separator": ("separator_to_separator", _SEPARATORS, SHARE),
    "rest_to_separator": ("rest_to_separator", _REST, SHARE),
    "entropy": ("nats", _QUERIES, NATS),
    "entropy_of_first": ("first_nats", _FIRSTS, NATS),
    "entropy_share": ("share_of_uniform", _QUERIES, SHARE),
    "lacking": ("lacks", _QUERIES, SHARE),
}
"""For each measure its sum, the queries that it is divided by, and the metric of its rows."""
FINDING = Finding(
    measure="attention to",
    unit="",
    range="from 0 to 1",
    metric_units={NATS: NATS},
    alike=True,
    best="most attention",
    pictures=(Picture("surface", sweep="surface"),),
    text=shares_text,
    line=shares_summary,
)
Smoothing = Annotated[float, Range(0, 0.1)]


@dataclass(frozen=True)
class SurfaceAnalysis(LayerByLayer):
    """The share of attention that every head gives to kinds of tokens, and the entropy of its attention.

    `self`, `previous` and `next` are positions relative to the query. `first` is the first token, such as
    [CLS] or a start token, `separator` the special tokens after it, and `punctuation` the tokens that are
    spelled so. `entropy_of_first` is the entropy of the attention of the first token. Queries that see only
    themselves are left out, such as the first token of a causal model. `chance` is the same number for
    attention that is uniform over the keys that a query can see.

    Attributes:
        split: The examples; a text that several share is read once.
        average: Mean over texts of the mean of each, as in the paper, or over all tokens.
        segments: Number of texts in one input; 2 joins each text with the next, as Clark et al. do.
        punctuation: Spellings of tokens that count as punctuation.
        smoothing: Share of uniform attention that is mixed in before the entropy is computed.
        stack: encoder, decoder or cross of an encoder-decoder model that is read whole; "" reads its encoder.
        weighted: Whether weights are multiplied by the length of what they write, A_ij ‖v_j W_O‖ (Kobayashi
            et al. 2020), and divided by the sum of each row.
    """

    split: Split = "dev"
    average: Average = "document"
    segments: Segments = 1
    punctuation: Punctuation = ".,"
    smoothing: Smoothing = 0.0
    stack: Stack = ""
    weighted: bool = False

    def __post_init__(self) -> None:
        """Reject numbers out of their range."""
        check_ranges(self, "analysis")

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "surface"

    @property
    def statistic(self) -> Surface:
        """Sums over the queries of each text."""
        return Surface(self.punctuation, self.smoothing, self.weighted)

    def check(self, task: Task, methods: Methods) -> None:
        """Refuse any granularity but single heads, and texts that cannot be joined."""
        check_unit(self.name, methods, ("head",))
        check_segments(task, self.segments, self.name)

    def units(self, task: Task) -> Sequence[Unit]:
        """The texts of the split."""
        return segmented(texts_of(task, self.split), self.segments, self.name)

    def run_part(self, context: Context, part: int) -> pd.DataFrame:
        """The measures of every head of a layer.

        Raises:
            CorruptFileError: If the layer is damaged in the cache.
        """
        read = context.reading.representations
        columns = columns_of(read, part, self.statistic)
        columns[_REST] = columns[_QUERIES] - columns[_SEPARATORS]
        same = {
            **context.labels,
            "layer": part,
            "n_heads": 1,
            f"n_{self.split}": read.size,
        }
        return as_frame([{**same, **row} for row in self._rows(columns)])

    def _rows(self, columns: Mapping[str, NDArray[np.float64]]) -> Iterator[dict[str, object]]:
        for variant, (name, counted, metric) in MEASURES.items():
            counts = columns[counted]
            if not counts.any():  # texts without a separator, or a first token that sees only itself
                continue
            values = averaged(columns[name], counts, self.average)
            chance = averaged(columns[by_chance(name)], counts, self.average)[0]
            for head, (value, low, high, even) in enumerate(zip(*values, chance, strict=True)):
                yield {
                    "variant": variant, "metric": metric, "head": head, "main": variant in SHARES,
                    "value": value, "value_low": low, "value_high": high, "chance": even,
                }  # fmt: skip

    def conclude(self, context: Context, frame: pd.DataFrame) -> pd.DataFrame:
        """Say which heads treat the first token as a sink, and whether rows of attention lack something."""
        first = frame[frame["variant"] == "first"]
        sinks = int((first["value"] > SINK).sum())
        if sinks:
            log.warning(
                "surface: %d of %d heads give the first token (position 0) more than %.0f%% of their "
                "attention, a sink (Xiao et al. 2024): other shares are low for that reason",
                sinks, len(first), 100 * SINK,
            )  # fmt: skip
        lacking = frame[frame["variant"] == "lacking"]
        if (lacking["value"] > 0.001).any():
            return frame
        return frame[frame["variant"] != "lacking"].reset_index(drop=True)
