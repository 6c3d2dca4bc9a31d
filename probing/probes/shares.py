"""Work on a batch of units by as many threads as PyTorch may use."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

from probing.io.lazy import torch

T = TypeVar("T")


def over_units(
    work: Callable[[slice], T], units: int, device: torch.device, most: int | None = None
) -> list[T]:
    """Do `work` for all units: on a CPU in shares, one for each thread of `torch.get_num_threads()`.

    Units are independent, so their threads never wait for each other. Threads inside every operation,
    PyTorch's own way, would meet thousands of times a fit, each time waiting for the slowest: on a
    machine that does something else besides, that costs a factor of ten. While the shares are worked
    on, operations of this process run on one thread each; then the setting is as it was.

    Args:
        work: Takes a range of units. What it hands to `over_units` itself is done in its own thread.
        units: Number of units.
        device: Where the work is done; an accelerator takes all units at once.
        most: Shares at most; 1 for operations so small that threads would wait for the interpreter.

    Returns:
        What `work` returned for each range, in order.
    """
    threads = torch.get_num_threads()
    # with many cores and few units, threads inside the operations keep more of them busy
    few = most is None and (2 * units < threads or units == 1)
    if device.type != "cpu" or threads == 1 or few:
        return [work(slice(0, units))]
    shares = min(threads, units, most or units)
    ends = [round(i * units / shares) for i in range(shares + 1)]
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(shares) as pool:
            return list(pool.map(work, [slice(a, b) for a, b in pairwise(ends)]))
    finally:
        torch.set_num_threads(threads)
