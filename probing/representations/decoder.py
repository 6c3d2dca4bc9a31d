"""The input of a decoder: the same text after its start token, so each token is one position later."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from transformers import PreTrainedModel

from probing.errors import ProbingError
from probing.models.default_inputs import decoder_of
from probing.representations.encode import EncodedBatch
from probing.representations.reductions.token_batch import NOWHERE, TokenBatch, last_tokens
from probing.representations.request import Stack
from probing.representations.tokens import START


def arguments_of(model: PreTrainedModel, batch: EncodedBatch, stack: Stack) -> dict[str, Tensor]:
    """Return the arguments of the forward pass; with a stack, also those of the decoder.

    Raises:
        ProbingError: If a stack is named, and the model has no decoder, or does not say how it starts.
    """
    return with_decoder(model, batch) if stack else batch.inputs


def with_decoder(model: PreTrainedModel, batch: EncodedBatch) -> dict[str, Tensor]:
    """Return the inputs of an encoder-decoder model, whose decoder reads the same text after its start token.

    Raises:
        ProbingError: If the model has no decoder, or does not say how it starts.
    """
    return {**batch.inputs, **decoder_inputs(model, batch.inputs["input_ids"], batch.real)}


def decoder_inputs(model: PreTrainedModel, ids: Tensor, real: Tensor) -> dict[str, Tensor]:
    """Return the arguments of a decoder that reads the encoder's text after its start token.

    Args:
        model: An encoder-decoder model.
        ids: int64 (texts, length), the ids that the encoder reads.
        real: bool (texts, length), the tokens that are not padding.

    Raises:
        ProbingError: If the model has no decoder, or does not say how it starts.
    """
    shift = getattr(model, "prepare_decoder_input_ids_from_labels", None)
    if decoder_of(model) is None or shift is None:
        raise ProbingError(
            f"{model.config.model_type}: no decoder can be read here; request the attention of its only stack"
        )
    # position i of the decoder is that of token i, shifted by one: what is padding stays the same
    return {"decoder_input_ids": shift(labels=ids), "decoder_attention_mask": real.long()}


def units_after_start(batch: EncodedBatch) -> EncodedBatch:
    """Return a batch whose units are marked where a decoder reads them.

    A decoder does not read the last token of its text. A word or span with this token becomes `missing`, and
    a unit that is the whole text keeps all positions.

    Args:
        batch: Texts and units as the encoder reads them.
    """
    rows = slice(None) if batch.texts is None else batch.texts
    real = batch.real[rows]
    whole = (batch.tokens == real).all(1)
    last, second = last_tokens(batch.real)[rows], batch.second
    lost = (batch.tokens & last).any(1) & ~whole
    tokens = torch.where(whole.unsqueeze(1), real, _later(batch.tokens, real, filler=False))
    if second is not None:
        lost |= (second & last).any(1)
        second = _later(second, real, filler=False)
    texts = torch.arange(len(batch.units)) if batch.texts is None else batch.texts
    kept = (~lost).nonzero().squeeze(1).tolist()
    return replace(
        batch,
        units=tuple(batch.units[row] for row in kept),
        tokens=tokens[kept],
        texts=texts[kept] if lost.any() else batch.texts,
        missing=(*batch.missing, *(batch.units[row] for row in lost.nonzero().squeeze(1).tolist())),
        second=None if second is None else second[kept],
    )


def tokens_after_start(inputs: TokenBatch, ids: Tensor) -> TokenBatch:
    """Return the tokens as a decoder reads them: after its start token, and without the last one.

    A word whose last piece is not read is cut off as a whole.

    Args:
        inputs: The tokens of the encoder.
        ids: int64 (texts, length), the ids that the decoder reads.
    """
    last = inputs.words.masked_fill(~inputs.last, NOWHERE).amax(1, keepdim=True)
    words = inputs.words.masked_fill(inputs.words == last, NOWHERE)
    special = _later(inputs.special, inputs.real, filler=False) | inputs.first
    return replace(
        inputs,
        ids=ids,
        special=special,
        segments=_later(inputs.segments, inputs.real, NOWHERE),
        words=_later(words, inputs.real, NOWHERE),
        offsets=_later(inputs.offsets, inputs.real.unsqueeze(2), 0),
        pieces=tuple((START, *pieces[:-1]) for pieces in inputs.pieces),
    )


def _later(values: Tensor, real: Tensor, filler: int) -> Tensor:
    """Return the values of tokens one position later, with a filler at the start and in padding."""
    moved = values.roll(1, 1)
    moved[:, 0] = filler
    return moved.masked_fill(~real, filler)
