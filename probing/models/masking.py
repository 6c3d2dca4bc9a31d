"""Take heads away from an unmodified model: zeroed, set to their mean, or given uniform attention."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, get_args

import torch
from torch import Tensor
from transformers import PreTrainedModel

from probing.errors import ProbingError
from probing.models.capture import capture, edit
from probing.models.default_inputs import default_inputs
from probing.models.fused import check_eager
from probing.models.heads import Heads
from probing.models.recording import as_it_was
from probing.models.sites import Site
from probing.models.trace import find_sites
from probing.models.uniform import uniform_attention
from probing.validation.arguments import checked

How = Literal["zero", "mean", "uniform"]
Means = Mapping[Site, Tensor]
"""float (heads, head_dim) of each site: what stands in the place of a masked head."""


@checked()
@contextmanager
def mask_heads(
    model: PreTrainedModel,
    heads: Iterable[tuple[int, int]],
    how: How = "zero",
    *,
    means: Means | None = None,
    stack: str | None = None,
    inputs: Mapping[str, Tensor] | None = None,
) -> Iterator[None]:
    """Mask heads of a model in every forward pass within the context; contexts nest.

    On entry the model runs twice on a tiny input, to find its heads and to make sure that every named one
    is reached.

    Args:
        model: Any transformers model; nothing of it is changed, and nothing is left attached.
        heads: (layer, head) of each, from 0.
        how: `zero` takes the head's output away before the output projection (Michel et al. 2019, section
            2.3), whose bias and the residual stay; `mean` puts `means` in its place; `uniform` lets it
            attend alike to all that it may see (Kovaleva et al. 2019), which needs eager attention.
        means: Of `how="mean"`, what `mean_outputs` gives.
        stack: `encoder`, `decoder` or `cross`, of a model that has several.
        inputs: Of the run on entry, for a model that does not run on a few tokens.

    Raises:
        ProbingError: If there is no such head, it is not reached, or it cannot be masked in this way; if
            eager attention, which `uniform` needs, is not what fused attention computes.
    """
    given = default_inputs(model) if inputs is None else dict(inputs)
    found = Heads(find_sites(model, given).heads)
    if how == "uniform":
        check_eager(model, given)
    kept = torch.ones(1, len(found), dtype=torch.bool, device=model.device)
    kept[0, found.places(heads, stack)] = False
    with masked(model, found, kept, how, means):
        with as_it_was(model):
            model(**given)
        yield


@contextmanager
def masked(
    model: PreTrainedModel, heads: Heads, kept: Tensor, how: How = "zero", means: Means | None = None
) -> Iterator[None]:
    """Mask other heads in every row of a batch.

    Args:
        model: The model in which the heads were found.
        heads: Its heads, N in all.
        kept: bool (rows or 1, N): False where a head is masked in a row of the batch.
        how: As of `mask_heads`.
        means: As of `mask_heads`.

    Raises:
        ProbingError: If a head cannot be masked in this way, or a forward pass does not reach it.
    """
    if how not in get_args(How):
        raise ProbingError(f"how={how!r}: mask with {', '.join(get_args(How))}")
    if how == "uniform":
        with uniform_attention(model, heads, kept):
            yield
        return
    if how == "mean" and means is None:
        raise ProbingError('masking with how="mean" needs means=mean_outputs(model, batches)')
    with gated(model, heads, kept, means if how == "mean" else None):
        yield


@contextmanager
def gated(model: PreTrainedModel, heads: Heads, gates: Tensor, fill: Means | None = None) -> Iterator[None]:
    """Let g·O + (1 − g)·fill enter the output projection in place of every head's output O.

    Args:
        model: The model in which the heads were found.
        heads: Its heads, N in all.
        gates: (rows or 1, N), g of every head, for each row of the batch or for all. Of bool, what is
            closed is gone exactly, NaN included; gradients flow into gates of floats.
        fill: What stands in for a closed head; None is zero.

    Raises:
        ProbingError: In a forward pass that does not reach a head, or of another number of rows.
    """
    exact = gates.dtype == torch.bool
    sites = [
        site
        for site in heads.sites
        if gates.requires_grad or not bool((gates[:, heads.slices[site]] == 1).all())
    ]

    def change(site: Site, output: Tensor) -> Tensor:
        gate = gates[:, None, heads.slices[site], None]
        if gate.shape[0] not in (1, output.shape[0]):
            raise ProbingError(
                f"{site}: gates of {gate.shape[0]} rows for a batch of {output.shape[0]}; give one for each"
            )
        other = torch.zeros((), dtype=output.dtype, device=output.device)
        if fill is not None:
            if site not in fill:
                raise ProbingError(f"means: none of {site}; give what mean_outputs gives for all heads")
            other = fill[site].to(output)
        if exact:
            return torch.where(gate, output, other)
        gate = gate.to(output.dtype)
        return gate * output if fill is None else gate * output + (1 - gate) * other

    with edit(model, sites, change):
        yield


@checked()
def mean_outputs(
    model: PreTrainedModel, batches: Iterable[Mapping[str, Any]], heads: Heads | None = None
) -> dict[Site, Tensor]:
    """The mean output of every head over the real tokens of a reference set.

    Args:
        model: Any transformers model.
        batches: Keyword arguments of forward passes; `attention_mask` says what is padding.
        heads: Which heads; None for all.

    Returns:
        float32 (heads, head_dim) for each site; float64 was summed.

    Raises:
        ProbingError: If there are no batches.
    """
    heads = Heads(find_sites(model).heads) if heads is None else heads
    sums: dict[Site, Tensor] = {}
    counts: dict[Site, int] = {}
    inputs: Mapping[str, Any] = {}

    def read(site: Site, output: Tensor) -> None:
        real = _real(site, output, inputs)
        chosen = output[real].double()
        sums[site] = sums.get(site, 0) + chosen.sum(0)
        counts[site] = counts.get(site, 0) + len(chosen)

    with capture(model, heads.sites, read) as run, torch.no_grad():
        for inputs in batches:
            run(**inputs)
    if not counts:
        raise ProbingError("mean_outputs: no batches; give some inputs to take the mean over")
    return {site: (sums[site] / counts[site]).float() for site in heads.sites}


def _real(site: Site, output: Tensor, inputs: Mapping[str, Any]) -> Tensor:
    """Which positions hold tokens, bool (batch, seq); all of them where positions are no tokens."""
    name = "decoder_attention_mask" if site.stack == "decoder" else "attention_mask"
    mask = inputs.get(name)
    if mask is None or not site.aligned or mask.shape != output.shape[:2]:
        return torch.ones(output.shape[:2], dtype=torch.bool, device=output.device)
    real: Tensor = mask.bool().to(output.device)
    return real
