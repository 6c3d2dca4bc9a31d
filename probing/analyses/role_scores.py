"""Scores of heads for roles, from sums over texts, and the roles that follow from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probing.representations.reductions.token_roles import (
    FOLLOWED,
    QUERIES,
    REPEATED,
    TokenRoles,
    at,
)
from probing.representations.reductions.visible import by_chance
from probing.results.behaviours import ROLES
from probing.statistics.ratios import ratio

_Numbers = NDArray[np.float64]
Columns = Mapping[str, _Numbers]
"""The columns of a statistic, float64 (texts, heads) each."""


@dataclass(frozen=True)
class Score:
    """A number for each head of a layer; all arrays are (heads,).

    Attributes:
        name: Name of the score.
        value: float64, the score.
        low: float64, lower end of its 95 % interval over texts.
        high: float64, upper end.
        chance: float64, the score of a head that knows nothing.
        role: The role of heads whose score is at least the threshold; empty if there is none.
        threshold: float64.
        offset: int64, the relative position that is scored; None if there is none.
        direction: From which of two words the other is searched; empty if there are none.
    """

    name: str
    value: _Numbers
    low: _Numbers
    high: _Numbers
    chance: _Numbers
    role: str = ""
    threshold: _Numbers | None = None
    offset: NDArray[np.int64] | None = None
    direction: str = ""

    @property
    def reached(self) -> NDArray[np.bool_]:
        """The heads that have the role, bool (heads,)."""
        return np.zeros(len(self.value), bool) if self.threshold is None else self.value >= self.threshold

    def rows(self) -> Iterator[dict[str, object]]:
        """Yield the columns of each head in the result frame."""
        for head, value in enumerate(self.value.tolist()):
            yield {
                "variant": self.name, "metric": "share", "direction": self.direction or None, "head": head,
                "main": bool(self.role) or self.name == "confidence", "value": value,
                "value_low": self.low[head], "value_high": self.high[head], "chance": self.chance[head],
                "threshold": None if self.threshold is None else self.threshold[head],
                "offset": None if self.offset is None else int(self.offset[head]),
            }  # fmt: skip


def roles_of(scores: Sequence[Score], heads: int) -> list[str]:
    """Return the roles of each head, separated by blanks, in the order of `ROLES`."""
    found = {role: np.zeros(heads, bool) for role in ROLES}
    for score in scores:
        if score.role:
            found[score.role] |= score.reached
    return [" ".join(role for role in ROLES if found[role][head]) for head in range(heads)]


def share(
    columns: Columns, column: str, counted: str, name: str, threshold: float | None = None
) -> Iterator[Score]:
    """Yield the score of a sum per query; nothing if no text has such a query.

    Args:
        columns: Sums of texts.
        column: Name of the sum.
        counted: Name of the column that counts its queries.
        name: Name of the score, and of the role if there is a threshold.
        threshold: The score from which on a head has the role.
    """
    counts = columns[counted]
    if not counts.any():
        return
    value, low, high = ratio(columns[column], counts)
    chance = ratio(columns[by_chance(column)], counts)[0]
    if threshold is None:
        yield Score(name, value, low, high, chance)
    else:
        yield Score(name, value, low, high, chance, name, np.full(len(value), threshold))


def positional(columns: Columns, statistic: TokenRoles, threshold: float) -> Iterator[Score]:
    """Yield the share of queries whose highest weight is at its most frequent offset, the nearest of ties."""
    counts = columns[QUERIES]
    if not counts.any():
        return
    sums = np.stack([columns[at(offset)] for offset in statistic.offsets])
    even = np.stack([columns[by_chance(at(offset))] for offset in statistic.offsets])
    best = sums.sum(1).argmax(0)
    heads = np.arange(counts.shape[1])
    value, low, high = ratio(sums[best, :, heads].T, counts)
    chance = ratio(even[best, :, heads].T, counts)[0]
    offset = np.array(statistic.offsets)[best]
    yield Score("positional", value, low, high, chance, "positional", np.full(len(heads), threshold), offset)


def of_tokens(columns: Columns, statistic: TokenRoles, thresholds: Mapping[str, float]) -> Iterator[Score]:
    """Yield the scores that are read from the texts of a task."""
    yield from share(columns, "largest", QUERIES, "confidence")
    yield from positional(columns, statistic, thresholds["positional"])
    names = {
        "previous_token": "previous",
        "first_token": "first",
        "delimiter": "delimiter",
        "broad": "share_of_uniform",
    }
    for name, column in names.items():
        yield from share(columns, column, QUERIES, name, thresholds[name])


def of_copies(columns: Columns) -> Iterator[Score]:
    """Yield the weights of earlier copies, and of the tokens after them, in the texts of a task."""
    yield from share(columns, "duplicate", REPEATED, "duplicate_token_texts")
    if not columns["ahead"].any():
        yield from share(columns, "induction", FOLLOWED, "induction_texts")


def of_repeated(columns: Columns, thresholds: Mapping[str, float]) -> Iterator[Score]:
    """Yield the scores that are read from repeated random tokens.

    A layer that sees later tokens has no induction: there, the token after an earlier copy is a relative
    position like any other.
    """
    yield from share(columns, "duplicate", REPEATED, "duplicate_token", thresholds["duplicate_token"])
    yield from share(columns, "duplicate_highest", REPEATED, "duplicate_token_highest")
    if not columns["ahead"].any():
        yield from share(columns, "induction", FOLLOWED, "induction", thresholds["induction"])
        yield from share(columns, "induction_highest", FOLLOWED, "induction_highest")


def of_words(columns: Columns, thresholds: Mapping[str, float]) -> Iterator[Score]:
    """Yield the scores of words."""
    yield from share(columns, "word_largest", "words", "confidence_words")
    yield from share(columns, "target", "aware", "rare_token", thresholds["rare_token"])
