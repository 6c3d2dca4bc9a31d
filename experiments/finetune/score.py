"""Scores of a checkpoint's classifier on dev and on test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from experiments.finetune.checkpoint import load_checkpoint
from experiments.finetune.examples import Examples, Rows, Split
from experiments.finetune.readout import ReadOut
from probing.io.files import replace_file
from probing.statistics.metrics import score
from probing.statistics.scores import test_scores

SCORES = "scores.json"
BATCH = 64


def scores(folder: Path, data: Examples, rows: Split, device: torch.device) -> dict[str, float]:
    """Return the task's metric on `dev` and `test`, found in the checkpoint's folder or computed.

    Raises:
        ProbingError: If the folder is not a complete checkpoint.
    """
    path = folder / SCORES
    if path.is_file():
        kept: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
        return kept
    model, _ = load_checkpoint(folder, device)
    problem = data.problem
    dev, test = (predict(model, data, which) for which in (rows.dev, rows.test))
    found = {
        "dev": float(score(torch.from_numpy(dev), torch.from_numpy(problem.gold[rows.dev]), problem.metric)),
        "test": float(test_scores(problem, test[None])[problem.metric][0]),
    }
    replace_file(path, json.dumps(found).encode())
    return found


@torch.inference_mode()
def predict(model: ReadOut, data: Examples, rows: Rows) -> NDArray[Any]:
    """Return the classifier's answers: classes, int64 (n,), or scores, float64 (n,)."""
    answers = []
    for start in range(0, len(rows), BATCH):
        batch = data(rows[start : start + BATCH].tolist())
        batch = {name: _moved(value, model) for name, value in batch.items()}
        logits = model(**batch)["logits"].cpu()
        answers.append(logits.argmax(1) if model.recipe.classes else logits.double())
    found: NDArray[Any] = torch.cat(answers).numpy()
    return found


def _moved(value: Any, model: ReadOut) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {name: tensor.to(model.backbone.device) for name, tensor in value.items()}
    return None if value is None else value.to(model.backbone.device)
