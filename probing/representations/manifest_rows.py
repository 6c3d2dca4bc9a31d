"""The columns that identify the unit of each row in a file."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from probing.tasks.task import Unit


def unit_columns(units: Sequence[Unit], ids: Sequence[str], prefix: str = "") -> dict[str, pa.Array]:
    """Return the id, text, start and end of the span, and second text of each unit.

    Args:
        units: One unit for each row.
        ids: Their ids, see `unit_id`.
        prefix: Prefix of the column names.
    """
    spans = [unit.span or (None, None) for unit in units]
    return {
        f"{prefix}id": pa.array(ids, pa.string()),
        f"{prefix}text": pa.array([unit.text for unit in units], pa.string()),
        f"{prefix}start": pa.array([start for start, _ in spans], pa.int32()),
        f"{prefix}end": pa.array([end for _, end in spans], pa.int32()),
        f"{prefix}second": pa.array([unit.second for unit in units], pa.string()),
    }
