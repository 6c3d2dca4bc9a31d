"""The sites of a model that a request reads, and their reduction to a vector for each unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from torch import Tensor

from probing.errors import ProbingError
from probing.models.heads import stack_name
from probing.models.sites import Kind, Site, Sites
from probing.representations.encode import EncodedBatch
from probing.representations.reductions.pooling import pool
from probing.representations.reductions.statistic import AcrossLayers, AttentionBatch
from probing.representations.reductions.token_batch import TokenBatch
from probing.representations.request import Request


def sites_of(found: Sites, request: Request) -> Sequence[Site]:
    """Return the sites that a request reads, one for each layer.

    Raises:
        ProbingError: If the model does not give its attention weights, or has no such stack.
    """
    if request.site == "attention":
        # weights and values are read together, where a head is projected
        sites = found.of(Kind.HEAD if request.weighted else Kind.ATTENTION)
        chosen = [site for site in sites if stack_name(site) == request.stack]
        if not chosen:
            there = ", ".join(dict.fromkeys(repr(stack_name(site)) for site in sites))
            raise ProbingError(
                f"{found.model_type}: no attention in stack {request.stack!r}; the model has {there}"
            )
        return chosen
    return found.read(request.site)


def layout_of(sites: Sequence[Site], request: Request) -> dict[int, tuple[int, int]]:
    """Return the number of heads of each layer, and the size of the vector of one head.

    The size is the head dimension, the number of columns of a statistic, or the number of heads up to the
    layer for a statistic across layers.
    """
    if isinstance(request.reduction, AcrossLayers):
        upto = {site.layer: sum(each.heads for each in sites if each.layer <= site.layer) for site in sites}
        return {site.layer: (site.heads, upto[site.layer]) for site in sites}
    columns = None if request.statistic is None else len(request.statistic.columns)
    return {site.layer: (site.heads, site.head_dim if columns is None else columns) for site in sites}


@dataclass(frozen=True)
class Reducer:
    """The reduction of one batch, layer by layer in order of execution.

    Attributes:
        batch: The batch, on the device of the model.
        request: Site and reduction.
        layout: Shape of the outcome of each layer.
        inputs: The tokens of the texts; None where vectors are pooled.
        earlier: What a statistic across layers has kept of the layers so far.
        reference: The attention weights of a second model on the batch, layer by layer.
    """

    batch: EncodedBatch
    request: Request
    layout: Mapping[int, tuple[int, int]]
    inputs: TokenBatch | None = None
    earlier: dict[int, Tensor] = field(default_factory=dict)
    reference: Mapping[int, Tensor] = field(default_factory=dict)

    @cached_property
    def _across(self) -> AcrossLayers | None:
        statistic = self.request.reduction
        return statistic if isinstance(statistic, AcrossLayers) else None

    def __call__(self, site: Site, states: Tensor, shared: dict[str, Any] | None = None) -> Tensor:
        """Reduce what one layer computed to a vector for each unit and head.

        Args:
            site: The site of the layer.
            states: Head outputs (texts, seq, heads, head_dim), hidden states (texts, seq, features), or
                attention weights (texts, heads, queries, keys).
            shared: What reductions of the same states have computed, see `AttentionBatch`.

        Returns:
            (units, heads, dim); hidden states count as one head.

        Raises:
            ProbingError: If a statistic returns another shape.
        """
        batch, statistic = self.batch, self.request.reduction
        if isinstance(statistic, str):
            states = states if states.dim() == 4 else states.unsqueeze(2)
            return pool(states, batch.tokens, statistic, batch.texts)
        attention = AttentionBatch(
            states, batch.real, batch.tokens, batch.texts, self.inputs, site.layer, self.earlier,
            self.reference.get(site.layer), batch.second, {} if shared is None else shared,
        )  # fmt: skip
        if self._across is not None:
            self.earlier[site.layer] = self._across.keep(attention)
        values = statistic.reduce(attention)
        wanted = (len(batch.tokens), *self.layout[site.layer])
        if values.shape != wanted:
            raise ProbingError(
                f"statistic {statistic.name}: reduces to shape {tuple(values.shape)} instead of {wanted} "
                "(units, heads, columns); correct its reduce"
            )
        return values
