"""Padding of short texts in a batch, with the token by which the model finds the end of a text."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from probing.models.guard import word_embeddings

log = logging.getLogger(__name__)
_NOWHERE = -1
"""Padding token that no text contains; a text without padding then ends at its last token."""
_SHORT = "the"
_LONG = "the old man saw that the dog and the cat were in the house by the river"
_FAILURES = (ValueError, RuntimeError, IndexError, TypeError)
_TOLERANCE = {torch.float64: 1e-7, torch.float32: 1e-3, torch.float16: 2e-2, torch.bfloat16: 6e-2}


@dataclass(frozen=True)
class Padding:
    """Padding token, and the texts that may share a batch.

    Attributes:
        token: Token id that fills shorter texts, on the right; attention never reaches it.
        even: Whether only texts of equal length may share a batch, because padding would change the answers.
        end: End-of-text token, for models that read a text at its last one. Texts in a batch must contain it
            the same number of times. None for all other models.
    """

    token: int = 0
    even: bool = False
    end: int | None = None

    def alike(self, ids: list[int]) -> tuple[int, int]:
        """Return a key; texts with the same key may share a batch."""
        return (len(ids) if self.even else 0, 0 if self.end is None else ids.count(self.end))


FILLED_WITH_0 = Padding()
"""Padding with zeros, for a model that gets a mask and does not look for a token."""


def reconciled(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, max_length: int | None, *, classifies: bool
) -> Padding:
    """Choose one padding token, since tokenizer and configuration may name two different ones, or none.

    Classifiers on decoders take the last token that is not `config.pad_token_id` as the end of a text, so
    batches are filled with that token, even if the tokenizer would use another. If the configuration does not
    name a token with an embedding, such a model reads the very last position. Families differ in how they
    find the end of a text, so a trial shows whether padding leaves the answers of a classifier unchanged.

    Args:
        model: Model in evaluation mode. Its configuration is changed if it does not name a usable token.
        tokenizer: Tokenizer of the model; it is not changed.
        max_length: Maximum number of tokens in a text; None if there is no limit.
        classifies: Whether the model has a sequence classifier.

    Returns:
        Padding to use for batches.
    """
    pair = bool(getattr(model.config, "is_encoder_decoder", False))
    size = _embeddings(model)
    own = _usable(getattr(model.config.get_text_config(), "pad_token_id", None), size)
    token = own if own is not None else _usable(tokenizer.pad_token_id, size) or 0
    if own is None and (pair or classifies):
        _set(model, token if pair else _NOWHERE)  # a decoder's input is also filled with it
    if not classifies:
        return Padding(token)
    end = getattr(model.config, "eos_token_id", None) if pair else None
    padding = Padding(token, end=end if isinstance(end, int) else None)
    if token != padding.end and _indifferent(model, tokenizer, max_length, token):
        return padding
    log.info("padding would change the answers of this model, so only texts of equal length share a batch")
    return replace(padding, even=True)


@contextmanager
def padding_as_saved(model: PreTrainedModel) -> Iterator[None]:
    """Temporarily remove padding tokens that `reconciled` set and no text contains from configurations."""
    changed = [config for config in _configs(model) if getattr(config, "pad_token_id", None) == _NOWHERE]
    for config in changed:
        config.pad_token_id = None
    try:
        yield
    finally:
        for config in changed:
            config.pad_token_id = _NOWHERE


def _configs(model: PreTrainedModel) -> list[Any]:
    own, text = model.config, model.config.get_text_config()
    return [own] if text is own else [own, text]


def _set(model: PreTrainedModel, token: int) -> None:
    for config in _configs(model):
        config.pad_token_id = token


def _embeddings(model: PreTrainedModel) -> int:
    """Return the number of tokens that have an embedding; 0 if unknown."""
    words = word_embeddings(model)
    return 0 if words is None else words.num_embeddings


def _usable(token: object, size: int) -> int | None:
    """Return a token's id if it is one and the model has an embedding for it; None otherwise."""
    if not isinstance(token, int) or token < 0 or (size and token >= size):
        return None
    return token


@torch.inference_mode()
def _indifferent(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, max_length: int | None, token: int
) -> bool:
    """Return whether a padded text next to a longer one gets the same answer as on its own."""
    options: dict[str, Any] = {"return_attention_mask": True, "verbose": False}
    if max_length is not None:
        options |= {"truncation": True, "max_length": max_length}
    known = inspect.signature(model.forward).parameters
    short, long = (
        {name: ids for name, ids in tokenizer(text, **options).items() if name in known}
        for text in (_SHORT, _LONG)
    )
    missing = len(long["input_ids"]) - len(short["input_ids"])
    fill = {"input_ids": token}
    together = {name: [ids + [fill.get(name, 0)] * missing, long[name]] for name, ids in short.items()}
    alone = _answers(model, {name: [ids] for name, ids in short.items()})
    try:
        found = _answers(model, together)[:1]
    except _FAILURES:
        return False
    scale = float(alone.abs().max()) or 1.0
    return missing > 0 and float((found - alone).abs().max()) <= _TOLERANCE.get(model.dtype, 1e-3) * scale


def _answers(model: PreTrainedModel, inputs: Mapping[str, list[list[int]]]) -> Tensor:
    given = {name: torch.tensor(rows, device=model.device) for name, rows in inputs.items()}
    logits: Tensor = model(**given).logits
    return logits
