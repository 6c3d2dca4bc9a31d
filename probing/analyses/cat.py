"""CAT-probing: whether attention between the leaves of code follows its syntax tree (Chen et al. 2022)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.analyses.analysis import Context, Methods
from probing.analyses.code_units import Reads, code_units, frequent_types
from probing.analyses.groups import check_unit, settings_of
from probing.analyses.layer_by_layer import LayerByLayer
from probing.analyses.read_texts import Split, averaged, columns_of
from probing.datasets.code.languages import grammar_version
from probing.errors import ProbingError
from probing.representations.reader import Representations
from probing.representations.reductions.cat import CatScores, Kept, TypeRates
from probing.representations.request import Stack
from probing.results.finding import Finding, Picture
from probing.results.schema import as_frame
from probing.results.text.code_scores import CAT, CAT_ALL, HEADS, MEAN, POSITION, RATE, cat_summary, cat_text
from probing.tasks.task import Task, Unit
from probing.validation.ranges import Range, check_ranges

log = logging.getLogger(__name__)
FINDING = Finding(
    measure="CAT score",
    digits=3,
    range="from 0 to 1",
    variant=HEADS,
    pictures=(Picture("grid", sweep="cat"),),
    text=cat_text,
    line=cat_summary,
)
FEW = 30
"""Texts below which a selection of types is reported as uncertain."""
_Types = Annotated[int, Range(0, 1000)]


@dataclass(frozen=True)
class CatAnalysis(LayerByLayer):
    """The CAT score of every head, and of the mean over the heads of every layer.

    With attention A and distances D between the leaves of a syntax tree, the score of a text is the share of
    pairs of leaves with both A above its upper quartile and D below its lower quartile, among pairs with
    either; scores are averaged over texts. `chance` is the score of A with its entries in random order.
    Neighbouring leaves are near in the tree, so a head that attends to nearby tokens scores above chance. The
    rows `position` show how far: they are for attention that falls with the distance in the text alone.

    Leaves are aligned with tokens by character offsets. For causal models only pairs j <= i count.

    Attributes:
        language: Name of the tree-sitter grammar of the code.
        split: The examples that are scored; a text that several share is read once.
        select: The examples that types of leaves are selected on.
        types: Number of types of leaves that are scored: those that are most often in pairs of high attention
            of the layer, relative to all their pairs. 0 scores all leaves only.
        reads: `leaves` gives the model the leaves joined by blanks, as Chen et al. do; `code` gives it the
            code as it is, where a token that touches two leaves belongs to the first.
        stack: encoder, decoder or cross of an encoder-decoder model that is read whole; "" reads its encoder.
        weighted: Whether weights are multiplied by the length of what they write, A_ij ‖v_j W_O‖ (Kobayashi
            et al. 2020), and divided by the sum of each row.
    """

    language: str = "python"
    split: Split = "test"
    select: Split = "dev"
    types: _Types = 8
    reads: Reads = "leaves"
    stack: Stack = ""
    weighted: bool = False

    def __post_init__(self) -> None:
        """Reject numbers out of their range, and types that are selected on the texts that are scored."""
        check_ranges(self, "analysis")
        if self.types and self.select == self.split:
            raise ProbingError(
                f"analysis.select and analysis.split are both {self.split}; select types on another split, "
                "or score all leaves with analysis.types=0"
            )

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "cat"

    @property
    def statistic(self) -> CatScores:
        """The scores of all leaves."""
        return CatScores(self.language, grammar_version(self.language), weighted=self.weighted)

    def check(self, task: Task, methods: Methods) -> None:
        """Refuse any granularity but single heads, and examples that are not single texts."""
        check_unit(self.name, methods, ("head",))
        if task.partners is not None or any(unit.second or unit.span for unit in task.units):
            raise ProbingError(
                f"task {task.name}: analysis=cat reads whole texts of code, not pairs, words or spans; use "
                "task=code, or task=table with a column of code as task.text"
            )

    def depends_on(self, methods: Methods) -> Mapping[str, Any]:
        """The settings of the analysis, and the version of the grammar."""
        return {**settings_of(self, methods), "grammar": grammar_version(self.language)}

    def units(self, task: Task) -> Sequence[Unit]:
        """The code of the split that is scored, with its leaves as words."""
        return code_units(task, self.split, self.language, self.reads)

    def further(self, task: Task) -> Sequence[tuple[TypeRates, Sequence[Unit]]]:
        """The rates of the types of leaves on the split that they are selected on."""
        if not self.types:
            return ()
        units = code_units(task, self.select, self.language, self.reads)
        frequent = frequent_types(units, self.language)
        return ((TypeRates(self.language, self.statistic.grammar, frequent, self.weighted), units),)

    def run_part(self, context: Context, part: int) -> pd.DataFrame:
        """The scores of every head of a layer, of their mean, and the rates of the types of leaves.

        Raises:
            CorruptFileError: If the layer is damaged in the cache.
        """
        read = context.reading.representations
        rows = list(self._scores(read, part, CAT_ALL, main=not self.types))
        if self.types:
            rates = context.once(self._rates)
            kept = CatScores(self.language, self.statistic.grammar, _kept(rates, self.types), self.weighted)
            scored = context.attention(kept, context.once(self._scored))
            rows = [*self._scores(scored, part, CAT, main=True), *rows]
            rows += [
                {"variant": name, "metric": RATE, "main": False, "value": rate, "rank": rank}
                for rank, (name, rate) in enumerate(rates[part][: self.types], start=1)
            ]
        return as_frame([{**context.labels, "layer": part, **row} for row in rows])

    def conclude(self, context: Context, frame: pd.DataFrame) -> pd.DataFrame:
        """Warn of texts without a score, and of a selection on few texts."""
        read = context.reading.representations
        least = int(frame[f"n_{self.split}"].min())
        if least < read.size:
            log.warning(
                "cat: only %d of %d texts have a score in every head; the others have too few leaves of the "
                "selected types, or no attention between them",
                least, read.size,
            )  # fmt: skip
        if read.truncated:
            log.warning(
                "cat: %d of %d texts are longer than the model's limit; only the leaves within it count",
                read.truncated, read.size,
            )  # fmt: skip
        if self.types:
            found = context.attention(context.once(self._typed)).size
            if found < FEW:
                log.warning(
                    "cat: types of leaves are selected on %d texts of %s only; with more, others may be",
                    found, self.select,
                )  # fmt: skip
        return frame

    def _scores(
        self, read: Representations, layer: int, metric: str, *, main: bool
    ) -> Iterator[dict[str, object]]:
        columns = columns_of(read, layer, self.statistic)
        heads = read.layout[layer][0]
        same = {"metric": metric}
        for head, row in enumerate(_rows(columns, "")):
            yield {**same, **self._counted(row), "head": head, "n_heads": 1, "main": main, "variant": HEADS}
        for variant, of in ((MEAN, "layer_"), (POSITION, "position_")):
            row = next(_rows(columns, of))
            yield {**same, **self._counted(row), "n_heads": heads, "main": False, "variant": variant}

    def _counted(self, row: tuple[float, ...]) -> dict[str, object]:
        value, low, high, chance, texts = row
        score = {"value": value, "value_low": low, "value_high": high, "chance": chance}
        return {**score, f"n_{self.split}": int(texts)}

    def _scored(self, context: Context) -> Sequence[Unit]:
        return self.units(context.task)

    def _typed(self, context: Context) -> TypeRates:
        ((statistic, _),) = self.further(context.task)
        return statistic

    def _rates(self, context: Context) -> dict[int, list[tuple[str, float]]]:
        """The types of leaves of each layer with their rates on the selecting split, the highest first."""
        statistic = context.once(self._typed)
        read = context.attention(statistic)
        found = {}
        for layer in read.layers:
            sums = columns_of(read, layer, statistic)
            ends = {name: sums[f"all {name}"][:, 0].sum() for name in statistic.types}
            rates = [(name, sums[f"high {name}"][:, 0].sum() / n) for name, n in ends.items() if n]
            found[layer] = sorted(rates, key=lambda pair: -pair[1])
        return found


def _kept(rates: Mapping[int, Sequence[tuple[str, float]]], number: int) -> Kept:
    return tuple((layer, tuple(name for name, _ in of[:number])) for layer, of in rates.items())


def _rows(columns: Mapping[str, NDArray[np.float64]], of: str) -> Iterator[tuple[float, ...]]:
    """Yield the mean score of each head over texts, both ends, its chance level, and its number of texts."""
    texts = columns[f"{of}texts"]
    values = averaged(columns[f"{of}score"], texts, "document")
    chance = averaged(columns[f"{of}chance"], texts, "document")[0]
    for row in zip(*values, chance, texts.sum(0), strict=True):
        yield tuple(float(number) for number in row)
