"""Ranges of numbers that options may have, declared with the field: `Annotated[float, Range(0, 1)]`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from probing.errors import ProbingError

MOST = 2**63 - 1
"""The largest whole number that results can hold."""


@dataclass(frozen=True)
class Range:
    """The numbers from `low` to `high`, both included unless `open_low` or `open_high` leaves them out.

    Attributes:
        low: The lower end; None where there is none.
        high: The upper end; None where there is none.
        open_low: Whether `low` itself is outside.
        open_high: Whether `high` itself is outside.
        what: What a message asks for, if the ends do not say it well.
    """

    low: float | None = None
    high: float | None = None
    open_low: bool = False
    open_high: bool = False
    what: str = ""

    def check(self, value: float, where: str) -> None:
        """Refuse a number outside.

        Raises:
            ProbingError: Naming the option and the numbers that it takes.
        """
        too_low = self.low is not None and (value <= self.low if self.open_low else value < self.low)
        too_high = self.high is not None and (value >= self.high if self.open_high else value > self.high)
        if too_low or too_high:
            raise ProbingError(f"{where} is {shown(value)}; {self.what or f'give {self}'}")

    def __str__(self) -> str:
        """The range in words."""
        if self.high is None:
            return f"a number above {self.low:g}" if self.open_low else f"{self.low:g} or more"
        low = f"above {self.low:g}" if self.open_low else f"from {self.low:g}"
        return f"a number {low} {'to below' if self.open_high else 'to'} {shown(self.high)}"


def check_finite(value: float, where: str) -> None:
    """Refuse NaN and infinity, and whole numbers that no result can hold.

    Raises:
        ProbingError: Naming the option.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise ProbingError(f"{where} is {value}; give a finite number")
    if isinstance(value, int) and abs(value) > MOST:
        raise ProbingError(f"{where} is {shown(value)}; give a whole number below 2**63")


def shown(value: float) -> str:
    """A number as a message has it; whole ones of more than 20 digits are shortened."""
    if isinstance(value, int) and abs(value) >= 10**20:
        return f"a number of {len(str(abs(value)))} digits" if abs(value) < 10**4000 else "far too large"
    return str(value)


Seed = Annotated[int, Range(0, 2**32 - 1, what=f"give a whole number from 0 to {2**32 - 1}")]
Count = Annotated[int, Range(1)]
CountOrZero = Annotated[int, Range(0)]
Share = Annotated[float, Range(0, 1, open_low=True, what="give a share above 0, up to 1")]
Positive = Annotated[float, Range(0, open_low=True)]
ZeroOrMore = Annotated[float, Range(0)]
ZeroToOne = Annotated[float, Range(0, 1)]
Dropout = Annotated[float, Range(0, 1, open_high=True, what="give 0 or more, below 1")]
InnerShare = Annotated[float, Range(0, 1, True, True, "give a share between 0 and 1, such as 0.15")]
Folds = Annotated[int, Range(2)]
Layer = Annotated[int, Range(-1)]
Length = Annotated[int, Range(4, what="give at least 4 tokens")]
Threads = Annotated[int, Range(1, 1024, what="it must be positive, up to 1024")]
