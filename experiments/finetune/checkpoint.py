"""Checkpoints on disk: a plain model folder with the classifier in the same place.

`config.json`, `model.safetensors` and the tokenizer can be read by any program, including `probing`.
`classifier.safetensors` is the linear layer. `finetune.json` describes how both are combined and is written
last; without it a folder counts as half-written. The folder also has the state from which training resumes.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save

from experiments.finetune.places import Places
from experiments.finetune.readout import ReadOut, Recipe
from probing.errors import ProbingError
from probing.io.files import discard, replace_file
from probing.models.digests import TOKENIZER
from probing.models.loading import LoadedModel, load_model
from probing.models.model_choice import ModelConfig
from probing.models.model_files import ModelFiles, find_files
from probing.models.tokenizer import load_tokenizer
from probing.objectives.saved_head import RECIPE, WEIGHTS

CLASSIFIER, MARK, RESUME = WEIGHTS, RECIPE, "optimizer.pt"


def save_model(folder: Path, model: ReadOut, source: ModelFiles) -> None:
    """Write the model, the original files of the tokenizer, and the classifier."""
    folder.mkdir(parents=True, exist_ok=True)
    model.backbone.save_pretrained(folder)
    if source.gguf is not None:
        load_tokenizer(source).save_pretrained(folder)
    for pattern in TOKENIZER if source.gguf is None else ():
        for path in source.tokenizer_folder.glob(pattern):
            replace_file(folder / path.name, path.read_bytes())
    weights = {name: value.detach().cpu().contiguous() for name, value in model.head.state_dict().items()}
    replace_file(folder / CLASSIFIER, save(weights))


def mark_whole(folder: Path, recipe: Recipe) -> None:
    """Mark a checkpoint as complete."""
    replace_file(folder / MARK, json.dumps(asdict(recipe), indent=1).encode())


def load_checkpoint(folder: Path, device: torch.device) -> tuple[ReadOut, LoadedModel]:
    """Return the saved classifier in evaluation mode, and the model that it is on.

    Raises:
        ProbingError: If the folder is not a complete checkpoint.
    """
    recipe = _recipe(folder)
    loaded = load_model(find_files(ModelConfig(str(folder))), device=device)
    model = ReadOut(loaded, recipe, seed=0)
    restore_classifier(model, folder)
    model.to(device)
    return model.eval(), loaded


def restore(model: ReadOut, folder: Path) -> None:
    """Load the weights of a checkpoint into an existing classifier."""
    device = next(model.parameters()).device
    saved = load_model(find_files(ModelConfig(str(folder))), device=device)
    model.backbone.load_state_dict(saved.model.state_dict())
    restore_classifier(model, folder)


def restore_classifier(model: ReadOut, folder: Path) -> None:
    """Load only the saved weights of the linear layer into an existing classifier."""
    model.head.load_state_dict(load_file(folder / CLASSIFIER))


def whole_checkpoints(run: Path) -> list[Path]:
    """Return the complete checkpoints of a run, in the order of their steps."""
    found = {int(path.name.rpartition("-")[2]): path for path in _folders(run) if (path / MARK).is_file()}
    return [found[step] for step in sorted(found)]


def resumable(run: Path) -> Path | None:
    """Return the last complete checkpoint from which training can resume."""
    able = [path for path in whole_checkpoints(run) if (path / RESUME).is_file()]
    return able[-1] if able else None


def drop_half_written(run: Path) -> None:
    """Remove checkpoints that a kill left incomplete."""
    for path in _folders(run):
        if not (path / MARK).is_file():
            discard(path)


def drop_superseded(run: Path, last: Path) -> None:
    """Remove the optimiser's state, twice the model in size, from all checkpoints but the last."""
    for path in whole_checkpoints(run):
        if path != last:
            (path / RESUME).unlink(missing_ok=True)


def _folders(run: Path) -> list[Path]:
    return [path for path in run.glob("checkpoint-*") if re.fullmatch(r"checkpoint-\d+", path.name)]


def _recipe(folder: Path) -> Recipe:
    try:
        values: dict[str, Any] = json.loads((folder / MARK).read_text(encoding="utf-8"))
        heads = tuple((int(layer), int(head)) for layer, head in values["places"]["heads"])
        places = Places(values["places"]["site"], heads)
        classes = None if values["classes"] is None else tuple(values["classes"])
        return Recipe(**{**values, "places": places, "classes": classes})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ProbingError(f"{folder}: not a complete fine-tuning checkpoint ({MARK}: {error})") from error
