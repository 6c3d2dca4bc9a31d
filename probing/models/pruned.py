"""Pruned models on disk: weights as ever, and beside them what was cut, to cut it again before loading."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
import transformers
from safetensors import SafetensorError
from transformers import AutoConfig, PreTrainedModel

from probing.errors import ProbingError
from probing.io.files import delete, own_name, replace_file, sync_folder
from probing.models.broken import check_shapes
from probing.models.digests import INDEX, PRUNED, WEIGHTS
from probing.models.removed import Removed, as_json, from_json, remember, removed_from
from probing.validation.arguments import checked

if TYPE_CHECKING:
    from probing.models.removal import Pruned

WEIGHTS_FILES = (*WEIGHTS, INDEX)
_NO_ADAPTER = {"subfolder": ".no-adapter"}
"""A place where the library finds no adapter, since `merge_adapter` merges adapters."""
_TITLE = "# A model without some of its heads"
_README = """
Heads of this model were cut out of its weights; `pruned_heads.json` says which. Plain transformers does not
know that file: it builds the whole model and does not load these weights rightly. Load it with

    import probing
    model = probing.load_pruned("path/of/this/folder")

or read it from the command line: `probing model=hf model.name=path/of/this/folder`.
"""
_FAILURES = (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError)


@checked()
def save_pruned(model: PreTrainedModel, folder: str | Path, pruned: Pruned | None = None) -> None:
    """Save a pruned model as `save_pretrained` does, and what was cut in pruned_heads.json.

    The folder's config.json is taken away first and put back last, so that a folder in which anything is
    missing is no model's folder. The tokenizer is saved by its own `save_pretrained`.

    Plain transformers does not load a model that lacks heads rightly; a README.md says so, unless the folder
    has one of its own.

    Args:
        model: The model that `prune_heads` changed.
        folder: Made if it is not there; other files in it stay.
        pruned: What `prune_heads` gave for it last; None saves the model as it is.

    Raises:
        ProbingError: If it belongs to another model, or to an earlier state of this one, or the model was
            cut otherwise, as a part of another model for one.
    """
    removed = removed_from(model)
    if pruned is not None and removed != getattr(pruned, "removed", None):
        raise ProbingError(
            "save_pruned: the model was not left like this; give what prune_heads gave for it last"
        )
    _check(model, removed)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f".{own_name('tmp')}"
    try:
        model.save_pretrained(place)
        (folder / "config.json").unlink(missing_ok=True)
        for pattern in WEIGHTS_FILES:
            for old in folder.glob(pattern):
                old.unlink()
        replace_file(folder / PRUNED, as_json(removed).encode())
        _write_note(folder, removed)
        for path in sorted(place.iterdir(), key=lambda path: path.name == "config.json"):
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
            path.replace(folder / path.name)
            sync_folder(folder)
    except SafetensorError as error:  # its way to say that a file cannot be written
        reason = str(error).splitlines()[0]
        raise ProbingError(f"{folder}: {reason}; free some space there, or choose another folder") from error
    finally:
        delete(place)


def _write_note(folder: Path, removed: Removed) -> None:
    """Say in README.md how the model is loaded; a README of another origin stays as it is."""
    path = folder / "README.md"
    ours = path.is_file() and path.read_text(encoding="utf-8", errors="replace").startswith(_TITLE)
    if removed.smaller and (ours or not path.exists()):
        replace_file(path, f"{_TITLE}\n{_README}".encode())
    elif ours:
        path.unlink()


def _check(model: PreTrainedModel, removed: Removed) -> None:
    """Raise unless a new model of this class becomes this one's shapes by these cuts."""
    kind: Any = type(model)
    with torch.device("meta"):
        twin = kind(copy.deepcopy(model.config))
    try:
        removed.apply(twin)
        same = _shapes(twin) == _shapes(model)
    except (AttributeError, IndexError):
        same = False
    if not same:
        raise ProbingError(
            f"save_pruned: a new {kind.__name__} could not be cut like this one; save what was given "
            "to prune_heads, not a part of it"
        )


def _shapes(model: PreTrainedModel) -> dict[str, torch.Size]:
    return {name: parameter.shape for name, parameter in model.named_parameters()}


@checked()
def load_pruned(
    folder: str | Path,
    model_class: type[Any] | None = None,
    **options: Any,  # noqa: ANN401
) -> PreTrainedModel:
    """Load a model that `save_pruned` saved.

    Args:
        folder: Where it lies.
        model_class: A model's class or one of the Auto classes, as for `from_pretrained`; by default the
            class that was saved, whose weights must then all be there.
        options: As of `from_pretrained`: `dtype`, `attn_implementation`, ...

    Returns:
        The model in evaluation mode.

    Raises:
        ProbingError: If a file is missing or damaged, or does not fit the others.
    """
    folder = Path(folder)
    if not is_pruned(folder):
        raise ProbingError(f"{folder}: no {PRUNED}; a whole model is loaded with from_pretrained")
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
    """Whether a model's folder says that heads were cut."""
    return (folder / PRUNED).is_file()


def from_pretrained(kind: Any, folder: Path, **options: Any) -> tuple[PreTrainedModel, dict[str, Any]]:  # noqa: ANN401
    """As `kind.from_pretrained` with its loading report, also of a folder that `save_pruned` wrote.

    Raises:
        ProbingError: If the record cannot be read, or does not fit the model.
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
    """Cut a model that was just built as another one was cut.

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
    """Give a model of random weights the shape of the folder's pruned one, if it is one."""
    if is_pruned(folder):
        cut_as(_read(folder), model, folder)


def _concrete(kind: Any, folder: Path, remote: bool) -> type[PreTrainedModel]:  # noqa: ANN401
    """The class itself, where an Auto class stands for one."""
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
