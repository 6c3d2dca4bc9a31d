"""Files of earlier versions: their variants are taken apart into columns, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from probing.results.schema import COLUMNS
from probing.results.upgrade import upgraded
from tests.figures import found

NEW = ["plugin", "main", "fill", "normalisation", "penalty"]


def _ablation(row: pd.Series) -> str:
    fill = "" if row["fill"] == "zero" else f"[{row['fill']}]"
    return f"{row['variant']}{fill}{'.loss' if row['metric'] == 'loss' else ''}"


def _importance(row: pd.Series) -> str:
    return str(row["variant"]) + ("" if pd.isna(row["normalisation"]) else f".{row['normalisation']}")


def _gates(row: pd.Series) -> str:
    ends = {"gate": "", "open": ".open"}
    return f"lambda={row['penalty']:g}{ends[row['variant']]}" if row["variant"] in ends else row["variant"]


def _prune(row: pd.Series) -> str:
    return (
        f"{row['variant']}.{row['metric']}"
        if row["metric"] in {"parameters", "megabytes", "seconds"}
        else row["variant"]
    )


def as_before(frame: pd.DataFrame, variant: Callable[[pd.Series], str]) -> pd.DataFrame:
    """The rows as schema 5 wrote them."""
    names = frame.apply(variant, axis=1).astype("string")
    path = frame["variant"].eq("path").fillna(value=False)
    numbers = frame["penalty"].rank(method="dense").sub(1)
    before = frame.assign(
        variant=names,
        value=frame["value"].where(~path, frame["penalty"]),
        draw=frame["draw"].where(~path, numbers).astype("Int64"),
    )
    return before.drop(columns=NEW).rename(columns={"setup": "question"})


@pytest.mark.parametrize(
    ("frame", "variant"),
    [
        (found.ablation(), _ablation),
        (found.ablation(fill="mean"), _ablation),
        (found.importance(), _importance),
        (found.gates(), _gates),
        (found.prune(), _prune),
        (found.masking(12), lambda row: row["variant"]),
    ],
    ids=["ablation", "ablation-mean", "importance", "gates", "prune", "masking"],
)
def test_old_rows_become_the_rows_of_today(frame: pd.DataFrame, variant: Callable[[pd.Series], str]) -> None:
    found_again = upgraded(as_before(frame, variant), 5).astype(COLUMNS)[list(COLUMNS)]
    pd.testing.assert_frame_equal(found_again, frame[list(COLUMNS)].astype(COLUMNS))


def test_rows_of_probes_stay_as_they_are() -> None:
    frame = found.entropy()
    again = upgraded(frame.drop(columns=NEW).rename(columns={"setup": "question"}), 5).astype(COLUMNS)[
        list(COLUMNS)
    ]
    pd.testing.assert_frame_equal(again, frame)
