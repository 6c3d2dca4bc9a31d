"""The content of a model and its tokenizer in memory: written to files, and as a digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from probing.errors import ProbingError
from probing.models.digests import TOKENIZER, digest_files, json_object, matching
from probing.models.removed import as_json, removed_from
from probing.models.saving import save_pruned

# keys of files that say where an object is from or how it was last used, not what it is
_OF_MODEL = ("_name_or_path", "transformers_version", "torch_dtype", "dtype", "architectures")
_OF_TOKENIZER = ("is_local", "local_files_only", "name_or_path")
_OF_LAST_CALL = ("truncation", "padding")


def library_class(model: PreTrainedModel) -> type | None:
    """Return the class of transformers that a model is, or that its class extends; None if there is none."""
    return next(
        (kind for kind in type(model).__mro__ if kind.__module__.startswith("transformers.models.")), None
    )


def content_digest(model: PreTrainedModel, tokenizer_folder: Path) -> str:
    """Return a digest of weights, configuration, class and tokenizer, 16 hexadecimal digits.

    Tensors are read one after the other, so that a model on a device is never copied as a whole.

    Args:
        model: The model.
        tokenizer_folder: Folder to which `write_tokenizer` wrote.
    """
    digest = hashlib.sha256()
    about = {
        "class": getattr(library_class(model), "__name__", None),
        "config": _without(model.config.to_dict(), _OF_MODEL),
        "removed": as_json(removed_from(model)),
        "tokenizer": digest_files(matching(tokenizer_folder, TOKENIZER)),
    }
    digest.update(json.dumps(about, sort_keys=True, default=str).encode())
    for name, tensor in model.state_dict().items():
        if not isinstance(tensor, Tensor):
            raise ProbingError(f"run: model: {name} is not a tensor, so it cannot be saved")
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        _add(digest, tensor)
    stored = set(model.state_dict())
    for name, buffer in model.named_buffers():  # such as frequencies of positions, which are not saved
        if name not in stored:
            digest.update(name.encode())
            _add(digest, buffer)
    return digest.hexdigest()[:16]


def _add(digest: hashlib._Hash, tensor: Tensor) -> None:
    digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)


def write_tokenizer(tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write the files of a tokenizer, the same ones before and after it was used."""
    tokenizer.save_pretrained(folder)
    for path in matching(folder, ["tokenizer.json", "tokenizer_config.json"]):
        content = _without(json_object(path), _OF_TOKENIZER)
        if path.name == "tokenizer.json":  # every call sets these again
            content |= dict.fromkeys(_OF_LAST_CALL)
        path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def write_model(model: PreTrainedModel, folder: Path) -> None:
    """Write weights and configuration, with the record of heads that `prune_heads` removed."""
    with _settings_kept(model):
        if removed_from(model).smaller:
            save_pruned(model, folder)
        else:
            model.save_pretrained(folder)
    path = folder / "config.json"
    settings = json_object(path) | {"architectures": [getattr(library_class(model), "__name__", "")]}
    path.write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n", encoding="utf-8")


@contextmanager
def _settings_kept(model: PreTrainedModel) -> Iterator[None]:
    """Restore the settings that `save_pretrained` writes into a model's configuration."""
    configs = [
        config for config in (model.config, getattr(model, "generation_config", None)) if config is not None
    ]
    before = [dict(vars(config)) for config in configs]
    try:
        yield
    finally:
        for config, values in zip(configs, before, strict=True):
            vars(config).clear()
            vars(config).update(values)


def _without(content: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Return a dict without some keys, also within the dicts in it."""
    return {
        key: _without(value, names) if isinstance(value, dict) else value
        for key, value in content.items()
        if key not in names
    }
