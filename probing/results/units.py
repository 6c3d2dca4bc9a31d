"""Formats of the numbers in the frame: shares in percent, differences in points, losses in nats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from probing.tasks.target import COEFFICIENTS

LOSS = "loss"
_MINUS = "\N{MINUS SIGN}"
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


_METRICS = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "f1": "F1",
    "matthews": "Matthews correlation",
    "pearson": "Pearson correlation",
    "spearman": "Spearman correlation",
    "micro_f1": "micro F1",
    "exact_match": "exact matches",
}


@dataclass(frozen=True)
class NumberFormat:
    """The format of a number.

    Attributes:
        name: Unit after a number in running text: "%", "points", "nats"; may be empty.
        factor: Factor by which numbers are multiplied first.
        digits: Number of decimals.
        power: Power of ten by which numbers in cells and on axes are divided; `label` shows it.
        signed: Whether every number except 0 has a plus or minus sign.
    """

    name: str = ""
    factor: float = 1.0
    digits: int = 2
    power: int = 0
    signed: bool = False

    @property
    def label(self) -> str:
        """Unit of numbers in cells and on axes, "10⁻³ nats"; may be empty."""
        power = f"10{str(self.power).translate(_RAISED)}" if self.power else ""
        return " ".join(filter(None, (power, self.name)))

    def cell(self, number: float) -> str:
        """A number in a cell, without its unit."""
        return self._written(self.scaled(number), self.digits)

    def scaled(self, number: float) -> float:
        """A number in the unit of cells and axes."""
        return self.factor * number / 10.0**self.power

    def spoken(self, number: float) -> str:
        """A number in running text, with its unit."""
        return f"{self.told(number)} {self.name}".rstrip()

    def told(self, number: float) -> str:
        """A number in running text, without its unit and without a power of ten."""
        return self._written(self.factor * number, max(0, self.digits - self.power))

    def _written(self, number: float, digits: int) -> str:
        if not self.signed:
            return f"{number:.{digits}f}"
        text = f"{number:+.{digits}f}"
        return (text[1:] if float(text) == 0 else text).replace("-", _MINUS)


def score_unit(metric: str) -> NumberFormat:
    """The format of scores: shares in percent, coefficients from -1 to 1, losses in nats, others plain."""
    if metric in ("", "mse"):
        return NumberFormat(digits=3)
    if metric == LOSS:
        return NumberFormat("nats", digits=3)
    return NumberFormat() if metric in COEFFICIENTS else NumberFormat("%", factor=100.0, digits=1)


def difference_unit(metric: str, values: ArrayLike = ()) -> NumberFormat:
    """The format of differences between scores or losses.

    Args:
        metric: Metric of the scores: shares differ in points, losses in nats.
        values: All numbers that are written together, of any shape; losses share a power of ten.
    """
    if metric == LOSS:
        return fitted_unit(values, "nats", signed=True)
    if metric in COEFFICIENTS:
        return NumberFormat(digits=3, signed=True)
    return NumberFormat("points", factor=100.0, digits=1, signed=True)


def fitted_unit(values: ArrayLike, name: str, *, signed: bool = False) -> NumberFormat:
    """A format with three significant digits for the largest number, without leading zeros."""
    numbers = np.abs(np.asarray(values, dtype=np.float64))
    largest = float(numbers[np.isfinite(numbers)].max(initial=0.0))
    if largest == 0.0:
        return NumberFormat(name, signed=signed)
    exponent = int(np.floor(np.log10(largest)))
    power = 0 if 0 <= exponent < 3 else 3 * (exponent // 3)
    return NumberFormat(name, digits=int(np.clip(2 - exponent + power, 0, 2)), power=power, signed=signed)


def metric_name(metric: str) -> str:
    """The usual name of a metric."""
    return _METRICS.get(metric, metric)
