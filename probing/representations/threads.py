"""How many CPU threads are fastest here; two that share one core are slower than one."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from probing.representations.settings import cores

log = logging.getLogger(__name__)
ROUNDS = 3  # batches that every candidate is tried on


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
    """All cores, half of them, and one; the most first."""
    return tuple(sorted({1, max(1, cores() // 2), cores()}, reverse=True))


class ThreadChoice:
    """Tries thread counts on the first batches of the real work, in turns, then keeps the fastest.

    Batches come sorted by length, so that neighbours are alike; nothing is computed for the trial's sake.
    """

    def __init__(self, candidates: Sequence[int]) -> None:
        """Try these counts; a single one is taken without a trial."""
        self._candidates = tuple(candidates)
        self._seconds = dict.fromkeys(self._candidates, 0.0)
        self._tokens = dict.fromkeys(self._candidates, 0)
        self._batches = -1  # the first batch pays for allocation, and does not count
        self._chosen = self._candidates[0] if len(self._candidates) == 1 else None

    @property
    def count(self) -> int:
        """Threads for the next batch."""
        if self._chosen is not None:
            return self._chosen
        return self._candidates[max(self._batches, 0) % len(self._candidates)]

    def note(self, tokens: int, seconds: float) -> None:
        """Tell how long the batch took that ran with `count` threads."""
        if self._chosen is not None:
            return
        if self._batches >= 0:
            self._seconds[self.count] += seconds
            self._tokens[self.count] += tokens
        self._batches += 1
        if self._batches == ROUNDS * len(self._candidates):
            self._chosen = min(self._candidates, key=lambda count: self._seconds[count] / self._tokens[count])
            log.info("threads: of %s, %d is fastest here", self._candidates, self._chosen)
