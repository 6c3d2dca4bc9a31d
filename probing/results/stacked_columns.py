"""Result rows made of whole columns, which is fast for the many rows of pairs of heads."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from probing.results.schema import COLUMNS


def rows_of_columns(columns: Mapping[str, object], count: int) -> pd.DataFrame:
    """Return rows in the columns, order and types of the schema; absent columns are missing.

    Args:
        columns: For each column a value for all rows, or an array with one for each.
        count: Number of rows.
    """
    return pd.DataFrame(dict(columns), index=range(count), columns=list(COLUMNS)).astype(COLUMNS)
