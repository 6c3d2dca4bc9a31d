"""Settings of how vectors are computed. The request says which vectors."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

from probing.errors import ProbingError
from probing.io.lazy import torch
from probing.validation.ranges import Count, Positive, Threads, TokenLimit, check_ranges

Dtype = Literal["float32", "bfloat16", "float16"]
Storage = Literal["float32", "float16"]
Kept = Literal["float32", "float16", "float64"]


@dataclass(frozen=True)
class ExtractConfig:
    """Settings of the extraction, a choice in conf/extract.

    Attributes:
        device: `auto` uses a GPU if there is one; otherwise a device name of torch (`cpu`, `cuda:1`).
        dtype: Precision of the model's computation.
        storage: Precision of stored vectors; `float32` keeps what the model computed.
        threads: Number of CPU threads; None measures the fastest number on the first batches.
        batch_tokens: Maximum number of tokens in one batch, including padding; None depends on the device.
        max_length: Number of tokens after which a text is truncated; None is the model's own limit.
        shard_mb: Vectors held in memory before they are written, in MB. This bounds the memory.
        commit_seconds: Maximum time between two writes, in seconds, and the most work that an interruption
            loses.
    """

    device: str = "auto"
    dtype: Dtype = "float32"
    storage: Storage = "float32"
    threads: Threads | None = None
    batch_tokens: Count | None = None
    max_length: TokenLimit | None = None
    shard_mb: Count = 128
    commit_seconds: Positive = 60.0

    def __post_init__(self) -> None:
        """Reject numbers out of their range."""
        check_ranges(self, "extract")

    def check_device(self) -> None:
        """Refuse a device that is not there; PyTorch is imported only if that is in question.

        Raises:
            ProbingError: If it is not there.
        """
        if self.device not in {"auto", "cpu"}:
            self.torch_device()

    def torch_device(self) -> torch.device:
        """Return the device to compute on.

        Raises:
            ProbingError: If it is not available.
        """
        if self.device == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        try:
            device = torch.device(self.device)
            torch.ones(1, device=device).item()
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            reason = str(error).splitlines()[0].rstrip(".")
            raise ProbingError(
                f"extract.device={self.device} cannot be used here ({reason}); try auto"
            ) from error
        return device

    def token_budget(self, device: torch.device) -> int:
        """Return the number of tokens in one batch: few on a CPU, where padding costs most, many on a GPU."""
        return self.batch_tokens or (512 if device.type == "cpu" else 32_768)


def cores() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
