"""Loading pruned models from disk: the recorded cuts are repeated on a whole model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import torch
import transformers
from safetensors import SafetensorError
from transformers import AutoConfig, PreTrainedModel

from probing.errors import ProbingError
from probing.models.broken import check_shapes
from probing.models.digests import PRUNED
from probing.models.removed import Removed, from_json, remember
from probing.validation.arguments import checked

_NO_ADAPTER = {"subfolder": ".no-adapter"}
"""Subfolder in which transformers does not find an adapter, since `merge_adapter` merges adapters."""
_FAILURES = (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError)


@checked()
def load_pruned(
    folder: str | Path,
    model_class: type[Any] | None = None,
    **options: Any,  # noqa: ANN401
) -> PreTrainedModel:
    """Load a model that `save_pruned` saved.

    Args:
        folder: Folder of the model.
        model_class: Class of the model or an Auto class, as for `from_pretrained`. The default is the saved
            class, all of whose weights must then be present.
        options: Options of `from_pretrained`, such as `dtype` or `attn_implementation`.

    Returns:
        The model in evaluation mode.

    Raises:
        ProbingError: If a file is missing or damaged, or does not fit the others.

    Example:
        >>> import tempfile
        >>> from transformers import BertConfig, BertModel
        >>> from probing import find_sites, load_pruned, prune_heads, save_pruned
        >>> model = BertModel(BertConfig(vocab_size=100, num_hidden_layers=2)).eval()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_pruned(model, folder, prune_heads(model, {0: [3, 7]}))
        ...     again = load_pruned(folder)
        >>> [site.heads for site in find_sites(again).heads]
        [10, 12]
    """
    folder = Path(folder)
    if not is_pruned(folder):
        raise ProbingError(f"{folder}: no {PRUNED}; load a whole model with from_pretrained")
    try:
        kind = model_class or _saved_class(folder)
        model, report = from_pretrained(kind, folder, **{**options, "ignore_mismatched_sizes": True})
    except _FAILURES as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ProbingError(f"{folder}: cannot be loaded: {reason}") from error
    check_shapes(folder, report, PRUNED)
    lacking = sorted([*report["missing_keys"], *report["unexpected_keys"]])
    if model_class is None and lacking:
        raise ProbingError(
            f"{folder}: its weights do not fit its config.json: {lacking[0]}; save the model again"
        )
    return model


def is_pruned(folder: Path) -> bool:
    """Return whether a model's folder has a record of removed heads."""
    return (folder / PRUNED).is_file()


def from_pretrained(kind: Any, folder: Path, **options: Any) -> tuple[PreTrainedModel, dict[str, Any]]:  # noqa: ANN401
    """Call `kind.from_pretrained` and return its loading report too, also for folders of `save_pruned`.

    Raises:
        ProbingError: If the record of removed heads cannot be read, or does not fit the model.
    """
    options = {**options, "output_loading_info": True, "adapter_kwargs": dict(_NO_ADAPTER)}
    if not is_pruned(folder):
        model, report = kind.from_pretrained(folder, **options)
        return model, report
    record = _read(folder)
    whole = _concrete(kind, folder, options.get("trust_remote_code", False))

    class Smaller(whole):  # type: ignore[valid-type, misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
            super().__init__(*args, **kwargs)
            cut_as(record, self, folder)

    Smaller.__name__, Smaller.__qualname__, Smaller.__module__ = (
        whole.__name__,
        whole.__qualname__,
        whole.__module__,
    )
    model, report = Smaller.from_pretrained(folder, **options)
    model.__class__ = whole
    return model, report


def cut_as(removed: Removed, model: PreTrainedModel, folder: Path) -> None:
    """Cut a newly built model in the same way as a saved one.

    Raises:
        ProbingError: If the record does not fit the model.
    """
    try:
        local = removed.within(model, model.base_model_prefix)
        local.apply(model)
    except (AttributeError, IndexError) as error:
        raise ProbingError(
            f"{folder / PRUNED}: does not fit config.json ({error}); save the model again"
        ) from error
    remember(model, local)


def cut_untrained(model: PreTrainedModel, folder: Path) -> None:
    """Give a randomly initialised model the shape of the folder's model, if that one is pruned."""
    if is_pruned(folder):
        cut_as(_read(folder), model, folder)


def _concrete(kind: Any, folder: Path, remote: bool) -> type[PreTrainedModel]:  # noqa: ANN401
    """Return the model class itself, also for an Auto class."""
    if issubclass(kind, PreTrainedModel):
        return cast("type[PreTrainedModel]", kind)
    config = AutoConfig.from_pretrained(folder, trust_remote_code=remote)
    with torch.device("meta"):
        model: PreTrainedModel = kind.from_config(config, trust_remote_code=remote)
    return type(model)


def _saved_class(folder: Path) -> type[PreTrainedModel]:
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    name = next(iter(settings.get("architectures") or ()), "")
    found = getattr(transformers, name, None) if name else None
    if found is None:
        raise ValueError(f"transformers has no class {name or 'named in config.json'}; give model_class")
    return cast("type[PreTrainedModel]", found)


def _read(folder: Path) -> Removed:
    path = folder / PRUNED
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ProbingError(f"{path}: cannot be read ({error}); save the model again") from error
