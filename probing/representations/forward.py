"""A loaded model, read at the sites of one request."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from probing.errors import ProbingError
from probing.models.attended import output_factors
from probing.models.broken import not_finite
from probing.models.loading import LoadedModel
from probing.models.sites import Site
from probing.models.trace import find_sites
from probing.representations.encode import EncodedBatch, Encoder
from probing.representations.reduce import Reducer, layout_of, sites_of
from probing.representations.reductions.against import AgainstReference
from probing.representations.reductions.statistic import AcrossLayers
from probing.representations.reductions.token_batch import TokenBatch
from probing.representations.request import Request
from probing.representations.second_model import SecondModel
from probing.representations.settings import ExtractConfig
from probing.representations.shard import Vectors
from probing.representations.threads import thread_candidates
from probing.tasks.task import Unit

PAIRS = 128
"""Pairs of tokens for each token of the budget; texts of up to 128 tokens fill a batch as for vectors."""


@dataclass(frozen=True)
class PooledRows:
    """Pooled vectors of some units.

    Attributes:
        places: Positions of the units in the list that was read.
        vectors: For each layer (units, heads, head_dim), float32 as computed by the model, or in the
            precision of the cache; statistics of attention are float64 (units, heads, columns). NaN in the
            rows of `missing`, which come last in each batch.
        truncated: The units whose text was truncated.
        missing: The units that were cut off with it, and words without a token; they have no vector.
    """

    places: tuple[int, ...]
    vectors: dict[int, Vectors]
    truncated: tuple[int, ...]
    missing: tuple[int, ...] = ()


@dataclass(frozen=True)
class ModelReader:
    """A loaded model, read at the site of a request.

    Attributes:
        loaded: Model and tokenizer.
        request: Site, reduction and length limit.
        settings: Device, batch size and threads.
        sites: The site of each layer of the model.
        layers: The layers that are read.
    """

    loaded: LoadedModel
    request: Request
    settings: ExtractConfig
    sites: Mapping[int, Site]
    layers: tuple[int, ...]

    @classmethod
    def of(cls, loaded: LoadedModel, request: Request, settings: ExtractConfig) -> ModelReader:
        """Prepare to read all layers of a model.

        Raises:
            ProbingError: If the model has no such site.
        """
        sites = sites_of(find_sites(loaded.model), request)
        by_layer = {site.layer: site for site in sites}
        return cls(loaded, request, settings, by_layer, tuple(by_layer))

    def restricted(self, layers: Sequence[int]) -> ModelReader:
        """Return the same reader for some layers only."""
        return replace(self, layers=tuple(layers))

    @cached_property
    def layout(self) -> dict[int, tuple[int, int]]:
        """Number of heads of each layer that is read, and its head dimension or number of columns."""
        return {layer: self._whole_layout[layer] for layer in self.layers}

    @cached_property
    def _whole_layout(self) -> dict[int, tuple[int, int]]:
        return layout_of(tuple(self.sites.values()), self.request)

    @cached_property
    def visited(self) -> tuple[Site, ...]:
        """The sites that are visited: for a statistic across layers those of all earlier layers too."""
        if not isinstance(self.request.reduction, AcrossLayers):
            return tuple(self.sites[layer] for layer in self.layers)
        return tuple(site for layer, site in self.sites.items() if layer <= max(self.layers))

    @cached_property
    def factors(self) -> dict[Site, Tensor]:
        """The factors of the output projections, for a statistic of attention weighted by values."""
        return output_factors(self.loaded.model, self.visited)

    @cached_property
    def _second(self) -> SecondModel | None:
        """The model whose attention is compared, for a statistic against a reference."""
        statistic = self.request.reduction
        if not isinstance(statistic, AgainstReference):
            return None
        return SecondModel.of(statistic.reference, self.loaded, self.visited, self.request.stack)

    @property
    def max_length(self) -> int | None:
        """Number of tokens after which a text is truncated."""
        return self.loaded.limit(self.request.max_length)

    def thread_candidates(self) -> tuple[int, ...]:
        """Return the numbers of threads to choose from."""
        if self.settings.threads:
            return (self.settings.threads,)
        return thread_candidates() if self._device.type == "cpu" else (torch.get_num_threads(),)

    @property
    def _device(self) -> torch.device:
        return self.loaded.model.device

    def encoder(self) -> Encoder:
        """Return an encoder with this reader's limits."""
        budget = self.settings.token_budget(self._device)
        return Encoder(
            self.loaded.tokenizer,
            self._arguments,
            self.max_length,
            budget,
            padding=self.loaded.padding,
            pair_budget=None if self.request.statistic is None else self._pair_budget(budget),
        )

    def _pair_budget(self, tokens: int) -> int:
        """Return the pairs of tokens in a batch; weights that are kept across layers share the memory."""
        kept = len(self.visited) if isinstance(self.request.reduction, AcrossLayers | AgainstReference) else 1
        return max(1, PAIRS * tokens // kept)

    @cached_property
    def _arguments(self) -> frozenset[str]:
        return frozenset(inspect.signature(self.loaded.model.forward).parameters)

    @cached_property
    def options(self) -> dict[str, bool]:
        """Options of the forward pass; keys and values of past tokens are not used here."""
        return {"use_cache": False} if "use_cache" in self._arguments else {}

    def reducer(self, batch: EncodedBatch, inputs: TokenBatch | None) -> Reducer:
        """Return the reduction of one batch, on the device of the model."""
        second = {} if self._second is None else self._second.weights(batch, self.options)
        return Reducer(batch, self.request, self._whole_layout, inputs, reference=second)

    def checked(
        self, found: Mapping[int, Tensor], batch: EncodedBatch, units: Sequence[Unit]
    ) -> dict[int, Vectors]:
        """Return the vectors of a batch on the CPU.

        Args:
            found: Vectors of the visited layers.
            batch: The batch.
            units: The units that the batch was made of.

        Raises:
            ProbingError: If a vector is not finite.
        """
        return {layer: self._checked(layer, found[layer], batch, units) for layer in self.layers}

    def no_vectors(self) -> dict[int, Vectors]:
        """Return the vectors of no units."""
        shapes = {layer: (0, *shape) for layer, shape in self.layout.items()}
        if self.request.statistic is None:
            return {layer: np.empty(shape, dtype=np.float32) for layer, shape in shapes.items()}
        return {layer: np.empty(shape, dtype=np.float64) for layer, shape in shapes.items()}

    def _checked(self, layer: int, values: Tensor, batch: EncodedBatch, units: Sequence[Unit]) -> Vectors:
        """Return the same values on the CPU; raise if one is not finite.

        Vectors are float32, which holds every supported dtype; statistics stay float64.
        """
        statistic = self.request.statistic
        array: Vectors = (values.float() if statistic is None else values.double()).cpu().numpy()
        if not np.isfinite(array).all():
            row, head, _ = np.argwhere(~np.isfinite(array))[0]
            what = "vector" if statistic is None else f"{statistic.name} of attention"
            raise ProbingError(
                f"layer {layer} head {head}: the {what} of {units[batch.units[row]].text[:60]!r} is not "
                f"finite (NaN or infinity); {not_finite(self.request.dtype)}"
            )
        return array
