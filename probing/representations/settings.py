"""How vectors are computed; what they are is for the request to say."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

import torch

from probing.errors import ProbingError
from probing.validation.ranges import Count, Length, Positive, Threads, check_ranges

Dtype = Literal["float32", "bfloat16", "float16"]
Storage = Literal["float32", "float16"]
Kept = Literal["float32", "float16", "float64"]


@dataclass(frozen=True)
class ExtractConfig:
    """A choice in conf/extract.

    Attributes:
        device: `auto` takes a GPU where there is one; else as torch names devices (`cpu`, `cuda:1`).
        dtype: What the model computes in.
        storage: The precision in which vectors are kept; `float32` keeps what the model computed.
        threads: CPU threads; None measures on a few batches which count is fastest.
        batch_tokens: Most tokens, padding included, in one batch; None suits the device.
        max_length: Tokens after which a text is cut; None is the model's own limit.
        shard_mb: Vectors kept in memory before they are written, in MB; this bounds the memory.
        commit_seconds: Vectors are written at least this often; what a kill can cost.
    """

    device: str = "auto"
    dtype: Dtype = "float32"
    storage: Storage = "float32"
    threads: Threads | None = None
    batch_tokens: Count | None = None
    max_length: Length | None = None
    shard_mb: Count = 128
    commit_seconds: Positive = 60.0

    def __post_init__(self) -> None:
        """Refuse numbers out of their range."""
        check_ranges(self, "extract")

    def torch_device(self) -> torch.device:
        """The device to compute on.

        Raises:
            ProbingError: If it is not there.
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
        """Tokens in one batch: few on a CPU, where padding costs most, many on a GPU."""
        return self.batch_tokens or (512 if device.type == "cpu" else 32_768)


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
