"""Mask heads of an unmodified model: set them to zero or to their mean, or make their attention uniform."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, get_args

import pandas as pd
import torch
from torch import Tensor
from transformers import PreTrainedModel

from probing.errors import ProbingError
from probing.models.capture import capture, edit
from probing.models.default_inputs import default_inputs
from probing.models.fused import check_eager
from probing.models.head_frame import frame_of_vectors, vectors_of_frame
from probing.models.heads import Heads
from probing.models.recording import as_it_was
from probing.models.sites import Site
from probing.models.trace import find_sites
from probing.models.uniform import uniform_attention
from probing.validation.arguments import checked

How = Literal["zero", "mean", "uniform"]
MeanOutputs = Mapping[Site, Tensor]
"""float (heads, head_dim) for each site: the vectors that replace masked heads."""


@checked()
@contextmanager
def mask_heads(
    model: PreTrainedModel,
    heads: Iterable[tuple[int, int]],
    how: How = "zero",
    *,
    means: pd.DataFrame | MeanOutputs | None = None,
    stack: str | None = None,
    inputs: Mapping[str, Tensor] | None = None,
) -> Iterator[None]:
    """Mask heads of a model in every forward pass within the context; contexts nest.

    On entry, the model runs twice on a tiny input, to find its heads and to check that every given head is
    reached.

    Args:
        model: Any transformers model. It is not changed, and no hooks remain after the context.
        heads: (layer, head) of each head to mask, from 0.
        how: `zero` removes the head's output before the output projection (Michel et al. 2019, section 2.3);
            the bias and the residual stay. `mean` replaces the output with `means`. `uniform` makes the head
            attend equally to every visible position (Kovaleva et al. 2019), which needs eager attention.
        means: Mean outputs for `how="mean"`: the frame that `mean_outputs` returns.
        stack: `encoder`, `decoder` or `cross`, for a model that has several.
        inputs: Keyword arguments of the run on entry, for a model that does not run on a few tokens.

    Raises:
        ProbingError: If a head does not exist, is not reached, or cannot be masked in this way; if eager
            attention, which `uniform` needs, differs from fused attention.

    Example:
        >>> import torch
        >>> from transformers import BertConfig, BertModel
        >>> from probing import mask_heads
        >>> model = BertModel(BertConfig(vocab_size=100, num_hidden_layers=2)).eval()
        >>> ids = torch.tensor([[5, 6, 7]])
        >>> plain = model(ids).last_hidden_state
        >>> with mask_heads(model, [(0, 3), (1, 11)]):
        ...     masked = model(ids).last_hidden_state
        >>> torch.equal(plain, masked)
        False
        >>> torch.equal(plain, model(ids).last_hidden_state)
        True
    """
    given = default_inputs(model) if inputs is None else dict(inputs)
    found = Heads(find_sites(model, given).heads)
    if how == "uniform":
        check_eager(model, given)
    kept = torch.ones(1, len(found), dtype=torch.bool, device=model.device)
    kept[0, found.places(heads, stack)] = False
    fill = vectors_of_frame(found, means) if isinstance(means, pd.DataFrame) else means
    with masked(model, found, kept, how, fill):
        with as_it_was(model):
            model(**given)
        yield


@contextmanager
def masked(
    model: PreTrainedModel, heads: Heads, kept: Tensor, how: How = "zero", means: MeanOutputs | None = None
) -> Iterator[None]:
    """Mask different heads in each row of a batch.

    Args:
        model: Model in which the heads were found.
        heads: Heads of the model, N in total.
        kept: bool (rows or 1, N): False where a head is masked in a row of the batch.
        how: Kind of masking, as in `mask_heads`.
        means: Mean outputs, as in `mask_heads`.

    Raises:
        ProbingError: If a head cannot be masked in this way, or a forward pass does not reach it.
    """
    if how not in get_args(How):
        raise ProbingError(f"how={how!r} is unknown; choose one of {', '.join(get_args(How))}")
    if how == "uniform":
        with uniform_attention(model, heads, kept):
            yield
        return
    if how == "mean" and means is None:
        raise ProbingError('how="mean" needs mean outputs; pass means=mean_outputs(model, batches)')
    with gated(model, heads, kept, means if how == "mean" else None):
        yield


@contextmanager
def gated(
    model: PreTrainedModel, heads: Heads, gates: Tensor, fill: MeanOutputs | None = None
) -> Iterator[None]:
    """Replace every head's output O with g·O + (1 − g)·fill before the output projection.

    Args:
        model: Model in which the heads were found.
        heads: Heads of the model, N in total.
        gates: (rows or 1, N), g of every head, for each row of the batch or for all rows. A closed bool gate
            removes the output exactly, including NaN. Gradients flow into float gates.
        fill: Vectors that replace closed heads; None is zero.

    Raises:
        ProbingError: In a forward pass that does not reach a head, or has a different number of rows.
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
                f"{site}: gates have {gate.shape[0]} rows for a batch of {output.shape[0]}; give one per row"
            )
        other = torch.zeros((), dtype=output.dtype, device=output.device)
        if fill is not None:
            if site not in fill:
                raise ProbingError(f"means: none for {site}; pass what mean_outputs returns for all heads")
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
) -> pd.DataFrame:
    """Return the mean output of every head over the real tokens of a reference set.

    Args:
        model: Any transformers model.
        batches: Keyword arguments of forward passes; `attention_mask` marks the padding.
        heads: Heads to average; None for all.

    Returns:
        A row for each head, with the columns stack, layer and head of results, and the mean vector before
        the output projection as `feature_0`, `feature_1`, ..., float32.

    Raises:
        ProbingError: If there are no batches.

    Example:
        >>> import torch
        >>> from transformers import BertConfig, BertModel
        >>> from probing import mask_heads, mean_outputs
        >>> model = BertModel(BertConfig(vocab_size=100, num_hidden_layers=2)).eval()
        >>> ids = torch.tensor([[5, 6, 7, 8], [9, 10, 11, 12]])
        >>> means = mean_outputs(model, [{"input_ids": ids}])
        >>> means.shape  # 24 heads; stack, layer, head and 64 features
        (24, 67)
        >>> with mask_heads(model, [(0, 3)], how="mean", means=means):
        ...     masked = model(ids).last_hidden_state
    """
    heads = Heads(find_sites(model).heads) if heads is None else heads
    return frame_of_vectors(heads, site_means(model, batches, heads))


def site_means(
    model: PreTrainedModel, batches: Iterable[Mapping[str, Any]], heads: Heads
) -> dict[Site, Tensor]:
    """Return the same means by site, float32 (heads, head_dim) each, summed in float64."""
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
        raise ProbingError("mean_outputs: no batches; pass at least one batch of inputs to average over")
    return {site: (sums[site] / counts[site]).float() for site in heads.sites}


def _real(site: Site, output: Tensor, inputs: Mapping[str, Any]) -> Tensor:
    """Return bool (batch, seq), True where a position holds a token or if positions are not tokens."""
    name = "decoder_attention_mask" if site.stack == "decoder" else "attention_mask"
    mask = inputs.get(name)
    if mask is None or not site.aligned or mask.shape != output.shape[:2]:
        return torch.ones(output.shape[:2], dtype=torch.bool, device=output.device)
    real: Tensor = mask.bool().to(output.device)
    return real
