"""Examples as batches on which an objective runs the model."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from probing.models.loading import LoadedModel
from probing.objectives.objective import Batch, ObjectiveContext
from probing.representations.encode import EncodedBatch, Encoder
from probing.tasks.task import Task, Unit

if TYPE_CHECKING:
    from torch import Tensor

SPLITS = ("train", "dev", "test")
Finish = Callable[[Batch], Batch]
Batches = Mapping[str, Sequence[Batch]]
"""Batches of every split."""


def encoder_of(loaded: LoadedModel, setting: ObjectiveContext) -> Encoder:
    """Return the tokenizer with the limits of the model and the user, and a row for every example."""
    return Encoder(
        tokenizer=loaded.tokenizer,
        arguments=frozenset(inspect.signature(loaded.model.forward).parameters),
        max_length=loaded.limit(setting.extract.max_length),
        token_budget=setting.extract.token_budget(loaded.model.device),
        shared=False,
        padding=loaded.padding,
    )


def make_batches(
    loaded: LoadedModel,
    setting: ObjectiveContext,
    task: Task,
    units: Sequence[Unit],
    finish: Finish,
    *,
    distinct: bool = False,
) -> Batches:
    """Return the batches of every split, on the model's device.

    Args:
        loaded: Model and tokenizer.
        setting: Length and batch limits.
        task: The examples.
        units: The model's input for each example.
        finish: Adds what the objective needs in addition to the inputs.
        distinct: Whether a text that several examples share is read once, for the first of them.

    Raises:
        ProbingError: If a text has no tokens.
    """
    encoder = encoder_of(loaded, setting)
    found = {}
    for split in SPLITS:
        rows = task.rows(split)
        if distinct:
            rows = np.array(list({units[row]: row for row in reversed(rows)}.values()), dtype=np.int64)
        chosen = [units[row] for row in rows]
        batches = (_batch(encoded, rows) for encoded in encoder.batches(chosen))
        found[split] = [finish(batch).to(loaded.model.device) for batch in batches if len(batch.rows)]
    return found


def _batch(encoded: EncodedBatch, rows: NDArray[np.int64]) -> Batch:
    # words that were cut off with the end of their text have no row of tokens
    kept = list(range(len(encoded.units)))
    if encoded.texts is not None:
        kept = encoded.texts.tolist()
    inputs: Mapping[str, Tensor] = {name: tensor[kept] for name, tensor in encoded.inputs.items()}
    return Batch(inputs, rows[list(encoded.units)], encoded.tokens, np.ones(len(encoded.units)))
