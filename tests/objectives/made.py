"""Objectives made ready without a command line, and tasks for them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from probing.models.loading import Attention, LoadedModel, Purpose, load_model
from probing.models.model_choice import ModelConfig
from probing.models.model_files import find_files
from probing.objectives.objective import Evaluator, Objective, ObjectiveContext
from probing.representations.reductions.pooling import Pooling
from probing.representations.settings import ExtractConfig
from probing.tasks.target import Classes
from probing.tasks.task import Task, Unit
from tests.tiny import WORDS

CLASSES = ("past", "present")


def ready_of(
    folder: Path,
    objective: Objective,
    task: Task,
    *,
    pooling: Pooling = "first",
    attention: Attention = "sdpa",
    tokens: int = 96,
    seed: int = 0,
) -> Evaluator:
    """An objective as a run would make it; the vectors of its readout are of each text alone."""
    files = find_files(ModelConfig(str(folder)))

    @cache
    def load(purpose: Purpose, attention: Attention) -> LoadedModel:
        return load_model(files, device=torch.device("cpu"), purpose=purpose, attention=attention)

    def vectors(units: Sequence[Unit], layer: int) -> NDArray[np.float32]:
        loaded = load("read", attention)
        found = [_vector(loaded, unit, layer, pooling) for unit in units]
        return torch.stack(found).numpy()

    objective.check(task)
    setting = ObjectiveContext(
        task, load, ExtractConfig("cpu", threads=1, batch_tokens=tokens), pooling, vectors, seed, attention
    )
    return objective.prepare(setting)


def _vector(loaded: LoadedModel, unit: Unit, layer: int, pooling: Pooling) -> torch.Tensor:
    texts = [unit.text] if unit.second is None else [unit.text, unit.second]
    encoded = loaded.tokenizer(*texts, return_tensors="pt", return_offsets_mapping=True)
    offsets = encoded["offset_mapping"][0]
    chosen = torch.ones(len(offsets), dtype=torch.bool)
    if unit.span is not None:
        start, end = unit.span
        chosen = (offsets[:, 0] >= start) & (offsets[:, 1] <= end) & (offsets[:, 1] > offsets[:, 0])
    with torch.no_grad():
        output = loaded.model(input_ids=encoded["input_ids"], output_hidden_states=True)
    states = output.hidden_states[layer + 1][0][chosen]
    pooled: dict[str, torch.Tensor] = {
        "first": states[0], "last": states[-1], "mean": states.mean(0), "max": states.amax(0)
    }  # fmt: skip
    return pooled[pooling]


def texts(n: int = 80, *, seed: int = 0, longest: int = 9) -> list[str]:
    """Different sentences of 1 to `longest` words."""
    rng = np.random.default_rng(seed)
    found: dict[str, None] = {}
    while len(found) < n:
        found[" ".join(rng.choice(WORDS[:-1], size=rng.integers(1, longest + 1)))] = None
    return list(found)


def small(n: int = 80, *, seed: int = 0, longest: int = 9) -> Task:
    """Sentences in two classes, by whether they hold `the` or `a`, of which half of them do."""
    chosen = texts(n, seed=seed, longest=longest)
    return of_texts(chosen, np.arange(n) % 2)


def of_texts(chosen: Sequence[str], labels: NDArray[np.int64], partners: Sequence[str] = ()) -> Task:
    """A task of some texts, in two classes; half of them are train, the others dev and test."""
    n = len(chosen)
    order = np.random.default_rng(1).permutation(n)
    split = np.empty(n, dtype="<U5")
    split[order] = np.repeat(["train", "dev", "test"], [n - 2 * (n // 4), n // 4, n // 4])
    return Task(
        name="test/small",
        units=tuple(Unit(text) for text in chosen),
        target=Classes(np.asarray(labels), CLASSES),
        split=split,
        partners=tuple(Unit(text) for text in partners) or None,
    )


def words(n: int = 80) -> Task:
    """Words in sentences of some others: every other is of one token, the rest of two or three."""
    rng = np.random.default_rng(2)
    units = []
    for row in range(n):
        left, inside, right = (
            " ".join(rng.choice(WORDS[:-1], size=size)) for size in (2, 1 + (row % 2) * rng.integers(1, 3), 3)
        )
        start = len(left) + 1
        units.append(Unit(f"{left} {inside} {right}", (start, start + len(inside))))
    task = of_texts([unit.text for unit in units], np.arange(n) // 2 % 2)
    return Task(name="test/words", units=tuple(units), target=task.target, split=task.split)
