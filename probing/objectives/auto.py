"""The default objective of a model: its own classifier if it has one, otherwise a readout."""

from __future__ import annotations

from dataclasses import dataclass

from probing.models.model_files import ModelFiles
from probing.objectives.classifier import Classifier
from probing.objectives.objective import Objective
from probing.objectives.readout import Readout


@dataclass(frozen=True)
class Auto:
    """Choice of the objective by the model's files."""


def suitable(files: ModelFiles) -> Objective:
    """Return the classifier objective for a classification checkpoint, and a readout for any other model."""
    architectures = files.settings.get("architectures") or []
    return Classifier() if any("SequenceClassification" in name for name in architectures) else Readout()
