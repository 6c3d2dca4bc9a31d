"""What a model's family says about how to read it."""

from __future__ import annotations

from typing import Literal

from probing.models.files import ModelFiles


def default_pooling(files: ModelFiles) -> Literal["first", "last"]:
    """The token that sums a text up: the last for causal models, the first for all others."""
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as CAUSAL,
    )
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_MASKED_LM_MAPPING_NAMES as MASKED,
    )

    if files.settings.get("is_encoder_decoder"):
        return "first"  # its encoder is read
    family = files.settings.get("model_type")
    return "last" if family in CAUSAL and family not in MASKED else "first"
