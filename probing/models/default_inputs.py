"""Inputs of a forward pass: a tiny default, and the sizes of any input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from probing.errors import ProbingError

BATCH = 3
LENGTH = 11
DECODER_LENGTH = 13
"""The lengths are distinct primes that differ from common head counts, so that axes are unambiguous."""

OTHERS = ("pixel_values", "input_values", "input_features")
HEAD_MASKS = ("head_mask", "decoder_head_mask", "cross_attn_head_mask")


@dataclass(frozen=True)
class Sizes:
    """Sizes of one batch, read from the arguments of the forward pass.

    Attributes:
        batch: Number of sequences.
        length: Number of tokens in each sequence, including padding; None for images and sound.
        decoder_length: Number of tokens in each sequence of the decoder's input.
        memory: Length of the sequence that cross-attention would attend to; None without one.
    """

    batch: int
    length: int | None
    decoder_length: int | None
    memory: int | None

    def of(self, stack: str) -> int | None:
        """Return the number of tokens in the input of a stack."""
        return self.decoder_length if stack == "decoder" else self.length


def sizes_of(model: PreTrainedModel, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Sizes:
    """Return the batch size and lengths of a model's arguments.

    Raises:
        ProbingError: If no input is recognised, or a head mask is passed, which transformers ignores.
    """
    _refuse_head_mask(kwargs)
    named = dict(kwargs)
    if args:
        named[model.main_input_name] = args[0]
    tokens = _first(named, ("input_ids", "inputs_embeds"))
    target = _first(named, ("decoder_input_ids", "decoder_inputs_embeds"))
    outer = _first(named, ("encoder_hidden_states",))
    some = _first({"main": tokens, "other": named.get(model.main_input_name)}, ("main", "other"))
    some = target if some is None else some
    if some is None:
        raise ProbingError(f"{model.config.model_type}: no input found; pass {model.main_input_name}")
    # With two modalities, nothing says which one a tower reads.
    alone = tokens is not None and not any(isinstance(named.get(other), Tensor) for other in OTHERS)
    length = tokens.shape[1] if tokens is not None and alone else None
    pair = decoder_of(model) is not None
    memory = length if outer is None else outer.shape[1]
    decoder = length if target is None else target.shape[1]
    return Sizes(some.shape[0], length, decoder, memory if pair or outer is not None else None)


def default_inputs(model: PreTrainedModel) -> dict[str, Tensor]:
    """Return small inputs of a few ordinary tokens, without padding, on the model's device.

    Raises:
        ProbingError: If the model does not read text or images.
    """
    config = model.config.get_text_config()
    name = model.main_input_name
    if name == "pixel_values":
        inputs = {name: _images(model)}
    elif name in {"input_ids", "inputs_embeds"}:
        ids = _tokens(config, LENGTH)
        inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    else:
        raise ProbingError(
            f"{model.config.model_type}: reads {name}, for which there is no default; pass inputs=..."
        )
    if decoder_of(model) is not None:
        inputs["decoder_input_ids"] = _tokens(config, DECODER_LENGTH)
    return {key: value.to(model.device) for key, value in inputs.items()}


def decoder_of(model: PreTrainedModel) -> nn.Module | None:
    """Return the decoder of an encoder-decoder model; None for any other."""
    if not getattr(model.config, "is_encoder_decoder", False):
        return None
    find: Callable[[], nn.Module | None] = getattr(model, "get_decoder", lambda: None)
    decoder = find()
    return None if decoder is model else decoder


def _refuse_head_mask(kwargs: Mapping[str, Any]) -> None:
    for name in HEAD_MASKS:
        if kwargs.get(name) is not None:
            raise ProbingError(f"{name}: transformers 5 ignores it silently; use probing.mask_heads")


def _first(named: Mapping[str, Any], keys: tuple[str, ...]) -> Tensor | None:
    return next((named[key] for key in keys if isinstance(named.get(key), Tensor)), None)


def _tokens(config: Any, length: int) -> Tensor:  # noqa: ANN401
    """Return ordinary token ids, since special ones change masks and positions in some models."""
    vocabulary = int(getattr(config, "vocab_size", None) or 64)
    names = [name for name in vars(config) if name.endswith("token_id")]
    values = [getattr(config, name) for name in names]
    special = {value for value in values if isinstance(value, int)}
    usual = [i for i in range(vocabulary // 2, vocabulary) if i not in special] or [0]
    rows = [[usual[(7 * row + i) % len(usual)] for i in range(length)] for row in range(BATCH)]
    return torch.tensor(rows)


def _images(model: PreTrainedModel) -> Tensor:
    config = getattr(model.config, "vision_config", model.config)
    size = getattr(config, "image_size", 224)
    height, width = size if isinstance(size, list | tuple) else (size, size)
    shape = (BATCH, getattr(config, "num_channels", 3), height, width)
    return torch.linspace(-1, 1, BATCH * shape[1] * height * width).reshape(shape)
