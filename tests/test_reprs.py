"""What a user meets at a prompt shows its identity and shape in one or two lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import probing
from probing.config.compose import compose_config, plain_values
from probing.config.run_config import build_config
from probing.models.heads import Heads
from probing.models.loading import load_model
from probing.runs.prepare import prepare
from probing.tasks.target import Classes, Labels, Scores
from probing.tasks.task import Task, Unit
from tests.figures.frames import frame
from tests.tiny import make_bart

pytestmark = pytest.mark.slow

MOST, LINES = 300, 2


def of_tasks() -> Iterator[tuple[object, str]]:
    names = tuple(f"class number {number}" for number in range(900))
    units = tuple(Unit(f"text {number} " * 400, (0, 4)) for number in range(2900))
    classes = Classes(np.arange(2900) % 900, names)
    split = np.array(["train"] * 1800 + ["dev"] * 200 + ["test"] * 900)
    task = Task("mine/long", units, classes, split)
    yield task, r"Task\(mine/long: 2900 units, 1800 train, 200 dev, 900 test; accuracy; Classes\(2900 exam"
    yield classes, r"Classes\(2900 examples, 900 classes: class number 0, .* and 896 more\)"
    yield Scores(np.linspace(0, 5, 3000), (0.0, 2.5, 5.0)), r"Scores\(3000 examples, anchors from 0 to 5\)"
    yield Labels(np.zeros((3000, 900), bool), names), r"Labels\(3000 examples, 900 labels: class number 0"
    yield units[0], r"Unit\('text 0 text 0 .*\.\.\.', span=\(0, 4\)\)"
    yield Unit("a b", (0, 1), second_span=(2, 3)), r"Unit\('a b', span=\(0, 1\), second_span=\(2, 3\)\)"


def of_models(folder: Path) -> Iterator[tuple[object, str]]:
    model = torch.nn.Module.float(probing_model(folder))
    sites = probing.find_sites(model)
    yield sites, r"Sites\(bart, sdpa attention: 6 of heads, \d+ of hidden states, 0 of attention\)"
    yield sites.heads[0], r"Site\(encoder head outputs of layer 0 \(encoder.*\): 4 heads x 8\)"
    yield sites.hidden[0], r"Site\(encoder hidden states of layer -1 \(.*\): 32 features\)"
    yield Heads(sites.heads), r"Heads\(24 heads: encoder 2 layers, decoder 2 layers, cross 2 layers\)"
    with probing.capture(model, sites.heads, lambda *_: None) as run:
        yield run, r"Capture\(BartModel: 6 sites\)"
    yield probing.prune_heads(model, {0: [1], 1: [0, 2]}, stack="encoder"), r"Pruned\(cut=\{0: \(1,\), 1: \("


def probing_model(folder: Path) -> Any:  # noqa: ANN401
    from transformers import AutoModel

    return AutoModel.from_pretrained(make_bart(folder / "bart")).eval()


def of_runs(folder: Path, bert: Path) -> Iterator[tuple[object, str]]:
    small = {"task.n_train": 60, "task.n_dev": 30, "task.n_test": 30, "paths.root": folder / "out"}
    options = {"model": "hf", "model.name": bert, **small}
    probing.run(options)
    config = build_config(
        plain_values(compose_config([f"{name}={value}" for name, value in options.items()]))
    )
    run = prepare(config)
    yield config, r"Config\(tiny-bert \| grammar/tense \| probe \| head\)"
    yield run, r"Run\(RunSpec\(probe \| tiny-bert \| grammar/tense \| head \| logistic; key [0-9a-f]{16}\)\)"
    yield run.spec, r"RunSpec\(probe \| tiny-bert"
    yield run.spec.card, r"TaskCard\(grammar/tense: 60 train, 30 dev, 30 test; accuracy\)"
    yield run.spec.files, r"ModelFiles\(tiny-bert: /"
    yield (
        run.context().reading.representations,
        r"Representations\(120 rows, 3 layers of 4 x 8; key [0-9a-f]+\)",
    )
    loaded = load_model(run.spec.files, device=torch.device("cpu"))
    yield loaded, r"LoadedModel\(BertModel, \w+: [\d,]+ parameters, float32 on cpu, /"
    yield (
        probing.load_predictions(folder / "out"),
        r"Predictions\(tiny-bert \| grammar/tense \| head: 12 probes, 30",
    )


def test_what_a_prompt_shows_is_short(tmp_path: Path, tiny_bert: Path) -> None:
    grids = frame()
    one = grids[grids["task"] == grids["task"].iloc[0]]
    shown = [
        *of_tasks(),
        *of_models(tmp_path),
        *of_runs(tmp_path, tiny_bert),
        (probing.compare(one, one), r"Comparison\(\d+ common cells: Spearman 1\.000"),
    ]
    with pytest.raises(probing.ProbingError) as caught:
        probing.run(taks="grammar/tense")
    shown.append((caught.value, r"ProbingError\('run has no taks=; did you mean task\?"))
    for value, expected in shown:
        text = repr(value)
        assert re.match(expected, text), text
        assert len(text) < MOST, (len(text), text)
        assert text.count("\n") < LINES, text
