"""The model at work: batches in, pooled vectors out, nothing else kept."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from probing.errors import ProbingError
from probing.models.capture import capture
from probing.models.load import LoadedModel
from probing.models.sites import Site
from probing.models.trace import find_sites
from probing.representations.encode import Batch, Encoder
from probing.representations.pooling import pool
from probing.representations.request import Request
from probing.representations.settings import ExtractConfig
from probing.representations.shard import Vectors
from probing.representations.threads import fastest_threads, thread_candidates, torch_threads
from probing.tasks.task import Unit

log = logging.getLogger(__name__)
SAMPLE = 32  # texts that the thread count and the time are measured on
LARGE = 512  # texts from which on measuring threads is worth its time
HALF_RANGE = (1e-4, float(np.finfo(np.float16).max))  # below it half precision loses digits


@dataclass(frozen=True)
class Rows:
    """Pooled vectors of some units.

    Attributes:
        places: The units, as places in the list that was read.
        vectors: For each layer float16 or float32 (units, heads, head_dim).
        truncated: Those units whose text was cut.
    """

    places: tuple[int, ...]
    vectors: dict[int, Vectors]
    truncated: tuple[int, ...]


@dataclass(frozen=True)
class Pace:
    """How fast the model reads here.

    Attributes:
        threads: The number of CPU threads that was fastest.
        seconds: What reading all units will take, by estimate.
    """

    threads: int
    seconds: float


@dataclass(frozen=True)
class Reader:
    """A loaded model that is read as a request asks.

    Attributes:
        loaded: Model and tokenizer.
        request: Site, pooling and length limit.
        settings: Device, batch size and threads.
        chosen: The layers to read; None reads all.
    """

    loaded: LoadedModel
    request: Request
    settings: ExtractConfig
    chosen: tuple[int, ...] | None = None

    def restricted(self, layers: Sequence[int]) -> Reader:
        """The same reader for some layers only."""
        return replace(self, chosen=tuple(layers))

    @cached_property
    def sites(self) -> dict[int, Site]:
        """Where each layer is read."""
        found = find_sites(self.loaded.model)
        sites = found.heads if self.request.site == "head" else found.hidden
        by_layer = {site.layer: site for site in sites if not site.cross}
        return {k: v for k, v in by_layer.items() if self.chosen is None or k in self.chosen}

    @property
    def layout(self) -> dict[int, tuple[int, int]]:
        """For each layer its number of heads and head dimension."""
        return {layer: (site.heads, site.head_dim) for layer, site in self.sites.items()}

    @property
    def max_length(self) -> int | None:
        """Tokens after which a text is cut."""
        limits = [self.request.max_length, self.loaded.max_length]
        return min((limit for limit in limits if limit), default=None)

    def measure(self, units: Sequence[Unit]) -> Pace:
        """Time the model on texts of all lengths, with several thread counts if it is free to choose."""
        texts = sorted({unit.text for unit in units}, key=len)
        sample = [Unit(text) for text in texts[:: max(1, len(texts) // SAMPLE)]]
        batches = list(self.encoder().batches(sample))

        def work() -> None:
            for batch in batches:
                self.vectors(batch, sample)

        free = self.settings.threads is None and self._device.type == "cpu" and len(texts) >= LARGE
        candidates = thread_candidates() if free else (self.settings.threads or torch.get_num_threads(),)
        threads, seconds = fastest_threads(work, candidates)
        if free:
            log.info("%d of %s threads is fastest here", threads, "/".join(map(str, candidates)))
        share = sum(map(len, texts)) / sum(len(unit.text) for unit in sample)
        return Pace(threads, seconds * share)

    def read(self, units: Sequence[Unit], threads: int) -> Iterator[Rows]:
        """Run the model over all units.

        Yields:
            The vectors of one batch; batches come in no particular order of units.

        Raises:
            ProbingError: If a vector is not finite.
        """
        with torch_threads(threads):
            for batch in self.encoder().batches(units):
                yield Rows(batch.units, self.vectors(batch, units), batch.truncated)

    @property
    def _device(self) -> torch.device:
        return self.loaded.model.device

    def encoder(self) -> Encoder:
        """The tokenizer under this reader's limits."""
        budget = self.settings.token_budget(self._device)
        return Encoder(self.loaded.tokenizer, self._arguments, self.max_length, budget)

    @cached_property
    def _arguments(self) -> frozenset[str]:
        return frozenset(inspect.signature(self.loaded.model.forward).parameters)

    @cached_property
    def _options(self) -> dict[str, bool]:
        """Keys and values of past tokens are of no use here."""
        return {"use_cache": False} if "use_cache" in self._arguments else {}

    @torch.inference_mode()
    def vectors(self, batch: Batch, units: Sequence[Unit]) -> dict[int, Vectors]:
        """Run one batch; for each layer the vectors of its units, on the CPU.

        Raises:
            ProbingError: If a vector is not finite.
        """
        batch = batch.to(self._device)
        pooled: dict[int, Tensor] = {}

        def read(site: Site, states: Tensor) -> None:
            states = states if states.dim() == 4 else states.unsqueeze(2)
            pooled[site.layer] = pool(states, batch.tokens, self.request.pooling, batch.texts)

        with capture(self.loaded.model, tuple(self.sites.values()), read) as run:
            run(**batch.inputs, **self._options)
        return {layer: self._stored(layer, values, batch, units) for layer, values in pooled.items()}

    def _stored(self, layer: int, values: Tensor, batch: Batch, units: Sequence[Unit]) -> Vectors:
        """Half precision where it can hold the values, single precision where it cannot."""
        array: Vectors = values.float().cpu().numpy()
        if not np.isfinite(array).all():
            row, head, _ = np.argwhere(~np.isfinite(array))[0]
            raise ProbingError(
                f"layer {layer} head {head}: the vector of {units[batch.units[row]].text[:60]!r} is not "
                f"finite (NaN or infinity); try extract.dtype=float32, or check the model's weights"
            )
        size = np.abs(array)
        fits = size.max() <= HALF_RANGE[1] and size.mean() >= HALF_RANGE[0]
        return array.astype(np.float16) if fits else array
