"""The check that a saved model and tokenizer compute what the objects in memory compute."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import cast

import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from probing.errors import ProbingError
from probing.models.content import library_class
from probing.models.default_inputs import default_inputs
from probing.models.family import language_kind
from probing.models.loading import LANGUAGE, Attention, Purpose, load_model
from probing.models.model_choice import ModelConfig
from probing.models.model_files import ModelFiles, find_files
from probing.models.recording import implementation
from probing.models.text import text_side
from probing.models.unchanged import Outputs, difference, outputs_of, padded

_TEXTS = ("The cat sat on the mat.", "Dogs bark,  and 12 cats don't!", "naïve café")
_ADVICE = (
    "its weights and configuration alone do not give what it computes, so remove hooks, patched methods and "
    "replaced modules, or save a plain model and give model='hf' and the option model.name"
)


def check_saved(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Refuse a saved model whose outputs, or a saved tokenizer whose tokens, differ from those of the object.

    The model is loaded as a run loads it, with its task head if a run would use that, on the device and in
    the type of the object. Both run on a few tokens, with and without padding, in evaluation mode.

    Args:
        model: The object, which is not changed.
        tokenizer: Its tokenizer.
        folder: Folder with both, saved.

    Raises:
        ProbingError: If something differs, or one of the two models does not run.
    """
    kind = type(model).__name__
    files = find_files(ModelConfig(str(folder)))
    purpose = _purpose(model, files)
    base = cast("PreTrainedModel", model.base_model)
    read = text_side(kind, base) if purpose == "read" else model
    attention: Attention = "eager" if implementation(read) == "eager" else "sdpa"
    try:
        with torch.random.fork_rng(devices=[]):  # weights that the object lacks are drawn
            loaded = load_model(
                files, device=read.device, dtype=_coarsest(read), attention=attention, purpose=purpose
            )
        batches = padded(default_inputs(read))
        before, after = (_first(outputs_of(each, batches, ()), read) for each in (read, loaded.model))
    except (ProbingError, TypeError, ValueError, RuntimeError, AttributeError, IndexError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ProbingError(
            f"run: model: this {kind} is not read back from disk ({reason}); {_ADVICE}"
        ) from error
    problem = difference(before, after, "" if _same_way(read, loaded.model) else "-")
    if problem:
        raise ProbingError(f"run: model: this {kind} is read back from disk with {problem}; {_ADVICE}")
    _check_tokens(tokenizer, loaded.tokenizer)


def _purpose(model: PreTrainedModel, files: ModelFiles) -> Purpose:
    """Return the purpose for which a run loads the object's own task head; `read` if there is none."""
    own = library_class(model)
    if str(getattr(own, "__name__", "")).endswith("ForSequenceClassification"):
        return "classify"
    mapping = LANGUAGE[language_kind(files.settings)]._model_mapping
    return "lm" if mapping.get(type(model.config), None) is own else "read"


def _coarsest(model: PreTrainedModel) -> torch.dtype:
    """Return the floating-point type with the fewest digits among a model's weights."""
    types = {weight.dtype for weight in model.parameters()} or {torch.float32}
    return max(types, key=lambda dtype: torch.finfo(dtype).eps)


def _same_way(one: PreTrainedModel, other: PreTrainedModel) -> bool:
    """Return whether two copies of a model should agree to the last digits: same attention, same types."""
    types = {name: weight.dtype for name, weight in other.named_parameters()}
    same = all(types.get(name, weight.dtype) == weight.dtype for name, weight in one.named_parameters())
    return same and implementation(one) == implementation(other)


def _first(outputs: Outputs, model: PreTrainedModel) -> Outputs:
    """Return the main output of each batch, in the coarsest type of the model."""
    dtype = _coarsest(model)
    first: dict[tuple[str, int, int], Tensor] = {
        key: value.to(dtype) for key, value in outputs.items() if not key[2]
    }
    return first


def _check_tokens(given: PreTrainedTokenizerBase, saved: PreTrainedTokenizerBase) -> None:
    given = copy.deepcopy(given)
    for text in _TEXTS:
        if list(given(text)["input_ids"]) != list(saved(text)["input_ids"]):
            raise ProbingError(
                f"run: tokenizer: this {type(given).__name__} is read back from disk with other tokens for "
                f"{text!r}; give one whose save_pretrained writes all that it does"
            )
