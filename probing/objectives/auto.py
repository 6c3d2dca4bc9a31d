"""The objective that suits a model: its own classifier if it has one, a readout otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from probing.models.model_files import ModelFiles
from probing.objectives.classifier import Classifier
from probing.objectives.objective import Objective
from probing.objectives.readout import Readout


@dataclass(frozen=True)
class Auto:
    """Choose by the model's own files."""


def suitable(files: ModelFiles) -> Objective:
    """A classification checkpoint is judged by its own answers, any other model by a readout."""
    architectures = files.settings.get("architectures") or []
    return Classifier() if any("SequenceClassification" in name for name in architectures) else Readout()
