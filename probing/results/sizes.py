"""The number of examples behind a result, in words."""

from __future__ import annotations

import numpy as np
import pandas as pd

SIZES = ("n_train", "n_dev", "n_test")
"""Columns of the result frame that count examples."""


def sizes_text(rows: pd.DataFrame) -> str:
    """The number of examples behind some rows, "n 1000 train, 500 dev, 500 test"; a range if rows differ.

    Args:
        rows: Result rows, or any frame with columns of `SIZES`; unknown sizes are left out.
    """
    parts = [f"{_ends(known)} {name[2:]}" for name in SIZES if (known := _known(rows, name))]
    return f"n {', '.join(parts)}" if parts else ""


def limit_text(rows: pd.DataFrame) -> str:
    """The limit of a quick look, "limit 200"; empty for a full run."""
    known = _known(rows, "limit")
    return f"limit {_ends(known)}" if known else ""


def counts_text(rows: pd.DataFrame) -> str:
    """The number of examples and the limit, "n 100 train, 50 dev, 50 test; limit 100"."""
    return "; ".join(filter(None, (sizes_text(rows), limit_text(rows))))


def _known(rows: pd.DataFrame, name: str) -> list[int]:
    if name not in rows:
        return []
    numbers = pd.to_numeric(rows[name], errors="coerce").dropna()
    return sorted(np.unique(numbers.to_numpy(dtype=np.int64)).tolist())


def _ends(numbers: list[int]) -> str:
    low, high = numbers[0], numbers[-1]
    return str(low) if low == high else f"{low} to {high}"
