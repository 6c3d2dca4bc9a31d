"""What a model's family says about how to read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from probing.models.files import ModelFiles

Language = Literal["causal", "masked", "seq2seq"]


def default_pooling(files: ModelFiles) -> Literal["first", "last"]:
    """The token that sums a text up: the last for causal models, the first for all others."""
    return "last" if language_kind(files.settings) == "causal" else "first"


def language_kind(settings: Mapping[str, Any]) -> Language:
    """How a model tells tokens: the next one, masked ones, or those of a decoder.

    Args:
        settings: Its config.json; of encoder-decoder models it is the encoder that is read.
    """
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as CAUSAL,
    )
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_MASKED_LM_MAPPING_NAMES as MASKED,
    )

    if settings.get("is_encoder_decoder"):
        return "seq2seq"
    family = settings.get("model_type")
    return "causal" if family in CAUSAL and family not in MASKED else "masked"
