"""Attention to words of each class and to special tokens (Kovaleva et al. 2019, section 4.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.analyses.analysis import Context, Methods
from probing.analyses.groups import check_unit
from probing.analyses.layer_by_layer import LayerByLayer
from probing.analyses.read_texts import Split, columns_of
from probing.errors import ProbingError
from probing.representations.reductions.received import Received
from probing.representations.reductions.visible import by_chance
from probing.representations.request import Stack
from probing.results.column_rows import rows_of_columns
from probing.results.finding import Finding, Picture
from probing.results.text.measure_lines import shares_summary, shares_text
from probing.statistics.ratios import ratio
from probing.tasks.target import Classes
from probing.tasks.task import Task, Unit

_Numbers = NDArray[np.float64]
_SPECIAL = ("first", "separator")
FINDING = Finding(
    measure="attention to",
    range="from 0 to 1",
    alike=True,
    digits=3,
    best="most attention",
    pictures=(Picture("token_types", sweep="token_types"),),
    text=shares_text,
    line=shares_summary,
)


@dataclass(frozen=True)
class TokenTypesAnalysis(LayerByLayer):
    """The attention that all tokens of a text give to its most attended token of each class of words.

    The classes are those of the task, such as parts of speech or relations of a treebank. `first` is the
    first token of the text, and `separator` the most attended special token after it. The mean is over the
    texts that have a word of the class, and `n_dev` (or that of another split) is their number. `chance` is
    the same number for uniform attention.

    Attributes:
        split: The words.
        absent: Whether texts without a word of a class are left out, or count as 0 as in the code of the
            paper, which makes rare classes look less attended.
        stack: encoder, decoder or cross of an encoder-decoder model that is read whole; "" reads its encoder.
        weighted: Whether weights are multiplied by the length of what they write, A_ij ‖v_j W_O‖ (Kobayashi
            et al. 2020), and divided by the sum of each row.
    """

    split: Split = "dev"
    absent: Literal["skip", "zero"] = "skip"
    stack: Stack = ""
    weighted: bool = False

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "token_types"

    @property
    def statistic(self) -> Received:
        """Attention to each word and to special tokens."""
        return Received(self.weighted)

    def check(self, task: Task, methods: Methods) -> None:
        """Refuse any granularity but single heads, and tasks without classes of words."""
        check_unit(self.name, methods, ("head",))
        if not isinstance(task.target, Classes) or any(unit.span is None for unit in task.units):
            raise ProbingError(
                f"analysis=token_types: the examples of task {task.name} are not words in classes; use a "
                "task of words, such as task=treebank/upos or task=treebank/deprel"
            )

    def units(self, task: Task) -> Sequence[Unit]:
        """The words of the split; of a pair of words, the first."""
        return [task.units[row] for row in task.rows(self.split)]

    def run_part(self, context: Context, part: int) -> pd.DataFrame:
        """The attention of every head of a layer to each class.

        Raises:
            CorruptFileError: If the layer is damaged in the cache.
        """
        read = context.reading.representations
        columns = columns_of(read, part, self.statistic)
        found = context.once(self._targets)
        same = {**context.labels, "metric": "share", "layer": part, "n_heads": 1, "main": True}
        frames = []
        for name, there, values, chance in found.groups(columns):
            counts = np.broadcast_to(there[:, None], values.shape).astype(np.float64)
            counts = counts if self.absent == "skip" or name in _SPECIAL else np.ones_like(counts)
            value, low, high = ratio(values, counts)
            own = {
                "variant": name, "head": range(len(value)), f"n_{self.split}": int(there.sum()),
                "value": value, "value_low": low, "value_high": high, "chance": ratio(chance, counts)[0],
            }  # fmt: skip
            frames.append(rows_of_columns({**same, **own}, len(value)))
        return pd.concat(frames, ignore_index=True)

    def _targets(self, context: Context) -> Targets:
        return Targets.of(context.task, self.split, context.reading.representations.missing)


@dataclass(frozen=True)
class Targets:
    """The words of each class in each text.

    Attributes:
        rows: int64 (words,), the rows of the words that were read.
        texts: int64 (words,), the number of each word's text.
        labels: int64 (words,), the class of each word.
        names: Names of the classes.
    """

    rows: NDArray[np.int64]
    texts: NDArray[np.int64]
    labels: NDArray[np.int64]
    names: tuple[str, ...]

    @classmethod
    def of(cls, task: Task, split: Split, missing: NDArray[np.int64]) -> Targets:
        """Return the words of a split, without those that the model's limit cut off.

        Args:
            task: The task, whose target is `Classes`.
            split: The split.
            missing: Rows, among those of the split, without a token.
        """
        chosen = task.rows(split)
        rows = np.setdiff1d(np.arange(len(chosen)), missing)
        texts, _ = pd.factorize(pd.Series([task.units[row].text for row in chosen[rows]]))
        labels = np.asarray(task.target.gold, dtype=np.int64)[chosen[rows]]
        names = getattr(task.target, "names", ())
        return cls(rows, np.asarray(texts, dtype=np.int64), labels, names)

    def groups(
        self, columns: Mapping[str, _Numbers]
    ) -> Iterator[tuple[str, NDArray[np.bool_], _Numbers, _Numbers]]:
        """Yield each class, the texts that have it, and the largest attention to it and by chance.

        Args:
            columns: Columns of the statistic `Received`, float64 (words read, heads) each.
        """
        unit, chance = columns["unit"][self.rows], columns[by_chance("unit")][self.rows]
        for number, name in enumerate(self.names):
            own = self.labels == number
            if own.any():
                yield name, *self._largest(own, unit, chance)
        starts = np.unique(self.texts, return_index=True)[1]
        for name in _SPECIAL:
            there = columns["separators"][self.rows][starts, 0] > 0 if name == "separator" else None
            if there is None or there.any():
                values, means = (columns[key][self.rows][starts] for key in (name, by_chance(name)))
                yield name, np.ones(len(starts), dtype=bool) if there is None else there, values, means

    def _largest(
        self, own: NDArray[np.bool_], unit: _Numbers, chance: _Numbers
    ) -> tuple[NDArray[np.bool_], _Numbers, _Numbers]:
        """Return the texts with such words, and the largest of their values, 0 in texts without one."""
        count = int(self.texts.max()) + 1
        there = np.zeros(count, dtype=bool)
        there[self.texts[own]] = True
        found = []
        for values in (unit, chance):
            largest = np.zeros((count, values.shape[1]))
            np.maximum.at(largest, self.texts[own], values[own])
            found.append(largest)
        return there, found[0], found[1]
