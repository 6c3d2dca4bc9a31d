"""Columns of a table, from a file or a frame, and the place of each row."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from unicodedata import normalize

from probing.errors import ProbingError
from probing.validation.suggestions import suggest


@dataclass(frozen=True)
class DataTable:
    """Columns of plain values.

    Attributes:
        columns: Values by column, all of the same length; None for a missing value. Columns without a name
            are left out, except for a single one, which is called "".
        where: Source of the table, for messages.
        lines: Line of the file where each row starts, from 1; None if rows have no lines.
        base: Number of the first row if rows have no lines.
        doubt: Reason why a column may not be found: a description of the file, and the option that helps.
        class_names: Names of the classes, in order, of columns that declare them.
        rows: Number of each row in its source, from 1, if only a part of the source was read.
    """

    columns: Mapping[str, Sequence[Any]]
    where: str
    lines: Sequence[int] | None = None
    base: int = 1
    doubt: str = ""
    class_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rows: Sequence[int] | None = None

    def __len__(self) -> int:
        """Number of rows."""
        return len(next(iter(self.columns.values()), ()))

    def place(self, row: int) -> str:
        """Return the place of a row, as an editor or pandas counts."""
        if self.rows is not None:
            return f"{self.where}, row {self.rows[row]}"
        return (
            f"{self.where}, row {row + self.base}"
            if self.lines is None
            else f"{self.where}, line {self.lines[row]}"
        )

    def column(self, name: str, key: str) -> Sequence[Any]:
        """Return the values of the column that the option `key`, such as `task.label`, names.

        An accented letter may be written as one character or as two; both name the same column. A dot
        reaches into objects: `answers.text` is the member `text` of the column `answers`.

        Raises:
            ProbingError: If there is no such column.
        """
        if name in self.columns:
            return self.columns[name]
        same = [other for other in self.columns if normalize("NFC", other) == normalize("NFC", name)]
        if len(same) == 1:
            return self.columns[same[0]]
        inside = self._inside(name)
        if inside is None:
            there = self.doubt or suggest(name, self._names())
            raise ProbingError(f"{self.where}: there is no column {name!r}, which {key} names; {there}")
        return inside

    def _inside(self, name: str) -> Sequence[Any] | None:
        """Return the members of a column of objects, or None if no row has them."""
        first, *members = name.split(".")
        if first not in self.columns or not members:
            return None
        values = self.columns[first]
        for member in members:
            if not any(member in members_of(value) for value in values):
                return None
            values = [_member(value, member) for value in values]
        return values

    def _names(self) -> list[str]:
        """Return the names of all columns, those of objects with each of their members."""
        names = []
        for name, values in self.columns.items():
            some = next((members_of(value) for value in values if members_of(value)), ())
            names += [f"{name}.{member}" for member in some] or [name]
        return names


def named(names: Sequence[str], columns: Sequence[Sequence[Any]], where: str) -> dict[str, Sequence[Any]]:
    """Return columns by name; if several have no name, those are left out.

    Raises:
        ProbingError: If two have the same name, or none has one.
    """
    twice = next((name for at, name in enumerate(names) if name and name in names[:at]), None)
    if twice is not None:
        raise ProbingError(f"{where}: two columns are called {twice!r}; rename one")
    if not any(names):
        raise ProbingError(f"{where}: no column has a name; give the columns names")
    several = names.count("") > 1
    return {name: values for name, values in zip(names, columns, strict=True) if name or not several}


def members_of(value: Any) -> Collection[str]:  # noqa: ANN401
    """Return the names of the members of an object, or of the objects in a list."""
    first = value[0] if isinstance(value, list) and value else value
    return first.keys() if isinstance(first, dict) else ()


def _member(value: Any, name: str) -> Any:  # noqa: ANN401
    if isinstance(value, list):
        return [_member(item, name) for item in value]
    return plain(value.get(name)) if isinstance(value, dict) else None


def plain(value: Any) -> Any:  # noqa: ANN401
    """Return the value, or None for NaN, which is how pandas marks a missing value."""
    return None if isinstance(value, float) and math.isnan(value) else value
