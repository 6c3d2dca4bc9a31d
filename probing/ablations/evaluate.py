"""Evaluation of a model under many masks, without computing anything below a masked head twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from probing.ablations.shortcut import Shortcut, find_shortcut
from probing.errors import ProbingError
from probing.io.progress import Progress
from probing.models.broken import not_finite
from probing.models.fused import check_eager
from probing.models.masking import How, MeanOutputs, gated, masked
from probing.models.sites import Site
from probing.objectives.objective import Batch, Evaluator, Output, plain
from probing.representations.threads import ThreadChoice, thread_candidates, torch_threads

# tokens of all masks in one pass; more would not fit the caches of a CPU
CPU_TOKENS, GPU_TOKENS = 2048, 65_536


@dataclass(frozen=True)
class Answers:
    """Predictions of a model for the examples of a split under each of k masks.

    Attributes:
        rows: int64 (n,), indices of the examples in the task, ascending.
        loss: float64 (k, n), summed over all predictions for an example.
        answer: float64 (k, n), the class or score, or the number of correct tokens of a language model.
    """

    rows: NDArray[np.int64]
    loss: NDArray[np.float64]
    answer: NDArray[np.float64]

    def scores(self, ready: Evaluator) -> list[dict[str, float]]:
        """Return the scores under each mask, by metric."""
        pairs = zip(self.loss, self.answer, strict=True)
        return [ready.score(self.rows, loss, answer) for loss, answer in pairs]


@dataclass(frozen=True)
class MaskedEvaluator:
    """Evaluation of a model under masks of its heads.

    Attributes:
        ready: The model and its objective.
        how: Replacement of a masked head's output.
        means: Mean outputs for `how="mean"`.
        threads: Number of CPU threads; None finds the fastest number.
        shortcuts: Whether passes may start at the lowest masked layer, where the family allows it.
    """

    ready: Evaluator
    how: How = "zero"
    means: MeanOutputs | None = None
    threads: int | None = None
    shortcuts: bool = True

    def answers(self, split: str, gates: NDArray[np.bool_] | NDArray[np.float64]) -> Answers:
        """Run all examples of a split under every mask.

        Args:
            split: `dev` or `test`.
            gates: (k, N), whether each of the model's heads is kept, or a gate that multiplies its output.

        Raises:
            ProbingError: If a head cannot be masked this way.
        """
        if gates.dtype != bool and self.how == "uniform":
            raise ProbingError("uniform attention takes only open or closed gates; use zero or mean")
        batches = self.ready.batches(split)
        count = sum(len(batch.rows) for batch in batches)
        rows, found = np.empty(count, np.int64), np.empty((2, len(gates), count))
        choice, start = _threads(self.ready, self.threads), 0
        if self.how == "uniform" and batches:
            check_eager(self.ready.model, batches[0].inputs)
        with torch.inference_mode():
            # uniform attention changes the computation before a head's output
            usable = self.shortcuts and self.how != "uniform" and len(gates) > 1
            shortcut = find_shortcut(self.ready) if usable else None
            with Progress("masking", "examples", count * len(gates)) as progress:
                for batch in batches:
                    stop, begun = start + len(batch.rows), time.perf_counter()
                    rows[start:stop] = batch.rows
                    with torch_threads(choice.count):
                        found[:, :, start:stop] = self._batch(batch, torch.from_numpy(gates), shortcut)
                    choice.note(batch.size, time.perf_counter() - begun)
                    progress.add(len(gates) * (stop - start), len(gates) * (stop - start))
                    start = stop
        if np.isnan(found[0]).any():
            dtype = str(self.ready.model.dtype).removeprefix("torch.")
            raise ProbingError(f"the model's loss is NaN with some heads masked; {not_finite(dtype)}")
        order = np.argsort(rows, kind="stable")
        return Answers(rows[order], found[0][:, order], found[1][:, order])

    def _batch(self, batch: Batch, gates: Tensor, shortcut: Shortcut | None) -> NDArray[np.float64]:
        """Return losses and predictions for one batch; float64 (2, k, b)."""
        found = np.empty((2, len(gates), len(batch.rows)))
        if shortcut is not None and not shortcut.record(batch):
            shortcut = None
        for site, chosen in self._by_lowest(gates):
            for some in np.array_split(chosen, -(-len(chosen) // self._at_once(batch))):
                output = self._run(batch, gates[some], site, shortcut)
                for number, values in enumerate((output.loss, output.answer)):
                    found[number, some] = plain(values).reshape(len(some), -1)
        return found

    def _run(self, batch: Batch, gates: Tensor, site: Site, shortcut: Shortcut | None) -> Output:
        copies = len(gates)
        of_rows = gates.to(self.ready.model.device).repeat_interleave(len(batch.rows), 0)
        heads = self.ready.heads
        with ExitStack() as stack:
            if gates.dtype == torch.bool:
                stack.enter_context(masked(self.ready.model, heads, of_rows, self.how, self.means))
            else:
                fill = self.means if self.how == "mean" else None
                stack.enter_context(gated(self.ready.model, heads, of_rows, fill))
            if shortcut is not None:
                stack.enter_context(shortcut.from_site(site, batch, copies))
            return self.ready.run(batch.repeated(copies))

    def _by_lowest(self, gates: Tensor) -> Iterator[tuple[Site, NDArray[np.int64]]]:
        """Yield masks grouped by the first site that they change; masks without effect are in the last."""
        sites = self.ready.heads.sites
        first = np.full(len(gates), len(sites) - 1)
        for number in reversed(range(len(sites))):
            closed = (gates[:, self.ready.heads.slices[sites[number]]] != 1).any(1).numpy()
            first[closed] = number
        for number in np.unique(first):
            yield sites[number], np.flatnonzero(first == number)

    def _at_once(self, batch: Batch) -> int:
        """Return the number of masks that run together."""
        budget = CPU_TOKENS if self.ready.model.device.type == "cpu" else GPU_TOKENS
        return max(1, budget // batch.size)


@lru_cache(maxsize=1)
def _threads(ready: Evaluator, wanted: int | None) -> ThreadChoice:
    """Return the trial of thread counts, shared by all evaluations of a model."""
    if wanted:
        return ThreadChoice((wanted,))
    on_cpu = ready.model.device.type == "cpu"
    return ThreadChoice(thread_candidates() if on_cpu else (torch.get_num_threads(),))
