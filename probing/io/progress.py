"""Progress of long work, with its rate, the elapsed and the remaining time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Never, Self

from tqdm import tqdm

from probing.io.log import quiet
from probing.io.streams import errors

SECONDS = 10.0
"""Shortest time between two lines where there is no terminal."""
_TERMINAL = "{desc} {percentage:3.0f}%|{bar:20}| {elapsed} elapsed, {remaining} remaining{postfix}"


class Progress:
    """A bar on a terminal, or else a line at most every ten seconds.

    The remaining time is estimated from `work`, for example characters, since items differ in cost. The rate
    is shown in items.
    """

    def __init__(self, what: str, items: str, work: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Start counting towards `work`; 0 if its amount is unknown."""
        self._what, self._items, self._work = what, items, work
        self._done = self._worked = 0
        self._clock = clock
        self._start = self._last = clock()
        self._bar = _bar(what, work) if errors().isatty() and not quiet() else None

    def add(self, items: int, work: int) -> None:
        """Count some items as done."""
        self._done += items
        self._worked += work
        now = self._clock()
        if self._bar is not None:
            self._bar.set_postfix_str(self._rate(now), refresh=False)
            self._bar.update(work)
        elif now - self._last >= SECONDS and not quiet():
            self._last = now
            errors().write(f"{self._line(now)}\n")
            errors().flush()

    def __enter__(self) -> Self:
        """Return the progress itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the bar, whether the work has ended or failed."""
        if self._bar is not None:
            self._bar.close()

    def _rate(self, now: float) -> str:
        rate = self._done / max(now - self._start, 1e-9)
        return f"{rate:,.0f} {self._items}/s" if rate >= 10 else f"{rate:.2g} {self._items}/s"

    def _line(self, now: float) -> str:
        elapsed = now - self._start
        times = f"{self._rate(now)}, {clock_time(elapsed)} elapsed"
        if not self._work:
            return f"{self._what}: {self._done:,} {self._items}, {times}"
        remaining = elapsed * max(self._work - self._worked, 0) / max(self._worked, 1)
        share = 100 * self._worked / self._work
        return f"{self._what}: {share:.0f}%, {times}, {clock_time(remaining)} remaining"


def about(seconds: float) -> str:
    """Return an estimated time in words, rounded: `about 4 min`."""
    if seconds < 10:
        return "under 10 s"
    if seconds < 90:
        return f"about {round(seconds, -1):.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 90 * 60 else f"about {seconds / 3600:.1f} h"


def clock_time(seconds: float) -> str:
    """Return a time as minutes and seconds, or as hours, minutes and seconds."""
    return tqdm.format_interval(seconds)


def _bar(what: str, work: int) -> tqdm[Never]:
    return tqdm(
        total=work, desc=what, file=errors(), leave=False, mininterval=0.2, delay=1.0, bar_format=_TERMINAL
    )
