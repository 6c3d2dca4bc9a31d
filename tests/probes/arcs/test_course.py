"""The progress of a search: it never goes back, and a search that has ended is done."""

from __future__ import annotations

from itertools import count

import pytest

from probing.io.progress import Progress
from probing.probes.arcs.course import STEPS, Course


def test_progress_follows_the_logarithm_of_the_excess(capsys: pytest.CaptureFixture[str]) -> None:
    clock = count(0, 100)
    progress = Progress("fitting", "passes", 2 * STEPS, clock=lambda: float(next(clock)))
    course = Course(progress, 1e-4)
    for excess in (1.0, 1e-2, 1e-1, 1e-4):
        course.note(excess)
    course.end()
    Course(progress, 1e-4).end()
    lines = capsys.readouterr().err.splitlines()
    shares = [line.split(":")[1].split(",")[0].strip() for line in lines]
    assert shares == ["0%", "25%", "25%", "50%", "50%", "100%"]
    assert lines[1].startswith("fitting: 25%, 0.01 passes/s")
    assert "remaining" in lines[1]
    assert course.passes == 4


def test_a_search_that_starts_at_the_minimum_is_progress_too() -> None:
    progress = Progress("fitting", "passes", STEPS)
    course = Course(progress, 1e-4)
    course.note(0.0)
    course.end()
    assert course.passes == 1
