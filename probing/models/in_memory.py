"""Models and tokenizers in memory, saved once so that they are read as any model in a folder is."""

from __future__ import annotations

import copy
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError
from torch import nn
from torch.nn.utils import parametrize
from transformers import AutoTokenizer, PreTrainedModel
from transformers.tokenization_utils_base import PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from probing.errors import ProbingError
from probing.io.files import delete, discard, make_folder, own_name, sync_folder
from probing.models.content import content_digest, library_class, write_model, write_tokenizer
from probing.models.faithful import check_saved
from probing.models.model_choice import ModelConfig
from probing.models.model_files import find_files

log = logging.getLogger(__name__)
SAVE = "save it with save_pretrained, and give model='hf' and the option model.name"
_FAILURES = (ValueError, TypeError, RuntimeError, ImportError, NotImplementedError, SafetensorError)
# wrappers that are not PreTrainedModels, by the name of their class, and the model in them
_WRAPPERS = {
    "SentenceTransformer": "pass model=x[0].auto_model, tokenizer=x.tokenizer",
    "OptimizedModule": "pass the model that was compiled, x._orig_mod",
    "DataParallel": "pass the model in it, x.module",
    "DistributedDataParallel": "pass the model in it, x.module",
}


def save_in_memory(model: object, tokenizer: object, folder: Path) -> Path:
    """Save a model and its tokenizer in a folder that is named by their content, and check what was saved.

    Weights that are there already are not written again. The objects are not changed. The check runs the
    model and the saved one on a few tokens, so that hooks of the model see additional forward passes.

    Args:
        model: A transformers PreTrainedModel.
        tokenizer: Its tokenizer; None for the one in the folder or repository that the model was loaded from.
        folder: Parent of the new folder.

    Returns:
        The folder of the model, which `ModelConfig.name` can name.

    Raises:
        ProbingError: If the objects are of another kind, or the saved model would not be the same.
        OSError: If a file cannot be written.
    """
    whole = _plain_model(model)
    words = _tokenizer(tokenizer, whole)
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    make_folder(folder)
    staging = folder / f".{own_name('tmp')}"
    try:
        with _saving("tokenizer", words):
            write_tokenizer(words, staging)
        place = folder / content_digest(whole, staging)
        found = (place / "config.json").is_file()
        for fresh in (False, True) if found else (True,):  # one that was found may be damaged
            if fresh:
                _save(whole, staging, place)
            try:
                check_saved(whole, words, place)
            except ProbingError:
                discard(place)
                if fresh:
                    raise
            else:
                os.utime(place)  # `probing clean` leaves what a run that starts may need
                log.info("model: %s as %s", "found" if not fresh else "saved", place)
                return place
        raise AssertionError(place)
    finally:
        delete(staging)


def label_of(model: object, saved: Path) -> str:
    """Return the name of a model in results: the folder it was loaded from, or its class, and its digest.

    The digest keeps a model that was changed in memory apart from the one that it was loaded as.

    Args:
        model: The model.
        saved: Its folder, from `save_in_memory`.
    """
    name = str(getattr(model, "name_or_path", "") or "")
    return f"{ModelConfig(name).title if name else type(model).__name__}-{saved.name[:6]}"


def _save(model: PreTrainedModel, staging: Path, place: Path) -> None:
    """Write a model next to its tokenizer, and rename the folder to its place."""
    with _saving("model", model):
        write_model(model, staging)
    if not (place / "config.json").is_file():
        discard(place)
    try:
        staging.rename(place)
    except OSError:  # another process may have saved the same model meanwhile
        if not (place / "config.json").is_file():
            raise
    sync_folder(place.parent)


@contextmanager
def _saving(name: str, given: object) -> Iterator[None]:
    try:
        yield
    except _FAILURES as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ProbingError(
            f"run: {name}: this {type(given).__name__} cannot be saved ({reason}); {SAVE}"
        ) from error


def _plain_model(model: object) -> PreTrainedModel:
    """Refuse objects whose weights and configuration alone do not define what they compute."""
    kind = type(model).__name__
    where = f"run: model: this {kind}"
    modules = dict(model.named_modules()) if isinstance(model, nn.Module) else {}
    if any(type(module).__module__.startswith("peft.") for module in modules.values()):
        raise ProbingError(
            f"{where} has an adapter of peft that is not merged; call merge_and_unload() first"
        )
    if not isinstance(model, PreTrainedModel):
        advice = _WRAPPERS.get(kind, "give a transformers PreTrainedModel, or a name such as 'minilm'")
        raise ProbingError(f"{where} is not a transformers model; {advice}")
    if model.is_remote_code():
        raise ProbingError(f"{where} runs its own code; {SAVE} with model.trust_remote_code=true")
    if library_class(model) is None:
        raise ProbingError(f"{where} is not a class of transformers; pass the transformers model in it")
    changed = next((name for name, module in modules.items() if parametrize.is_parametrized(module)), None)
    if changed is not None:
        raise ProbingError(
            f"{where} has parametrized weights in {changed}; call "
            "torch.nn.utils.parametrize.remove_parametrizations on it first"
        )
    _check_weights(where, model)
    return model


def _check_weights(where: str, model: PreTrainedModel) -> None:
    """Refuse weights that are not whole floating-point tensors in memory."""
    settings = getattr(model.config, "quantization_config", None)
    if str(getattr(settings, "quant_method", "")).lower().endswith("gguf"):
        raise ProbingError(f"{where} was read from a GGUF file; give model='hf' and model.name=<the file>")
    if getattr(model, "hf_quantizer", None) or getattr(model.config, "quantization_config", None):
        raise ProbingError(f"{where} has quantised weights; call dequantize() first, or load it without")
    for name, weight in model.named_parameters():
        if weight.device.type == "meta":
            raise ProbingError(f"{where} has no data for {name}; load it whole, without offloading")
        # quantised and sharded weights are of classes of their own, or not floating-point
        if type(weight) is not nn.Parameter or not weight.is_floating_point() or weight.element_size() < 2:
            raise ProbingError(
                f"{where} has {name} as {type(weight).__name__} of {weight.dtype}; give a model with "
                "plain floating-point weights, neither quantised nor sharded"
            )


def _tokenizer(tokenizer: object, model: PreTrainedModel) -> PreTrainedTokenizerBase:
    """Return a copy of the tokenizer, or the one of the folder that the model was loaded from."""
    if isinstance(tokenizer, PreTrainedTokenizerBase):
        return copy.deepcopy(tokenizer)
    if tokenizer is not None:
        raise ProbingError(
            f"run: tokenizer: this {type(tokenizer).__name__} is not a tokenizer of transformers; give the "
            "object that AutoTokenizer.from_pretrained returns"
        )
    name = str(model.name_or_path or "")
    if not name:
        raise ProbingError("run: the model does not say where its tokenizer is; pass tokenizer=... too")
    try:
        folder = find_files(ModelConfig(name, pretrained=False)).tokenizer_folder
        found: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
    except (ProbingError, OSError, ValueError, ImportError) as error:
        reason = str(error).splitlines()[0]
        raise ProbingError(f"run: no tokenizer in {name} ({reason}); pass tokenizer=... too") from error
    log.info("tokenizer: that of %s, from which the model was loaded", folder)
    return found
