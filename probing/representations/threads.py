"""How many CPU threads are fastest here; two that share one core are slower than one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch

from probing.representations.settings import cores


@contextmanager
def torch_threads(count: int | None) -> Iterator[None]:
    """Run with this many threads, then restore what was set before; None changes nothing."""
    before = torch.get_num_threads()
    if count:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def thread_candidates() -> tuple[int, ...]:
    """All cores, half of them, and one; the most first."""
    return tuple(sorted({1, max(1, cores() // 2), cores()}, reverse=True))


def fastest_threads(
    work: Callable[[], None], candidates: Sequence[int], repeats: int = 2
) -> tuple[int, float]:
    """Time one piece of work with each of some thread counts, in turns.

    Returns:
        The fastest count and the seconds that the work takes with it.
    """
    work()  # the first call pays for allocation
    seconds = dict.fromkeys(candidates, float("inf"))
    for _ in range(repeats if len(candidates) > 1 else 1):
        for count in candidates:
            with torch_threads(count):
                start = time.perf_counter()
                work()
                seconds[count] = min(seconds[count], time.perf_counter() - start)
    best = min(candidates, key=lambda count: seconds[count])
    return best, seconds[best]
