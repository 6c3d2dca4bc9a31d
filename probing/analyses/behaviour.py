"""Tags of the behaviour of heads, from the surface statistics of their attention (Clark et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probing.analyses.read_texts import Average, averaged

_Numbers = NDArray[np.float64]
NO_TAG = ""
"""The tag of a head that none of the rules applies to."""
_RULES = (
    ("next", "next", "position"),
    ("previous", "previous", "position"),
    ("broad", "share_of_uniform", "broad"),
    ("first", "first", "kind"),
    ("separator", "separator", "kind"),
    ("punctuation", "punctuation", "kind"),
)
TAGS = tuple(tag for tag, _, _ in _RULES)
"""All tags; a later one replaces an earlier one, as in the code of Clark et al."""


@dataclass(frozen=True)
class Thresholds:
    """Shares above which a head gets a tag.

    Attributes:
        position: Attention to the next or the previous token.
        kind: Attention to the first token, to separators, or to punctuation.
        broad: Entropy as a share of that of uniform attention.
    """

    position: float = 0.5
    kind: float = 0.6
    broad: float = 0.78

    def tags(self, columns: Mapping[str, _Numbers], average: Average) -> list[str]:
        """Return the tag of each head; empty where no rule applies.

        Args:
            columns: Columns of the statistic `Surface`, float64 (texts, heads) each.
            average: Mean over texts, or over tokens.
        """
        found = np.full(columns["queries"].shape[1], NO_TAG, dtype=object)
        for tag, name, threshold in _RULES:
            share = averaged(columns[name], columns["queries"], average)[0]
            found[share > getattr(self, threshold)] = tag
        return list(found)
