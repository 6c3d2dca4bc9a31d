"""The attention between two annotated spans, for each label (Kovaleva et al. 2019, section 4.2)."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.analyses.analysis import Context, Methods, Uses
from probing.analyses.groups import check_unit, settings_of
from probing.analyses.read_texts import columns_of
from probing.analyses.vectors import all_heads
from probing.errors import ProbingError
from probing.representations.reductions.span_pair import SpanPair
from probing.representations.request import Stack
from probing.results.finding import Finding, Picture
from probing.results.schema import as_frame
from probing.results.text.relations import relations_summary, relations_text
from probing.statistics.ratios import ratio
from probing.statistics.sign_flips import sign_flip_p, sums_by_text
from probing.tasks.target import Classes
from probing.tasks.task import Task, Unit
from probing.validation.ranges import AtLeast, check_ranges

log = logging.getLogger(__name__)
ALL = "all"
DIRECTIONS = {"from_first": "to_second", "from_second": "to_first"}
"""For each direction the column of the statistic."""
DRAWS = 1999
"""Number of random signs behind each p."""
FINDING = Finding(
    measure="attention between spans",
    range="from 0 to 1",
    alike=True,
    digits=3,
    best="largest margin",
    ranked_on="dev",
    pictures=(Picture("span_attention", sweep="span_attention"),),
    text=relations_text,
    line=relations_summary,
)
_Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class _Pairs:
    """The attention of all heads between the spans of some examples.

    Attributes:
        attention: float64 (directions · heads, n), by direction first.
        elsewhere: float64 of the same shape, over the same distances elsewhere.
        texts: int64 (n,), the number of each text.
    """

    attention: _Numbers
    elsewhere: _Numbers
    texts: NDArray[np.int64]

    def take(self, rows: NDArray[np.bool_]) -> _Pairs:
        """Return some of the examples."""
        return _Pairs(self.attention[:, rows], self.elsewhere[:, rows], self.texts[rows])

    def margin(self) -> _Numbers:
        """Return the mean of the attention above that elsewhere, float64 (directions · heads,)."""
        found: _Numbers = (self.attention - self.elsewhere).mean(1)
        return found


@dataclass(frozen=True)
class SpanAttentionAnalysis:
    """The share of its attention that each span gives to the other, for each label and head.

    The spans are those of the examples of any task of pairs of spans: frame elements and their targets,
    semantic roles and their predicates, mentions and their antecedents. `from_first` is the attention of the
    first span to the second. `chance` is the attention over the same distances elsewhere in the same text.
    p is against chance, by flipping signs of whole texts, and p_adjusted is corrected for the best of all
    heads in both directions (`sign_flip_p`). Heads are ranked by their margin above chance on dev and
    reported on test.

    Attributes:
        least: Minimum number of test examples of a label.
        stack: encoder, decoder or cross of an encoder-decoder model that is read whole; "" reads its encoder.
        weighted: Whether weights are multiplied by the length of what they write, A_ij ‖v_j W_O‖ (Kobayashi
            et al. 2020), and divided by the sum of their row.
    """

    least: Annotated[int, AtLeast(2)] = 30
    stack: Stack = ""
    weighted: bool = False

    def __post_init__(self) -> None:
        """Reject numbers out of their range."""
        check_ranges(self, "analysis")

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "span_attention"

    @property
    def uses(self) -> Uses:
        """Attention of the model without a task head, or of a stack of the whole model."""
        return "attention"

    @property
    def statistic(self) -> SpanPair:
        """The attention between the two spans."""
        return SpanPair(self.weighted)

    def check(self, task: Task, methods: Methods) -> None:
        """Refuse any granularity but single heads, and examples that are not two spans of a text.

        Raises:
            ProbingError: If so; with what to choose instead.
        """
        check_unit(self.name, methods, ("head",))
        pairs = zip(task.units, task.partners or (), strict=False)
        spans = [one.span is not None and two.span is not None and one.text == two.text for one, two in pairs]
        if not isinstance(task.target, Classes) or not spans or not all(spans):
            raise ProbingError(
                f"analysis={self.name}: the examples of task {task.name} are not two spans of one text with "
                "a class; use task=table with task.start, task.end, task.second_start and task.second_end, "
                "or task=hub/framenet"
            )

    def depends_on(self, methods: Methods) -> Mapping[str, Any]:
        """The settings of the analysis."""
        return settings_of(self, methods)

    def units(self, task: Task) -> Sequence[Unit]:
        """The two spans of the examples of dev and test; the model reads a text once for all its examples."""
        partners = task.partners or ()
        return [
            Unit(task.units[row].text, task.units[row].span, second_span=partners[row].span)
            for split in ("dev", "test")
            for row in task.rows(split)
        ]

    def parts(self, context: Context) -> Sequence[int]:
        """One part, since p compares all heads."""
        return (0,)

    def part_name(self, context: Context, part: int) -> str:
        """Name of the part in the log."""
        return "all heads"

    def conclude(self, context: Context, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the rows as they are."""
        return frame

    def run_part(self, context: Context, part: int) -> pd.DataFrame:
        """Return a row for every label, direction and head.

        Raises:
            ProbingError: If no label has enough examples.
            CorruptFileError: If a layer is damaged in the cache.
        """
        task = context.task
        cells = all_heads(context)
        pairs, there = self._pairs(context, task)
        chosen = np.concatenate([task.rows("dev"), task.rows("test")])
        in_test = np.arange(len(chosen)) >= len(task.rows("dev"))
        labels = np.array(task.target.shown())[chosen]
        rows: list[dict[str, object]] = []
        for label, own in self._labels(labels, there, in_test).items():
            dev, test = pairs.take(own & ~in_test), pairs.take(own & in_test)
            same = {"variant": label, "metric": "share", "n_heads": 1}
            sizes = {"n_dev": len(dev.texts), "n_test": len(test.texts)}
            rows += (
                {**context.labels, **same, **sizes, **row} for row in _rows(dev, test, cells, context.seed)
            )
        return as_frame(rows)

    def _pairs(self, context: Context, task: Task) -> tuple[_Pairs, NDArray[np.bool_]]:
        """Return the attention of all examples of dev and test, and which have both spans; bool (n,)."""
        read = context.reading.representations
        layers = [columns_of(read, layer, self.statistic) for layer in read.layers]
        attention, elsewhere = (
            np.concatenate([columns[name + end].T for name in DIRECTIONS.values() for columns in layers])
            for end in ("", "_elsewhere")
        )
        there = layers[0]["both"][:, 0] == 1
        if not there.all():
            log.warning(
                "span_attention: %d of %d examples are left out, since one of their spans is cut off or has "
                "no tokens of its own", int((~there).sum()), len(there),
            )  # fmt: skip
        numbers: dict[str, int] = {}
        texts = [numbers.setdefault(unit.text, len(numbers)) for unit in self.units(task)]
        return _Pairs(attention, elsewhere, np.array(texts, dtype=np.int64)), there

    def _labels(
        self, labels: NDArray[np.str_], there: NDArray[np.bool_], in_test: NDArray[np.bool_]
    ) -> dict[str, NDArray[np.bool_]]:
        """Return the examples of all labels and of each frequent one, bool (n,), the largest first."""
        counts = Counter(labels[there & in_test].tolist())
        in_dev = set(labels[there & ~in_test].tolist())
        kept = [name for name, count in counts.most_common() if count >= self.least and name in in_dev]
        left_out = [f"{name} ({count})" for name, count in counts.most_common() if name not in kept]
        if left_out:
            log.info(
                "labels left out, fewer than analysis.least=%d in test: %s", self.least, ", ".join(left_out)
            )
        if not kept:
            raise ProbingError(
                f"no label has analysis.least={self.least} pairs of spans in test; lower it, or give more "
                "examples"
            )
        return {ALL: there} | {name: there & (labels == name) for name in kept}


def _rows(
    dev: _Pairs, test: _Pairs, cells: Sequence[tuple[int, int]], seed: int
) -> Iterator[dict[str, object]]:
    """Yield the rows of one label; those in the direction of the largest margin on dev are main ones."""
    margins = dev.margin()
    ranks = pd.Series(-margins).rank(method="min").astype(int).tolist()
    best = int(margins.argmax()) // len(cells)
    sums = sums_by_text(test.attention, test.texts).T
    counts = np.broadcast_to(np.bincount(np.unique(test.texts, return_inverse=True)[1])[:, None], sums.shape)
    values, low, high = ratio(sums, counts.astype(np.float64))
    differences = sums_by_text(test.attention - test.elsewhere, test.texts)
    p, p_adjusted = sign_flip_p(differences, draws=DRAWS, seed=seed)
    chance, attention = test.elsewhere.mean(1), dev.attention.mean(1)
    for place, value in enumerate(values.tolist()):
        direction, (layer, head) = place // len(cells), cells[place % len(cells)]
        yield {
            "direction": tuple(DIRECTIONS)[direction], "layer": layer, "head": head, "rank": ranks[place],
            "main": direction == best, "dev": attention[place], "value": value, "value_low": low[place],
            "value_high": high[place], "chance": chance[place],
            "p": p[place], "p_adjusted": p_adjusted[place],
        }  # fmt: skip
