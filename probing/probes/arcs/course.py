"""The course of a search as progress: how far it is from the minimum."""

from __future__ import annotations

from math import log

from probing.io.progress import Progress

STEPS = 1000
"""Work of one search, as progress counts it."""


class Course:
    """Progress of one search, by the orders of magnitude by which the distance to the minimum has fallen.

    The number of passes that a search takes is not known before. Near a minimum the excess over it falls by
    about the same factor in each pass, so its logarithm says how much is left.
    """

    def __init__(self, progress: Progress, tolerance: float) -> None:
        """Start a search that ends at an excess of `tolerance`."""
        self._progress = progress
        self._tolerance = tolerance
        self._first = 0.0
        self._done = 0
        self.passes = 0

    def note(self, excess: float) -> None:
        """Count a pass over the data that finds this excess over the minimum."""
        self._first = self._first or max(excess, 2 * self._tolerance)
        share = log(self._first / max(excess, self._tolerance)) / log(self._first / self._tolerance)
        self._advance(1, int(STEPS * share))

    def end(self) -> None:
        """Count the search as finished."""
        self._advance(0, STEPS)

    def _advance(self, passes: int, reached: int) -> None:
        reached = max(reached, self._done)
        self._progress.add(passes, reached - self._done)
        self.passes += passes
        self._done = reached
