"""Bounds of numbers and lists, declared in the hint of a field or argument: `Annotated[int, Range(1)]`.

The same declarations are used for configurations when they are converted, for dataclasses when they are made
(`check_ranges`), and for arguments of the public functions (`probing.validation.arguments`).
"""

from __future__ import annotations

import math
import types
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from probing.errors import ProbingError

MOST = 2**63 - 1
"""Largest whole number that fits in results."""


class Bound(ABC):
    """A bound in a type hint, which refuses some values of the type."""

    @abstractmethod
    def check(self, value: Any, where: str, within: Sequence[Any] | None = None) -> None:  # noqa: ANN401
        """Refuse a value outside the bound.

        Args:
            value: A number, or a list of numbers.
            where: Option, for messages.
            within: List that the value is an entry of, for messages.

        Raises:
            ProbingError: If so. The message names the option and the expected values.
        """


@dataclass(frozen=True)
class Range(Bound):
    """The numbers from `low` to `high`, both included unless `open_low` or `open_high` leaves them out.

    Attributes:
        low: Lower end; None if there is none.
        high: Upper end; None if there is none.
        open_low: Whether `low` itself is outside.
        open_high: Whether `high` itself is outside.
        what: Wording of the remedy in messages, if the ends alone are unclear.
    """

    low: float | None = None
    high: float | None = None
    open_low: bool = False
    open_high: bool = False
    what: str = ""

    def check(self, value: float, where: str, within: Sequence[float] | None = None) -> None:
        """Refuse a number outside, NaN and infinity among them; see `Bound.check`."""
        above = self.low is None or (value > self.low if self.open_low else value >= self.low)
        below = self.high is None or (value < self.high if self.open_high else value <= self.high)
        if not (above and below):  # NaN is neither
            seen = shown(value) if within is None else f"[{', '.join(map(shown, within))}]"
            raise ProbingError(f"{where} is {seen}; {self.what or f'give {self}'}")
        check_finite(value, where)

    def __str__(self) -> str:
        """Return the range in words."""
        if self.high is None:
            return f"a number above {self.low:g}" if self.open_low else f"{self.low:g} or more"
        low = f"above {self.low:g}" if self.open_low else f"from {self.low:g}"
        return f"a number {low} {'to below' if self.open_high else 'to'} {shown(self.high)}"


@dataclass(frozen=True)
class AtLeast(Bound):
    """Counts with a minimum."""

    least: int

    def check(self, value: int, where: str, within: Sequence[int] | None = None) -> None:
        """Refuse a smaller number; see `Bound.check`."""
        del within
        if value < self.least:
            raise ProbingError(f"{where}={shown(value)} is too few; give at least {self.least}")


@dataclass(frozen=True)
class Most(Bound):
    """Numbers with a maximum whose cost is already large, so that a typing error cannot run for days."""

    most: int

    def check(self, value: int, where: str, within: Sequence[int] | None = None) -> None:
        """Refuse a larger number; see `Bound.check`."""
        del within
        if value > self.most:
            raise ProbingError(f"{where} is {shown(value)}; {_costly(self.most)}")


@dataclass(frozen=True)
class Entries(Bound):
    """Lists that are not empty.

    Attributes:
        most: Maximum number of entries; None if it is not limited.
        distinct: Whether every entry must be different.
        what: Wording of the remedy in messages.
    """

    most: int | None = None
    distinct: bool = False
    what: str = "name some"

    def check(self, value: Sequence[Any], where: str, within: Sequence[Any] | None = None) -> None:
        """Refuse a list that is empty, too long, or has duplicates; see `Bound.check`."""
        del within
        if not value:
            raise ProbingError(f"{where} is empty; {self.what}")
        if self.most is not None and len(value) > self.most:
            raise ProbingError(f"{where} has {len(value):,} entries; {_costly(self.most)}")
        if self.distinct and len(set(value)) < len(value):
            raise ProbingError(f"{where} is {list(value)}; {self.what}")


def check_ranges(settings: Any, group: str) -> None:  # noqa: ANN401
    """Refuse values of a dataclass that are outside the bounds declared with its fields.

    Args:
        settings: The dataclass, whose `__post_init__` makes this call.
        group: Config group, such as `probe`, for messages.

    Raises:
        ProbingError: If so. The message names the option and the expected values.
    """
    for name, hint in _declared(type(settings)).items():  # type: ignore[arg-type]  # classes can be hashed
        check_bounds(hint, getattr(settings, name), f"{group}.{name}")


def check_bounds(hint: Any, value: Any, where: str, within: Sequence[Any] | None = None) -> None:  # noqa: ANN401
    """Refuse a value outside the bounds that a type hint declares for it or for its entries.

    Args:
        hint: A type; an optional type has no alternative except None.
        value: A value of that type.
        where: Option, for messages.
        within: List that the value is an entry of, for messages.

    Raises:
        ProbingError: If so. The message names the option and the expected values.
    """
    origin, inner = get_origin(hint), get_args(hint)
    if value is None or not _has_bounds(hint):
        return
    if origin is Annotated:
        for bound in _bounds(hint):
            bound.check(value, where, within)
        check_bounds(inner[0], value, where, within)
    elif origin is tuple:
        for entry in value:
            check_bounds(inner[0], entry, where, value)
    elif origin in {Union, types.UnionType}:
        for option in inner:
            check_bounds(option, value, where, within)


def hints_of(thing: type[Any] | Callable[..., Any]) -> dict[str, Any]:
    """Return the type hints of a class or function; names imported only for type checkers become Any."""
    unknown: dict[str, Any] = {}
    while True:
        try:
            return get_type_hints(thing, localns=unknown, include_extras=True)
        except NameError as error:
            unknown[str(error.name)] = Any


@cache
def _declared(cls: type[Any]) -> dict[str, Any]:
    """Return the hints of a class that declare bounds."""
    return {name: hint for name, hint in hints_of(cls).items() if _has_bounds(hint)}


def _bounds(hint: Any) -> list[Bound]:  # noqa: ANN401
    return [each for each in getattr(hint, "__metadata__", ()) if isinstance(each, Bound)]


def _has_bounds(hint: Any) -> bool:  # noqa: ANN401
    return bool(_bounds(hint)) or any(map(_has_bounds, get_args(hint)))


def check_finite(value: float, where: str) -> None:
    """Refuse NaN and infinity, and whole numbers that do not fit in results.

    Raises:
        ProbingError: If so. The message names the option.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise ProbingError(f"{where} is {value}; give a finite number")
    if isinstance(value, int) and abs(value) > MOST:
        raise ProbingError(f"{where} is {shown(value)}; give a whole number below 2**63")


def shown(value: float) -> str:
    """Return a number as shown in messages; whole numbers of more than 20 digits are shortened."""
    if isinstance(value, int) and abs(value) >= 10**20:
        return f"a number of {len(str(abs(value)))} digits" if abs(value) < 10**4000 else "far too large"
    return str(value)


def _costly(most: int) -> str:
    return f"give at most {most:,}, since the cost grows with it"


Seed = Annotated[int, Range(0, 2**32 - 1, what=f"give a whole number from 0 to {2**32 - 1}")]
Count = Annotated[int, Range(1)]
CountOrZero = Annotated[int, Range(0)]
Draws = Annotated[int, Range(1, 1_000_000, what="give 1 to 1,000,000")]
Share = Annotated[float, Range(0, 1, open_low=True, what="give a share above 0, up to 1")]
Positive = Annotated[float, Range(0, open_low=True)]
ZeroOrMore = Annotated[float, Range(0, what="give numbers from 0 up")]
ZeroToOne = Annotated[float, Range(0, 1)]
Tolerance = Annotated[float, Range(0, 1, open_low=True)]
Dropout = Annotated[float, Range(0, 1, open_high=True, what="give 0 or more, below 1")]
InnerShare = Annotated[float, Range(0, 1, True, True, "give a share between 0 and 1, such as 0.15")]
Folds = Annotated[int, Range(2, what="give at least 2"), Most(100)]
Layer = Annotated[int, Range(-1)]
TokenLimit = Annotated[int, Range(4, what="give at least 4 tokens")]
Threads = Annotated[int, Range(1, 1024, what="it must be positive, up to 1024")]
Iterations = Annotated[int, Range(1), Most(1_000_000)]
Penalties = Annotated[tuple[Positive, ...], Entries(100, True, "give one or more different positive numbers")]
