"""The token that fills short texts of a batch: the one by which the model finds a text's end."""

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
"""A padding token that no text holds: the last token of a text without padding is then its end."""
_SHORT = "the"
_LONG = "the old man saw that the dog and the cat were in the house by the river"
_FAILURES = (ValueError, RuntimeError, IndexError, TypeError)
_TOLERANCE = {torch.float64: 1e-7, torch.float32: 1e-3, torch.float16: 2e-2, torch.bfloat16: 6e-2}


@dataclass(frozen=True)
class Padding:
    """Padding, and the texts of different lengths that may share a batch.

    Attributes:
        token: The id that fills the shorter ones, on the right; attention never reaches it.
        even: Whether only texts of one length may, because padding would change what the model answers.
        end: The end-of-text token, for models that read a text at its last one: texts in a batch must hold
            it the same number of times. None for all other models.
    """

    token: int = 0
    even: bool = False
    end: int | None = None

    def alike(self, ids: list[int]) -> tuple[int, int]:
        """Texts for which this is the same may share a batch."""
        return (len(ids) if self.even else 0, 0 if self.end is None else ids.count(self.end))


FILLED_WITH_0 = Padding()
"""Zeros, for a model that is given a mask and looks for no token."""


def reconciled(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, max_length: int | None, *, classifies: bool
) -> Padding:
    """Decide on one padding token where tokenizer and configuration may name two, or none.

    Classifiers on decoders take the last token that is not `config.pad_token_id` for a text's end, so batches
    are filled with that token, whatever the tokenizer would take. Where the configuration names none that has
    an embedding, such a model reads the very last position. Whether padding leaves the answers of a
    classifier alone is tried out: families differ in how they find the end of a text.

    Args:
        model: In evaluation mode; its configuration is changed where it names no usable token.
        tokenizer: Left as it is.
        max_length: The most tokens that a text may have.
        classifies: Whether the model has a sequence classifier.
    """
    pair = bool(getattr(model.config, "is_encoder_decoder", False))
    size = _embeddings(model)
    own = _usable(getattr(model.config.get_text_config(), "pad_token_id", None), size)
    token = own if own is not None else _usable(tokenizer.pad_token_id, size) or 0
    if own is None and (pair or classifies):
        _set(model, token if pair else _NOWHERE)  # a decoder's input is filled with it, too
    if not classifies:
        return Padding(token)
    end = getattr(model.config, "eos_token_id", None) if pair else None
    padding = Padding(token, end=end if isinstance(end, int) else None)
    if token != padding.end and _indifferent(model, tokenizer, max_length, token):
        return padding
    log.info("padding would change the answers of this model: only texts of equal length share a batch")
    return replace(padding, even=True)


@contextmanager
def padding_as_saved(model: PreTrainedModel) -> Iterator[None]:
    """Let a configuration name no padding token where `reconciled` has put one that no text holds."""
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
    """The number of tokens that have an embedding; 0 where that is not known."""
    words = word_embeddings(model)
    return 0 if words is None else words.num_embeddings


def _usable(token: object, size: int) -> int | None:
    """A token's id, if there is one and the model has an embedding for it."""
    if not isinstance(token, int) or token < 0 or (size and token >= size):
        return None
    return token


@torch.inference_mode()
def _indifferent(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, max_length: int | None, token: int
) -> bool:
    """Return whether a text with padding, next to a longer one, is answered as it is alone."""
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
