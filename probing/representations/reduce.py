"""The sites of a model that a request reads, and their reduction to a vector for each unit."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from transformers import PreTrainedModel

from probing.errors import ProbingError
from probing.models.default_inputs import decoder_of
from probing.models.heads import stack_name
from probing.models.sites import Kind, Site, Sites
from probing.representations.encode import EncodedBatch
from probing.representations.reductions.pooling import pool
from probing.representations.reductions.statistic import AttentionBatch
from probing.representations.request import Request


def sites_of(found: Sites, request: Request) -> Sequence[Site]:
    """Return the sites that a request reads, one for each layer.

    Raises:
        ProbingError: If the model does not give its attention weights, or has no such stack.
    """
    if request.site == "attention":
        sites = found.of(Kind.ATTENTION)
        chosen = [site for site in sites if stack_name(site) == request.stack]
        if not chosen:
            there = ", ".join(dict.fromkeys(repr(stack_name(site)) for site in sites))
            raise ProbingError(
                f"{found.model_type}: no attention in stack {request.stack!r}; the model has {there}"
            )
        return chosen
    return found.read(request.site)


def dim_of(site: Site, request: Request) -> int:
    """Number of features of one head's vector, or of columns of a statistic."""
    return site.head_dim if request.statistic is None else len(request.statistic.columns)


def reduced(states: Tensor, batch: EncodedBatch, request: Request) -> Tensor:
    """Reduce what one layer computed for a batch to a vector for each unit and head.

    Args:
        states: Head outputs (texts, seq, heads, head_dim), hidden states (texts, seq, features), or attention
            weights (texts, heads, queries, keys).
        batch: The batch on the same device.
        request: Site and reduction.

    Returns:
        (units, heads, dim); hidden states count as one head.
    """
    statistic = request.reduction
    if isinstance(statistic, str):
        states = states if states.dim() == 4 else states.unsqueeze(2)
        return pool(states, batch.tokens, statistic, batch.texts)
    values = statistic.reduce(AttentionBatch(states, batch.real, batch.tokens, batch.texts))
    wanted = (len(batch.tokens), states.shape[1], len(statistic.columns))
    if values.shape != wanted:
        raise ProbingError(
            f"statistic {statistic.name}: reduces to shape {tuple(values.shape)} instead of {wanted} (units, "
            "heads, columns); correct its reduce"
        )
    return values


def with_decoder(model: PreTrainedModel, batch: EncodedBatch) -> dict[str, Tensor]:
    """Return the inputs of an encoder-decoder model, whose decoder reads the same text after its start token.

    Raises:
        ProbingError: If the model has no decoder, or does not say how it starts.
    """
    shift = getattr(model, "prepare_decoder_input_ids_from_labels", None)
    if decoder_of(model) is None or shift is None:
        raise ProbingError(
            f"{model.config.model_type}: no decoder can be read here; request the attention of its only stack"
        )
    # position i of the decoder is that of token i, shifted by one: what is padding stays the same
    decoder = {
        "decoder_input_ids": shift(labels=batch.inputs["input_ids"]),
        "decoder_attention_mask": batch.real.long(),
    }
    return {**batch.inputs, **decoder}
