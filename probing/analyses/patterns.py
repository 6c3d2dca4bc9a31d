"""Patterns of attention maps: the share of texts with each (Kovaleva et al. 2019, section 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd

from probing.analyses.analysis import Context, Methods
from probing.analyses.groups import check_unit
from probing.analyses.layer_by_layer import LayerByLayer
from probing.analyses.map_patterns import PATTERNS, Rules
from probing.analyses.read_texts import Segments, Split, check_segments, columns_of, segmented, texts_of
from probing.representations.reductions.shapes import Shapes
from probing.representations.request import Stack
from probing.results.column_rows import rows_of_columns
from probing.results.finding import Finding, Picture
from probing.results.text.measure_lines import shares_summary
from probing.results.text.pattern_shares import patterns_text
from probing.statistics.intervals import wilson
from probing.tasks.task import Task, Unit
from probing.validation.ranges import AtLeast, Range, ZeroToOne, check_ranges

FINDING = Finding(
    measure="texts with pattern",
    unit="",
    range="from 0 to 1",
    alike=True,
    best="most texts",
    pictures=(Picture("patterns", sweep="patterns"),),
    text=patterns_text,
    line=shares_summary,
)


@dataclass(frozen=True)
class PatternsAnalysis(LayerByLayer):
    """The share of texts in which the attention map of a head has each of five patterns.

    The rules are a substitute for the classifier of Kovaleva et al., which was not released. They compare
    attention on the most attended tokens, on neighbours and within segments with that of uniform attention.
    `python experiments/synthetic_maps.py` prints their confusion matrix on synthetic maps. Column `roles` has
    the most frequent pattern of a head.

    Attributes:
        split: The examples; a text that several share is read once.
        segments: Number of texts in one input; 2 joins each text with the next. Blocks need two.
        keys: Number of keys that count for vertical lines.
        reach: Distance from the query up to which a key counts for the diagonal.
        line: Excess over uniform attention of a vertical or a diagonal map.
        part: Smallest excess of each of the two in a map with both.
        mixed: Smallest sum of the two in such a map.
        block: Excess of attention within segments of a map in blocks.
        stack: encoder, decoder or cross of an encoder-decoder model that is read whole; "" reads its encoder.
        weighted: Whether weights are multiplied by the length of what they write, A_ij ‖v_j W_O‖ (Kobayashi
            et al. 2020), and divided by the sum of each row.
    """

    split: Split = "dev"
    segments: Segments = 1
    keys: Annotated[int, AtLeast(1)] = 3
    reach: Annotated[int, AtLeast(0)] = 1
    line: ZeroToOne = 0.5
    part: ZeroToOne = 0.25
    mixed: Annotated[float, Range(0, 2)] = 0.6
    block: ZeroToOne = 0.6
    stack: Stack = ""
    weighted: bool = False

    def __post_init__(self) -> None:
        """Reject numbers out of their range."""
        check_ranges(self, "analysis")

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "patterns"

    @property
    def statistic(self) -> Shapes:
        """Attention on lines, diagonals and blocks of each text."""
        return Shapes(self.keys, self.reach, self.weighted)

    def check(self, task: Task, methods: Methods) -> None:
        """Refuse any granularity but single heads, and texts that cannot be joined."""
        check_unit(self.name, methods, ("head",))
        check_segments(task, self.segments, self.name)

    def units(self, task: Task) -> Sequence[Unit]:
        """The texts of the split."""
        return segmented(texts_of(task, self.split), self.segments, self.name)

    def run_part(self, context: Context, part: int) -> pd.DataFrame:
        """The share of texts of each pattern, for every head of a layer.

        Raises:
            CorruptFileError: If the layer is damaged in the cache.
        """
        read = context.reading.representations
        columns = columns_of(read, part, self.statistic)
        found = Rules(self.line, self.part, self.mixed, self.block).patterns(columns)
        heads = found.shape[1]
        hits = np.stack([(found == number).sum(0) for number in range(len(PATTERNS))])
        same = {
            **context.labels, "metric": "share", "layer": part, "head": range(heads), "n_heads": 1,
            f"n_{self.split}": read.size, "roles": [PATTERNS[number] for number in hits.argmax(0)],
        }  # fmt: skip
        frames = []
        for pattern, count in zip(PATTERNS, hits, strict=True):
            if pattern == "block" and not columns["in_segments"].any():
                continue
            low, high = zip(*(wilson(each, len(found)) for each in count.tolist()), strict=True)
            own = {"variant": pattern, "value": count / len(found), "value_low": low, "value_high": high}
            frames.append(rows_of_columns({**same, "main": True, **own}, heads))
        return pd.concat(frames, ignore_index=True)
