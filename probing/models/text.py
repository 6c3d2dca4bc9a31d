"""The part of a model that reads text: the whole model, its encoder, its text tower, or none."""

from __future__ import annotations

from typing import Any

from transformers import MODEL_MAPPING, PreTrainedConfig, PreTrainedModel

from probing.errors import ProbingError
from probing.models.default_inputs import default_inputs
from probing.models.recording import as_it_was

SUPPORTED = (
    "only text models are supported (encoder-decoder models by their encoder, pairs such as CLIP by their "
    "text tower); choose one of these"
)


def check_reads_text(name: str, config: PreTrainedConfig) -> None:
    """Reject a model of images or sound by its configuration alone.

    Raises:
        ProbingError: If the model does not read text; the message says what it reads and what is supported.
    """
    kind: Any = MODEL_MAPPING.get(type(config), None)
    for each in kind if isinstance(kind, list | tuple) else (kind,):
        _check_input(name, config, getattr(each, "main_input_name", "input_ids"))


def text_side(name: str, model: PreTrainedModel) -> PreTrainedModel:
    """Return the part of a model without a task head that reads text on its own.

    Raises:
        ProbingError: If there is no such part.
    """
    _check_input(name, model.config, model.main_input_name)
    if model.config.is_encoder_decoder:
        model = model.get_encoder()
        if not isinstance(model, PreTrainedModel):
            raise ProbingError(f"model {name}: its encoder does not run on its own; choose another model")
        return model
    if not isinstance(model.input_modalities, str):
        tower = getattr(model, "text_model", None)
        model = tower if isinstance(tower, PreTrainedModel) else model
        _check_runs(name, model)
    return model


def _check_input(name: str, config: PreTrainedConfig, main: str) -> None:
    if main not in ("input_ids", "inputs_embeds"):
        raise ProbingError(f"model {name} ({config.model_type}): reads {main}, not text; {SUPPORTED}")


def _check_runs(name: str, model: PreTrainedModel) -> None:
    """Check that a model with several kinds of input reads text without the others."""
    try:
        with as_it_was(model):
            model(**default_inputs(model))
    except Exception as error:
        raise ProbingError(
            f"model {name} ({model.config.model_type}): does not read text without "
            f"{' and '.join(kind for kind in model.input_modalities if kind != 'text')}; {SUPPORTED}"
        ) from error
