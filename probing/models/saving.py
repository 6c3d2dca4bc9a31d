"""Saving a pruned model: its weights, and a record of the cuts."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from transformers import PreTrainedModel

from probing.errors import ProbingError
from probing.io.files import delete, own_name, replace_file, sync_folder
from probing.models.digests import INDEX, PRUNED, WEIGHTS
from probing.models.removed import Removed, as_json, removed_from
from probing.validation.arguments import checked

if TYPE_CHECKING:
    from probing.models.removal import Pruned

WEIGHTS_FILES = (*WEIGHTS, INDEX)
_TITLE = "# A model without some of its heads"
_README = """
Heads of this model were cut out of its weights; `pruned_heads.json` lists them. Plain transformers does not
know that file: it builds the whole model and does not load these weights correctly. Load it with

    import probing
    model = probing.load_pruned("path/of/this/folder")

or use it on the command line: `probing model=hf model.name=path/of/this/folder`.
"""


@checked()
def save_pruned(model: PreTrainedModel, folder: str | Path, pruned: Pruned | None = None) -> None:
    """Save a pruned model as `save_pretrained` does, and a record of the cuts in pruned_heads.json.

    The folder's config.json is removed first and written last, so that an incomplete folder is never taken
    for a model. Save the tokenizer with its own `save_pretrained`.

    Plain transformers does not load a model with removed heads correctly. A README.md says so, unless the
    folder already has another one.

    Args:
        model: Model that `prune_heads` changed.
        folder: Folder to save in, created if missing; other files in it stay.
        pruned: Last result of `prune_heads` for the model; None saves the model as it is.

    Raises:
        ProbingError: If `pruned` belongs to another model or to an earlier state of this one, or the model
            was cut in another way, for example as a part of another model.

    Example:
        >>> import tempfile
        >>> from transformers import BertConfig, BertModel
        >>> from probing import load_pruned, prune_heads, save_pruned
        >>> model = BertModel(BertConfig(vocab_size=100, num_hidden_layers=2)).eval()
        >>> pruned = prune_heads(model, {0: [3, 7]})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_pruned(model, folder, pruned)
        ...     again = load_pruned(folder)
        >>> again.num_parameters() == pruned.parameters_after
        True
    """
    removed = removed_from(model)
    if pruned is not None and removed != getattr(pruned, "removed", None):
        raise ProbingError(
            "save_pruned: pruned does not describe the model's current state; pass the last result of "
            "prune_heads for it"
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
    except SafetensorError as error:  # raised when a file cannot be written
        reason = str(error).splitlines()[0]
        raise ProbingError(f"{folder}: {reason}; free some space there, or choose another folder") from error
    finally:
        delete(place)


def _write_note(folder: Path, removed: Removed) -> None:
    """Explain in README.md how to load the model; a README of another origin is left unchanged."""
    path = folder / "README.md"
    ours = path.is_file() and path.read_text(encoding="utf-8", errors="replace").startswith(_TITLE)
    if removed.smaller and (ours or not path.exists()):
        replace_file(path, f"{_TITLE}\n{_README}".encode())
    elif ours:
        path.unlink()


def _check(model: PreTrainedModel, removed: Removed) -> None:
    """Raise an error unless these cuts give a new model of this class the shapes of this one."""
    kind: Any = type(model)
    with torch.device("meta"):
        fresh = kind(copy.deepcopy(model.config))
    try:
        removed.apply(fresh)
        same = _shapes(fresh) == _shapes(model)
    except (AttributeError, IndexError):
        same = False
    if not same:
        raise ProbingError(
            f"save_pruned: a new {kind.__name__} could not be cut like this one; save the model that was "
            "passed to prune_heads, not a part of it"
        )


def _shapes(model: PreTrainedModel) -> dict[str, torch.Size]:
    return {name: parameter.shape for name, parameter in model.named_parameters()}
