"""Distribution of work on a batch of units over PyTorch's threads."""

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
    """Run `work` on all units, on a CPU in one share for each thread of `torch.get_num_threads()`.

    Units are independent, so their threads never wait for each other. PyTorch's own threads inside every
    operation would synchronise thousands of times per fit, each time waiting for the slowest. On a machine
    that is busy with something else, that costs a factor of ten. While the shares are processed, operations
    of this process run on one thread each. The setting is restored afterwards.

    Args:
        work: Function of a range of units. Nested calls of `over_units` run in the same thread.
        units: Number of units.
        device: Device of the computation; an accelerator gets all units at once.
        most: Maximum number of shares; 1 for operations so small that threads would wait for the interpreter.

    Returns:
        Results of `work` for each range, in order.
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
