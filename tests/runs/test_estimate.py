"""Estimates go by the earlier runs that are most alike."""

from __future__ import annotations

from typing import Any

import pytest

from probing.runs.effort import Work
from probing.runs.estimate import Cost, seconds

COST = Cost(Work("mine", "probe head logistic", 100, 1000), True, 500, 4000)


def note(model: str = "mine", kind: str = COST.work.kind, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """The record of a run of 10 s of extraction and 20 s of analysis."""
    made = {"model": model, "kind": kind, "weights": 100, "characters": 1000, "extracted": 1000}
    return {**made, "extracting": 10.0, "seconds": 20.0, **more}


PAST: list[tuple[str, list[dict[str, Any]], float | None]] = [
    ("nothing to go by", [], None),
    ("a record of another version", [{"seconds": 3}], None),
    ("the same model and kind, scaled by characters", [note()], 5 + 20),
    ("twice the characters", [note(characters=2000, extracted=2000)], 2.5 + 10),
    ("the median of several", [note(seconds=s) for s in (1.0, 20.0, 900.0)], 5 + 20),
    ("another kind counts only without the same one", [note(), note(kind="prune", seconds=900.0)], 5 + 20),
    ("another kind of the same model", [note(kind="prune", seconds=40.0)], 5 + 40),
    ("another model, scaled by its weights", [note("other", weights=50)], 10 + 40),
    ("another model counts only without the same one", [note(), note("other", weights=1)], 5 + 20),
    ("another model of unknown size", [note("other", weights=None)], None),
    ("all vectors were cached, so extraction is unknown", [note(extracted=0, extracting=0.0)], None),
    ("an interrupted run says nothing about its analysis", [note(seconds=None)], None),
]


@pytest.mark.parametrize(("past", "expected"), [row[1:] for row in PAST], ids=[row[0] for row in PAST])
def test_the_time_goes_by_the_runs_most_alike(past: list[dict[str, Any]], expected: float | None) -> None:
    assert seconds(COST, past) == (None if expected is None else pytest.approx(expected))


def test_a_run_on_cached_vectors_has_no_extraction() -> None:
    cached = Cost(COST.work, True, 0, 0)
    assert seconds(cached, [note(extracted=0, extracting=0.0)]) == pytest.approx(20)


def test_records_of_about_as_many_characters_count() -> None:
    work = COST.work
    small = [note(characters=work.characters // 100, seconds=20.0)] * 9
    alike = [note(characters=work.characters, seconds=30.0)] * 3
    cached = Cost(work, True, 0, 0)
    assert seconds(cached, small) == pytest.approx(2000)
    assert seconds(cached, [*small, *alike]) == pytest.approx(30)
