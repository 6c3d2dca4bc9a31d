"""Progress: a line at most every ten seconds without a terminal, and a bar on one."""

from __future__ import annotations

import io
import logging
import re
import sys

import pytest

from probing.io.log import log_to_terminal
from probing.io.progress import Progress, about


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("step", "steps", "lines"), [(0.001, 5000, 0), (0.5, 100, 5), (3.0, 20, 5), (10.0, 6, 6), (25.0, 4, 4)]
)
def test_without_a_terminal_a_line_at_most_every_ten_seconds(
    capsys: pytest.CaptureFixture[str], step: float, steps: int, lines: int
) -> None:
    clock, shown, times = Clock(), 0, []
    with Progress("extracting", "texts", steps, clock) as progress:
        for _ in range(steps):
            clock.now += step
            progress.add(1, 1)
            written = capsys.readouterr().err
            assert "\r" not in written
            if written:
                shown += written.count("\n")
                times.append(clock.now)
    assert capsys.readouterr().err == ""
    assert shown == lines
    assert all(later - earlier >= 10 for earlier, later in zip([100.0, *times], times, strict=False))


def test_a_line_has_the_rate_and_the_elapsed_and_remaining_time(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Progress("extracting", "texts", 4000, clock) as progress:
        clock.now += 20
        progress.add(300, 1000)
    assert capsys.readouterr().err == "extracting: 25%, 15 texts/s, 00:20 elapsed, 01:00 remaining\n"
    with Progress("fetching x", "KiB", 0, clock) as progress:
        clock.now += 3700
        progress.add(2048, 2048 * 1024)
    assert capsys.readouterr().err == "fetching x: 2,048 KiB, 0.55 KiB/s, 1:01:40 elapsed\n"


def test_on_a_terminal_a_log_line_and_the_bar_do_not_share_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with log_to_terminal(), Progress("extracting", "texts", 10) as progress:
        progress._bar.delay = 0  # type: ignore[union-attr]
        progress._bar.mininterval = 0  # type: ignore[union-attr]
        progress.add(5, 5)
        logging.getLogger("probing.test").info("job 3 of 10")
        progress.add(1, 1)
    written = terminal.getvalue()
    assert "50%" in written
    (line,) = re.findall(r"([^\r\n]*)job 3 of 10\n", written)
    assert line == ""
    assert written.endswith("\r"), "the bar is left on the terminal"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "under 10 s"), (14, "about 10 s"), (88, "about 90 s"), (250, "about 4 min"), (9000, "about 2.5 h")],
)
def test_an_estimate_is_rounded(seconds: float, words: str) -> None:
    assert about(seconds) == words
