"""Dependency heads: the heads whose attention finds related words (Clark et al. 2019, section 4.2)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.analyses.analysis import Context, Methods, Uses
from probing.analyses.groups import check_unit, settings_of
from probing.analyses.read_texts import columns_of
from probing.analyses.relation_groups import (
    COREFERENCE,
    Offset,
    Reach,
    is_earlier,
    is_main,
    relations_of,
    same_word,
)
from probing.analyses.vectors import all_heads
from probing.analyses.word_pairs import WordPairs, check_word_pairs, units_of, word_pairs
from probing.representations.reader import Representations
from probing.representations.reductions.word_level import Rows
from probing.representations.reductions.word_targets import WordTargets
from probing.representations.request import Stack
from probing.results.finding import Finding, Picture
from probing.results.schema import as_frame
from probing.results.text.relations import relations_summary, relations_text, rules_report
from probing.statistics.intervals import wilson
from probing.statistics.sign_flips import sign_flip_p, sums_by_text
from probing.tasks.task import Task, Unit
from probing.validation.ranges import AtLeast, Range, check_ranges

log = logging.getLogger(__name__)
DIRECTIONS = {"from_dependent": ("to", "to_earlier"), "from_head": ("from", "from_earlier")}
"""For each direction the column of the statistic, for all words and for those before a word."""
REACH = {"from_dependent": ("sees_from", "sees_to"), "from_head": ("seen_from", "seen_to")}
"""For each direction the columns of the first and last word that a head can find."""
DRAWS = 1999
"""Number of random signs behind each p."""
FINDING = Finding(
    measure="accuracy of the word that a head singles out",
    range="from 0 to 1",
    alike=True,
    best="highest accuracy",
    ranked_on="dev",
    pictures=(Picture("dependencies", sweep="dependencies"),),
    text=relations_text,
    line=relations_summary,
    report=rules_report,
)
_Right = NDArray[np.bool_]


@dataclass(frozen=True)
class DependenciesAnalysis:
    """The accuracy with which every head finds the word that a word is related to, for each relation.

    `from_dependent` is the word that the dependent attends to most, and `from_head` the word that attends to
    the dependent most. Attention is that between words; see `word_attention`. The word itself and special
    tokens are left out, and the first of equal words counts. No head can find a root.

    `chance` is the accuracy of the word at the best fixed offset, which is selected on dev. A word that the
    layer cannot see is wrong there too, as one ahead in a causal model or one outside a window. p is against
    this offset, by flipping signs of whole texts, and p_adjusted is corrected for the best of all heads in
    both directions (`sign_flip_p`). Heads and directions are selected on dev and reported on test.

    Attributes:
        rows: Query of a word: the mean over its pieces, or its first piece, as the code of the paper takes.
        least: Minimum number of test items of a relation.
        lowest: Lowest fixed offset.
        highest: Highest fixed offset.
        stack: encoder, decoder or cross of an encoder-decoder model that is read whole; "" reads its encoder.
        weighted: Whether weights are multiplied by the length of what they write, A_ij ‖v_j W_O‖ (Kobayashi
            et al. 2020), and divided by the sum of their row.
    """

    rows: Rows = "mean"
    least: Annotated[int, AtLeast(1)] = 100
    lowest: Annotated[int, Range(-20, 0)] = -3
    highest: Annotated[int, Range(0, 20)] = 2
    stack: Stack = ""
    weighted: bool = False

    def __post_init__(self) -> None:
        """Reject numbers out of their range."""
        check_ranges(self, "analysis")

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "dependencies"

    @property
    def uses(self) -> Uses:
        """Attention of the model without a task head, or of a stack of the whole model."""
        return "attention"

    @property
    def statistic(self) -> WordTargets:
        """The words that each word singles out."""
        return WordTargets(self.rows, self.weighted)

    def check(self, task: Task, methods: Methods) -> None:
        """Refuse any granularity but single heads, and tasks that do not relate words."""
        check_unit(self.name, methods, ("head",))
        check_word_pairs(task, self.name)

    def depends_on(self, methods: Methods) -> Mapping[str, Any]:
        """The settings of the analysis."""
        return settings_of(self, methods)

    def units(self, task: Task) -> Sequence[Unit]:
        """The words of dev and test."""
        return units_of(task)

    def parts(self, context: Context) -> Sequence[int]:
        """One part, since p compares all heads."""
        return (0,)

    def part_name(self, context: Context, part: int) -> str:
        """Name of the part in the log."""
        return "all heads"

    def run_part(self, context: Context, part: int) -> pd.DataFrame:
        """Return a row for every relation, direction and head.

        Raises:
            ProbingError: If no relation has enough items, or a span is not a word.
            CorruptFileError: If a layer is damaged in the cache.
        """
        read, task = context.reading.representations, context.task
        pairs = _readable(word_pairs(task), read)
        cells = all_heads(context)
        right, (reach, of_heads) = self._right(pairs, read), self._reach(pairs, read)
        distances = range(self.lowest, self.highest + 1)
        rows: list[dict[str, object]] = []
        for relation, chosen in relations_of(pairs, self.least).items():
            own = pairs.take(chosen)
            best = [Offset.best(own, distances, each[:, chosen]) for each in reach]
            offsets = [best[place] for place in of_heads]
            found = [*_rows(own, right[:, chosen], cells, offsets, context.seed)]
            found = [{**row, "main": row["main"] and is_main(relation)} for row in found]
            if relation == COREFERENCE:
                found += _without_heads(own, self.units(task))
            same = {"variant": relation, "metric": "accuracy", "main": False, **_sizes(own)}
            rows += ({**context.labels, **same, **row} for row in found)
        return as_frame(rows)

    def _right(self, pairs: WordPairs, read: Representations) -> _Right:
        """Return whether each head is right, bool (directions · heads, n), by direction first."""
        earlier = np.array([is_earlier(label) for label in pairs.labels.tolist()], dtype=bool)[:, None]
        found: dict[str, list[_Right]] = {direction: [] for direction in DIRECTIONS}
        for layer in read.layers:
            columns = columns_of(read, layer, self.statistic)
            for direction, (anywhere, before) in DIRECTIONS.items():
                answers = np.where(earlier, columns[before][pairs.rows], columns[anywhere][pairs.rows])
                found[direction].append(pairs.found(answers))
        return np.concatenate([each for of_direction in found.values() for each in of_direction])

    def _reach(self, pairs: WordPairs, read: Representations) -> tuple[list[Reach], list[int]]:
        """Return the words that heads can find, float64 (2, n) each, and the place of each head among these.

        Most layers see the same words.
        """
        distinct: dict[bytes, Reach] = {}
        of_layers: dict[str, list[int]] = {direction: [] for direction in DIRECTIONS}
        for layer in read.layers:
            columns = columns_of(read, layer, self.statistic)
            for direction, ends in REACH.items():
                own = np.stack([columns[end][pairs.rows, 0] for end in ends])
                distinct.setdefault(own.tobytes(), own)
                place = list(distinct).index(own.tobytes())
                of_layers[direction] += [place] * read.layout[layer][0]
        return list(distinct.values()), [place for places in of_layers.values() for place in places]

    def conclude(self, context: Context, frame: pd.DataFrame) -> pd.DataFrame:
        """Rank the heads of every relation, in both directions, by dev."""
        heads = frame[frame["head"].notna()]
        ranks = heads.groupby("variant")["dev"].rank(ascending=False, method="min")
        return frame.assign(rank=ranks.reindex(frame.index).astype("Int64"))


def _readable(pairs: WordPairs, read: Representations) -> WordPairs:
    """Return the items whose words the model has read; log the number of others as a warning."""
    lost = np.isin(pairs.rows, read.missing) | np.isin(pairs.related_rows, read.missing)
    if lost.any():
        log.warning(
            "dependencies: %d of %d items are left out, since their words are past the model's limit of "
            "tokens or have no token", int(lost.sum()), len(pairs),
        )  # fmt: skip
    return pairs.take(~lost)


def _rows(
    pairs: WordPairs, right: _Right, cells: Sequence[tuple[int, int]], offsets: Sequence[Offset], seed: int
) -> Iterator[dict[str, object]]:
    """Yield the rows of one relation, those in the direction that is better on dev as main ones."""
    in_dev, in_test = pairs.splits == "dev", pairs.splits == "test"
    test = pairs.take(in_test)
    by_offset = np.stack([offset.right for offset in offsets])
    ahead = right[:, in_test].astype(np.float64) - by_offset
    p, p_adjusted = sign_flip_p(sums_by_text(ahead, test.texts), draws=DRAWS, seed=seed)
    dev = right[:, in_dev].mean(1)
    hits, best = right[:, in_test].sum(1), int(dev.argmax()) // len(cells)
    for place, score in enumerate(dev.tolist()):
        direction, (layer, head) = place // len(cells), cells[place % len(cells)]
        low, high = wilson(int(hits[place]), len(test))
        yield {
            "direction": tuple(DIRECTIONS)[direction], "layer": layer, "head": head, "n_heads": 1,
            "main": direction == best, "dev": score,
            "value": hits[place] / len(test), "value_low": low, "value_high": high,
            "chance": by_offset[place].mean(), "offset": offsets[place].distance,
            "p": p[place], "p_adjusted": p_adjusted[place],
        }  # fmt: skip


def _sizes(pairs: WordPairs) -> dict[str, object]:
    return {f"n_{split}": int((pairs.splits == split).sum()) for split in ("dev", "test")}


def _without_heads(pairs: WordPairs, units: Sequence[Unit]) -> Iterator[dict[str, object]]:
    """Yield the accuracies of the nearest mention before, and of the nearest with the same word."""
    rules = {"nearest_mention": pairs.at_offset(-1), "same_word": same_word(pairs, units)}
    for name, right in rules.items():
        test = right[pairs.splits == "test"]
        low, high = wilson(int(test.sum()), len(test))
        yield {
            "direction": name, "dev": right[pairs.splits == "dev"].mean(), "value": test.mean(),
            "value_low": low, "value_high": high,
        }  # fmt: skip
