"""Checkpoints on disk: a model's own folder, with its classifier beside it.

`config.json`, `model.safetensors` and the tokenizer are what any program reads, `probing` among them.
`classifier.safetensors` is the linear layer; `finetune.json` says how both go together and is written last:
without it a folder counts as half-written. What the trainer needs to go on lies there too.
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
from probing.objectives.saved_head import RECIPE, WEIGHTS

CLASSIFIER, MARK, RESUME = WEIGHTS, RECIPE, "optimizer.pt"


def save_model(folder: Path, model: ReadOut, source: ModelFiles) -> None:
    """Write the model, the tokenizer's files as they came, and the classifier."""
    folder.mkdir(parents=True, exist_ok=True)
    model.backbone.save_pretrained(folder)
    for pattern in TOKENIZER:
        for path in source.tokenizer_folder.glob(pattern):
            replace_file(folder / path.name, path.read_bytes())
    weights = {name: value.detach().cpu().contiguous() for name, value in model.head.state_dict().items()}
    replace_file(folder / CLASSIFIER, save(weights))


def mark_whole(folder: Path, recipe: Recipe) -> None:
    """Say that nothing of a checkpoint is missing any more."""
    replace_file(folder / MARK, json.dumps(asdict(recipe), indent=1).encode())


def load_checkpoint(folder: Path, device: torch.device) -> tuple[ReadOut, LoadedModel]:
    """The classifier as it was saved, in evaluation mode, and the model that it is on.

    Raises:
        ProbingError: If the folder is no whole checkpoint.
    """
    recipe = _recipe(folder)
    loaded = load_model(find_files(ModelConfig(str(folder))), device=device)
    model = ReadOut(loaded, recipe, seed=0)
    restore_classifier(model, folder)
    model.to(device)
    return model.eval(), loaded


def restore(model: ReadOut, folder: Path) -> None:
    """Put the weights of a checkpoint into a classifier that is there."""
    device = next(model.parameters()).device
    saved = load_model(find_files(ModelConfig(str(folder))), device=device)
    model.backbone.load_state_dict(saved.model.state_dict())
    restore_classifier(model, folder)


def restore_classifier(model: ReadOut, folder: Path) -> None:
    """Put the saved weights of the linear layer alone into a classifier that is there."""
    model.head.load_state_dict(load_file(folder / CLASSIFIER))


def whole_checkpoints(run: Path) -> list[Path]:
    """The checkpoints of a run that are complete, in order of their steps."""
    found = {int(path.name.rpartition("-")[2]): path for path in _folders(run) if (path / MARK).is_file()}
    return [found[step] for step in sorted(found)]


def resumable(run: Path) -> Path | None:
    """The last complete checkpoint that training can go on from."""
    able = [path for path in whole_checkpoints(run) if (path / RESUME).is_file()]
    return able[-1] if able else None


def drop_half_written(run: Path) -> None:
    """Remove what a kill left of a checkpoint."""
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
        raise ProbingError(f"{folder}: no whole checkpoint of a fine-tuning run ({MARK}: {error})") from error
