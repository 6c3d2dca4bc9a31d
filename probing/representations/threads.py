"""Choice of the fastest number of CPU threads; two threads on one core are slower than one."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from probing.representations.settings import cores

log = logging.getLogger(__name__)
ROUNDS = 3  # batches on which every candidate is tried


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Run with this many threads, then restore what was set before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def thread_candidates() -> tuple[int, ...]:
    """Return all cores, half of them, and one, in descending order."""
    return tuple(sorted({1, max(1, cores() // 2), cores()}, reverse=True))


class ThreadChoice:
    """A trial of thread counts, in turn, on the first batches of the actual work; the fastest is kept.

    Batches are sorted by length, so neighbours are similar, and nothing is computed only for the trial.
    """

    def __init__(self, candidates: Sequence[int]) -> None:
        """Set the counts to try; a single one is used without a trial."""
        self._candidates = tuple(candidates)
        self._seconds = dict.fromkeys(self._candidates, 0.0)
        self._tokens = dict.fromkeys(self._candidates, 0)
        self._batches = -1  # the first batch pays for allocation and does not count
        self._chosen = self._candidates[0] if len(self._candidates) == 1 else None

    @property
    def count(self) -> int:
        """Number of threads for the next batch."""
        if self._chosen is not None:
            return self._chosen
        return self._candidates[max(self._batches, 0) % len(self._candidates)]

    def note(self, tokens: int, seconds: float) -> None:
        """Record the time that a batch took with `count` threads."""
        if self._chosen is not None:
            return
        if self._batches >= 0:
            self._seconds[self.count] += seconds
            self._tokens[self.count] += tokens
        self._batches += 1
        if self._batches == ROUNDS * len(self._candidates):
            self._chosen = min(self._candidates, key=lambda count: self._seconds[count] / self._tokens[count])
            log.info("threads: %d is the fastest of %s here", self._chosen, self._candidates)
