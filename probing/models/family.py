"""Defaults for reading a model that follow from its family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from probing.models.model_files import ModelFiles

Language = Literal["causal", "masked", "seq2seq"]
CAUSAL_TOWERS = frozenset({"clip", "clip_text_model", "clipseg", "groupvit", "owlv2", "owlvit", "xclip"})
"""Families of image-text models in whose text tower a token attends only to earlier ones."""


def default_pooling(files: ModelFiles) -> Literal["first", "last"]:
    """Return the token that represents a text: the last for causal models, the first for all others."""
    return "last" if language_kind(files.settings) == "causal" else "first"


def language_kind(settings: Mapping[str, Any]) -> Language:
    """Return how a model predicts tokens: the next one, masked ones, or those of a decoder.

    Args:
        settings: Contents of its config.json. Encoder-decoder models are read in the encoder.
    """
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as CAUSAL,
    )
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_MASKED_LM_MAPPING_NAMES as MASKED,
    )

    if settings.get("is_encoder_decoder"):
        return "seq2seq"
    inner = settings.get("text_config")
    families = {str(each.get("model_type")) for each in (settings, inner) if isinstance(each, Mapping)}
    if families & CAUSAL_TOWERS:
        return "causal"
    return "causal" if families & set(CAUSAL) and not families & set(MASKED) else "masked"
