"""Work on a batch of units by as many threads as PyTorch may use."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import torch


def over_units(work: Callable[[slice], torch.Tensor], units: int, device: torch.device) -> torch.Tensor:
    """Do `work` for all units: on a CPU in shares, one for each thread of `torch.get_num_threads()`.

    Units are independent, so their threads never wait for each other. Threads inside every operation,
    PyTorch's own way, would meet thousands of times a fit, each time waiting for the slowest: on a
    machine that does something else besides, that costs a factor of ten. While the shares are worked
    on, operations of this process run on one thread each; then the setting is as it was.

    Args:
        work: Takes a range of units, returns its results with one row for each.
        units: Number of units.
        device: Where the work is done; an accelerator takes all units at once.

    Returns:
        The rows of all units.
    """
    threads = torch.get_num_threads()
    # with many cores and few units, threads inside the operations keep more of them busy
    if device.type != "cpu" or threads == 1 or 2 * units < threads or units == 1:
        return work(slice(0, units))
    shares = min(threads, units)
    ends = [round(i * units / shares) for i in range(shares + 1)]
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(shares) as pool:
            parts = list(pool.map(work, [slice(a, b) for a, b in pairwise(ends)]))
    finally:
        torch.set_num_threads(threads)
    return torch.cat(parts)
