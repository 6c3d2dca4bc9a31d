"""Quantities of numbers: equal quantities can share a colour scale or be subtracted."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from probing.errors import ProbingError
from probing.results.chance import ABOVE_CHANCE
from probing.results.finding import finding_of
from probing.results.grid_key import GridKey, key_of
from probing.results.units import LOSS, difference_unit, metric_name, score_unit
from probing.tasks.target import COEFFICIENTS

_LABELS = ("", "readout", "classifier")
"""Objectives that predict the labels of the task (empty for a probe); others predict something else."""
_RANGES = {"mse": "from 0 up", LOSS: "from 0 up"}
_P = ("p", "p_adjusted")


@dataclass(frozen=True)
class Quantity:
    """The quantity in a column of numbers. Only equal quantities share a scale or can be subtracted.

    Attributes:
        kind: "score", "difference" (of scores or losses), "p", or the finding of an analysis, "gates".
        metric: Metric of the numbers; empty if they mean the same under every metric.
        unit: Unit, "%", "points", "nats"; may be empty.
        range: Smallest and largest possible value, in words.
        predicted: Objective of the model; empty if it predicts the labels of the task.
    """

    kind: str
    metric: str
    unit: str
    range: str
    predicted: str

    @property
    def scale(self) -> str:
        """A text that is the same for equal quantities and differs for others."""
        return "|".join((self.kind, self.metric, self.unit, self.range, self.predicted))

    @property
    def name(self) -> str:
        """The quantity in words, without unit and range, "Pearson correlation"."""
        metric = metric_name(self.metric)
        what = {"score": metric, "difference": f"difference in {metric}"}.get(self.kind, self.kind)
        return f"{what} of {self.predicted}" if self.predicted else what

    def __str__(self) -> str:
        """The quantity in words, "Pearson correlation (from -1 to 1)"."""
        said = ", ".join(filter(None, (self.unit, self.range)))
        return f"{self.name} ({said})" if said else self.name


def quantity(rows: pd.DataFrame, value: str = "test") -> Quantity:
    """The quantity of one column of rows of one grid.

    Args:
        rows: Result rows of one grid; the first is read.
        value: Name of the column.
    """
    return quantity_of(key_of(rows), value)


def quantity_of(names: GridKey, value: str) -> Quantity:
    """The quantity of the column `value` of rows that have these names."""
    family = names.objective.partition("[")[0]
    predicted = "" if family in _LABELS else family
    if value in _P:
        return Quantity("p", "", "", "from 0 to 1", "")
    if value == "value":
        return _found(names, predicted)
    if value == "selectivity":
        return _difference(names.metric, predicted)
    if value == ABOVE_CHANCE:
        return Quantity(
            "score above chance", names.metric, score_unit(names.metric).name, "up to 100", predicted
        )
    metric = value.removeprefix("test_") if value.startswith("test_") else names.metric
    return Quantity("score", metric, score_unit(metric).name, _range(metric), predicted)


def refuse_unlike(first: Quantity, second: Quantity, where: str) -> None:
    """Refuse to subtract different quantities, or to draw them on one scale.

    Args:
        first: The first quantity.
        second: The second quantity.
        where: Name of the compared grids, for the message.

    Raises:
        ProbingError: If the two quantities differ.
    """
    if first != second:
        raise ProbingError(f"{where}: {apart(first, second)}; compare their ranks with probing.correlations")


def apart(first: Quantity, second: Quantity) -> str:
    """The reason why two quantities can only be compared by rank, without a full stop."""
    names = [quantity.metric or quantity.kind for quantity in (first, second)]
    what = "{} and {}".format(*(names if names[0] != names[1] else (first.kind, second.kind)))
    return f"{what} cannot be compared number by number: {first} and {second} share no scale"


def _found(names: GridKey, predicted: str) -> Quantity:
    finding = finding_of(names.analysis, names.plugin)
    if finding.difference:
        return _difference(names.metric, predicted)
    variant = "" if finding.alike or names.variant == finding.variant else names.variant
    kind = ", ".join(filter(None, (names.analysis, variant, names.normalisation)))
    unit = finding.unit_of(names.metric, names.normalisation).name
    about = predicted if finding.unit == "nats" and finding.kind == "use" else ""
    return Quantity(
        kind,
        names.metric if finding.alike else "",
        unit,
        finding.range_of(names.normalisation, names.metric),
        about,
    )


def _difference(metric: str, predicted: str) -> Quantity:
    return Quantity("difference", metric, difference_unit(metric).name, "", predicted)


def _range(metric: str) -> str:
    return "from -1 to 1" if metric in COEFFICIENTS else _RANGES.get(metric, "from 0 to 100")
