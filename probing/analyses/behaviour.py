"""Tags of the behaviour of heads, from the surface statistics of their attention (Clark et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from probing.analyses.read_texts import Average, averaged
from probing.results.behaviours import TAGS

_Numbers = NDArray[np.float64]
NO_TAG = ""
"""The tag of a head that none of the rules applies to."""
_COLUMNS = {
    "next_token": "next",
    "previous_token": "previous",
    "broad": "share_of_uniform",
    "first_token": "first",
    "separator": "separator",
    "punctuation": "punctuation",
}
"""For each tag the column of the statistic `Surface`."""


def tags_of(columns: Mapping[str, _Numbers], average: Average, thresholds: Mapping[str, float]) -> list[str]:
    """Return the tag of each head; empty where no rule applies.

    Args:
        columns: Columns of the statistic `Surface`, float64 (texts, heads) each.
        average: Mean over texts, or over tokens.
        thresholds: The share from which on a head has a behaviour, by the names in `TAGS`.
    """
    found = np.full(columns["queries"].shape[1], NO_TAG, dtype=object)
    for tag, threshold in TAGS.items():
        share = averaged(columns[_COLUMNS[tag]], columns["queries"], average)[0]
        found[share >= thresholds[threshold]] = tag
    return list(found)
