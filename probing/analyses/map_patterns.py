"""Rules by which an attention map has one of the five patterns of Kovaleva et al. (2019)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probing.representations.reductions.visible import by_chance

_Numbers = NDArray[np.float64]
PATTERNS = ("vertical", "diagonal", "vertical_diagonal", "block", "heterogeneous")


@dataclass(frozen=True)
class Rules:
    """Thresholds of the excess over uniform attention, from 0 for uniform attention to 1 for the shape alone.

    The first rule that applies decides. `vertical_diagonal` needs both excesses above `part` and their sum
    above `mixed`, `vertical` and `diagonal` need one above `line`, and `block` needs its own above `block`.
    Any other map is `heterogeneous`.

    Attributes:
        line: Excess of a vertical or a diagonal map.
        part: Smallest excess of each of the two in a map with both.
        mixed: Smallest sum of the two in such a map.
        block: Excess of a map in blocks.
    """

    line: float = 0.5
    part: float = 0.25
    mixed: float = 0.6
    block: float = 0.6

    def patterns(self, columns: Mapping[str, _Numbers]) -> NDArray[np.int64]:
        """Return the pattern of each map as an index of `PATTERNS`, int64 (texts, heads).

        Args:
            columns: Columns of the statistic `Shapes`, float64 (texts, heads) each.
        """
        vertical, diagonal = (excess(columns, name, "queries") for name in ("vertical", "diagonal"))
        block = excess(columns, "block", "in_segments")
        both = (np.minimum(vertical, diagonal) >= self.part) & (vertical + diagonal >= self.mixed)
        rules = {
            "vertical_diagonal": both,
            "vertical": (vertical >= self.line) & (vertical >= diagonal),
            "diagonal": diagonal >= self.line,
            "block": block >= self.block,
        }
        numbers = [PATTERNS.index(name) for name in rules]
        return np.select(list(rules.values()), numbers, PATTERNS.index("heterogeneous"))


def excess(columns: Mapping[str, _Numbers], name: str, counted: str) -> _Numbers:
    """Return how far a share is above that of uniform attention, of how far it could be; 0 where it cannot.

    Args:
        columns: Columns of the statistic `Shapes`.
        name: The shape.
        counted: Column of the number of queries that its sum is over.
    """
    above = columns[name] - columns[by_chance(name)]
    room = columns[counted] - columns[by_chance(name)]
    return np.divide(above, room, out=np.zeros_like(above), where=room > 1e-9 * columns[counted].clip(1))
