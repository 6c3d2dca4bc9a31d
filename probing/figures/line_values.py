"""The numbers along lines: scores of a metric, or the values that an analysis found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike

from probing.figures.findings import measure_of
from probing.figures.line_plot import score_axis
from probing.figures.naming import minus, spoken, value_name
from probing.figures.scale import TickLabels, plain_labels, share_labels, unit_labels
from probing.results.finding import finding_of
from probing.results.grid_key import GridKey
from probing.results.units import NumberFormat, metric_name
from probing.tasks.target import COEFFICIENTS

VALUE = "value"


@dataclass(frozen=True)
class LineValues:
    """Names and formats of the numbers of one column.

    Attributes:
        keys: Keys of the panels.
        value: The column, such as "test", or "value" for what an analysis found.
        unit: Format of the numbers; None for scores, whose format follows from the metric.
    """

    keys: Sequence[GridKey]
    value: str
    unit: NumberFormat | None = None

    @classmethod
    def of(cls, keys: Sequence[GridKey], value: str, numbers: ArrayLike) -> LineValues:
        """Return the names and formats of some numbers."""
        if value != VALUE:
            return cls(keys, value)
        first = keys[0]
        finding = finding_of(first.analysis, first.plugin)
        return cls(keys, value, finding.unit_of(first.metric, first.normalisation, numbers))

    def name(self, key: GridKey | None = None) -> str:
        """The quantity of one panel, or of all."""
        if self.unit is not None:
            label = f" ({self.unit.label})" if self.unit.label else ""
            return f"{measure_of(self.keys)}{label}"
        metrics = dict.fromkeys(each.metric for each in self.keys)
        metric = key.metric if key is not None else self.keys[0].metric
        one = key is not None or len(metrics) == 1
        return f"{value_name(self.value)} {metric_name(metric) if one else 'score'}"

    def spoken(self, number: float, key: GridKey) -> str:
        """A number in running text, with its unit."""
        return spoken(number, key.metric) if self.unit is None else self.unit.spoken(number)

    @property
    def labels(self) -> TickLabels:
        """Labels of the ticks of a colour bar."""
        if self.unit is not None:
            return unit_labels(self.unit)
        coefficients = {each.metric for each in self.keys} <= set(COEFFICIENTS)
        return plain_labels if coefficients else share_labels

    def number(self, axes: Axes, metric: str) -> None:
        """Number the axis of a panel."""
        if self.unit is None:
            score_axis(axes, metric)
            return
        write = unit_labels(self.unit)
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10], min_n_ticks=3))
        ticks = np.asarray(axes.yaxis.get_majorticklocs(), dtype=float).tolist()
        named = dict(zip(ticks, write(ticks), strict=True))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda tick, _: minus(named.get(tick, ""))))
