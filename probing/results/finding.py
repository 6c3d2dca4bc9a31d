"""A finding: the meaning of an analysis' column `value`, and the way its rows are reported.

Every analysis keeps one record, `FINDING`, next to its code. Terminal, figures, page and agreement read it,
so that none of them depends on the name of an analysis.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from probing.errors import ProbingError
from probing.results.grid_key import key_of
from probing.results.schema import of_pairs
from probing.results.units import LOSS, NumberFormat, difference_unit, fitted_unit

log = logging.getLogger(__name__)
Select = Callable[[pd.DataFrame], pd.DataFrame]
"""A function that selects rows of an analysis."""
Tell = Callable[[pd.DataFrame], str]
"""A function that describes the rows of one run."""


class Report(NamedTuple):
    """Rows of no single layer as a table.

    Attributes:
        title: The subject of the table.
        headings: The names of its columns.
        lines: Rows of the table, a text for each column.
    """

    title: str
    headings: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]


def main_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the main grid of an analysis (column `main`), without those for pairs of heads."""
    rows = rows[~of_pairs(rows)]
    return rows[rows["main"].fillna(value=True).astype(bool)] if "main" in rows else rows


def all_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """All rows of an analysis."""
    return rows


@dataclass(frozen=True)
class Picture:
    """A picture of a run.

    Attributes:
        name: Name of the file, without a suffix.
        draw: The kind of picture: `grid` (a sheet if there are several), `sheet`, `masking` and `path` (which
            draw the analyses masking and gates only), or `module:function` for a function that takes rows
            and a path, and returns the files that it has written.
        rows: The rows that it shows; by default those of the main grid.
        sweep: Name of the file that shows all runs of a sweep; empty if there is none.
    """

    name: str
    draw: str = "grid"
    rows: Select = main_rows
    sweep: str = ""


@dataclass(frozen=True)
class Finding:
    """The meaning of `value` in the rows of one analysis, and the way they are reported.

    Attributes:
        measure: Name of the quantity, "entropy of attention".
        unit: Its unit, "nats"; empty for a pure number. A difference has the unit of its metric.
        metric_units: Units of rows with these metrics, where they differ from `unit`.
        digits: Number of decimals; None writes three significant digits with a common power of ten.
        range: The smallest and largest possible value, in words.
        difference: Whether `value` is the change of the score or loss in column `metric`.
        smaller: Whether a smaller value means a larger effect of the head. For differences this follows from
            the metric.
        alone: Variants in which a head is the only one in its layer, which reverses the direction.
        normalised: Range of normalised values, which have no unit, for each normalisation.
        variant: The variant that `measure` already names.
        alike: Whether rows of all variants with one metric are the same quantity, and so share a scale.
        best: Words for the cell of rank 1.
        best_alone: The same words for the variants in `alone`.
        chosen: Words for each variant whose rows are a choice of heads, and so not a grid.
        no_measure: Variants whose value does not measure a head, as its place on a map or the number of its
            cluster.
        counted: Words for the number of cells above 0, "heads kept"; empty if it is not reported.
        steps: Names of the only two values, 0 and 1; empty if there are others.
        ranked_on: Split whose examples rank the cells; empty for the last split with a count of examples.
        kind: "encoding" for what a head encodes, "use" for its effect on the model; empty otherwise.
        place: Position among the measures of `agree`.
        offered: The rows that are measures of heads for `agree`; by default those of the main grid.
        text: All rows of a run in several lines; by default the main grid and `line`.
        line: The result in one line; by default the cell of rank 1.
        report: Rows of no single layer as a table; None if there are none.
        pictures: The pictures of a run, the main one first.
        absent: Name of the picture of rows that are not a grid, and the public function that draws it; empty
            if there is none.
    """

    measure: str = "value"
    unit: str = ""
    metric_units: Mapping[str, str] = field(default_factory=dict)
    digits: int | None = 2
    range: str = ""
    difference: bool = False
    smaller: bool = False
    alone: tuple[str, ...] = ()
    normalised: Mapping[str, str] = field(default_factory=dict)
    variant: str = ""
    alike: bool = False
    best: str = "largest"
    best_alone: str = ""
    chosen: Mapping[str, str] = field(default_factory=dict)
    no_measure: tuple[str, ...] = ()
    counted: str = ""
    steps: tuple[str, ...] = ()
    ranked_on: str = ""
    kind: Literal["encoding", "use", ""] = ""
    place: int = 9
    offered: Select = main_rows
    text: Tell | None = None
    line: Tell | None = None
    report: Callable[[pd.DataFrame], Report] | None = None
    pictures: tuple[Picture, ...] = (Picture("grid", sweep="sheet"),)
    absent: tuple[str, str] = ("", "")

    def unit_of(self, metric: str, normalisation: str, values: ArrayLike = ()) -> NumberFormat:
        """The format of the values.

        Args:
            metric: Metric of their rows.
            normalisation: Normalisation of their rows; empty if there is none.
            values: All numbers that are written together, of any shape; they share a power of ten.
        """
        if self.difference:
            return difference_unit(metric, values)
        if normalisation:
            return NumberFormat()
        unit = self.metric_units.get(metric, self.unit)
        return fitted_unit(values, unit) if self.digits is None else NumberFormat(unit, digits=self.digits)

    def best_of(self, variant: str) -> str:
        """Words for the cell of rank 1 among rows of a variant."""
        return self.best_alone if variant in self.alone else self.best

    def range_of(self, normalisation: str, metric: str = "") -> str:
        """The smallest and largest possible value in words; empty if there is none."""
        if metric in self.metric_units:  # the range is that of the usual unit
            return ""
        return self.normalised.get(normalisation, self.range) if normalisation else self.range


@cache
def finding_of(analysis: str, plugin: str = "") -> Finding:
    """The finding of an analysis.

    Args:
        analysis: Name of the analysis.
        plugin: Module of the analysis, if it is not part of this package.

    Returns:
        The record `FINDING` of the analysis; a plain one if its module cannot be imported or has none.

    Raises:
        ProbingError: If `FINDING` is something else.
    """
    module = plugin or f"probing.analyses.{analysis}"
    try:
        found: Finding = import_module(module).FINDING
    except ImportError as error:
        if plugin:
            say = "analysis %s: %s; its values are shown without a unit; put the folder of %s on PYTHONPATH"
            log.warning(say, analysis, error, plugin.partition(".")[0])
        elif error.name != module:
            raise
        return Finding()
    except AttributeError:
        return Finding()
    if isinstance(found, Finding):
        return found
    kind = type(found).__name__
    raise ProbingError(f"{module}.FINDING is a {kind}; make it a probing.results.finding.Finding")


def finding_of_rows(rows: pd.DataFrame) -> Finding:
    """The finding of the analysis of some rows; the first row is read."""
    names = key_of(rows)
    return finding_of(names.analysis, names.plugin)


def smaller_is_more(rows: pd.DataFrame) -> pd.Series:
    """Return whether a smaller `value` means a larger effect of the head in each row; bool."""
    found = np.zeros(len(rows), dtype=bool)
    columns = rows.columns.intersection(["analysis", "plugin"])
    groups = rows.groupby(list(columns), sort=False, dropna=False).ngroup().to_numpy()
    for group in np.unique(groups):
        own = groups == group
        found[own] = _smaller(rows[own])
    return pd.Series(found, index=rows.index)


def _smaller(rows: pd.DataFrame) -> NDArray[np.bool_]:
    finding = finding_of_rows(rows)
    alone = rows["variant"].isin(finding.alone).to_numpy(dtype=bool)
    of_loss = rows["metric"].eq(LOSS).fillna(value=False).to_numpy(dtype=bool)
    return np.logical_xor(~of_loss if finding.difference else finding.smaller, alone)


def values_of(rows: pd.DataFrame) -> NumberFormat:
    """The format of the values of one grid."""
    names = key_of(rows)
    numbers = rows["value"].to_numpy(dtype=np.float64, na_value=np.nan)
    return finding_of(names.analysis, names.plugin).unit_of(names.metric, names.normalisation, numbers)
