"""The columns in which files say which unit of text a row stands for."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from probing.tasks.task import Unit


def unit_columns(units: Sequence[Unit], ids: Sequence[str], prefix: str = "") -> dict[str, pa.Array]:
    """Id, text, start and end of the span, and second text of each unit.

    Args:
        units: One for each row.
        ids: Their names, see `unit_id`.
        prefix: Prefix of the names of the columns.
    """
    spans = [unit.span or (None, None) for unit in units]
    return {
        f"{prefix}id": pa.array(ids, pa.string()),
        f"{prefix}text": pa.array([unit.text for unit in units], pa.string()),
        f"{prefix}start": pa.array([start for start, _ in spans], pa.int32()),
        f"{prefix}end": pa.array([end for _, end in spans], pa.int32()),
        f"{prefix}second": pa.array([unit.second for unit in units], pa.string()),
    }
