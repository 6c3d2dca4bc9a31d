"""The names of a grid that determine the meaning of its numbers."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import pandas as pd


class Named(Protocol):
    """The names that identify the quantity of a grid; empty where they are missing."""

    @property
    def analysis(self) -> str:
        """Name of the analysis."""

    @property
    def plugin(self) -> str:
        """Module of the analysis, if it is not part of this package."""

    @property
    def metric(self) -> str:
        """Metric of the rows."""

    @property
    def variant(self) -> str:
        """Kind of row within the analysis."""

    @property
    def normalisation(self) -> str:
        """Normalisation of the value."""

    @property
    def objective(self) -> str:
        """Objective for which the model is used."""


class Names(NamedTuple):
    """The same names, read from a row."""

    analysis: str
    plugin: str
    metric: str
    variant: str
    normalisation: str
    objective: str


def names_of(rows: pd.DataFrame) -> Names:
    """The names of the first of some rows."""
    first = rows.iloc[0]
    known = (name in rows and not pd.isna(first[name]) for name in Names._fields)
    return Names(
        *(str(first[name]) if there else "" for name, there in zip(Names._fields, known, strict=True))
    )
