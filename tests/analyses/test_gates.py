"""Learned gates as an analysis: limits, weights put back, runs killed, every kind of model."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import probing
from probing.ablations.evaluate import MaskedEvaluator
from probing.ablations.learned_gates import START, Gates, Training, learn_gates, own_weights
from probing.analyses.gates import GatesAnalysis
from probing.cli import main as cli
from probing.errors import ProbingError
from probing.models.masking import gated, masked
from probing.objectives.classifier import Classifier
from probing.objectives.language import Language
from probing.objectives.objective import Batch, Evaluator, Output
from tests import tiny
from tests.ablations.handbuilt import IGNORED, NEEDED, make_handbuilt, sentences
from tests.figures.found import of
from tests.objectives.made import ready_of, small

pytestmark = pytest.mark.slow

FAMILIES = {
    "bert": tiny.make_masked,
    "gpt2": tiny.make_causal,
    "llama": tiny.make_llama,
    "bart": tiny.make_bart,
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gates")
    make_handbuilt(folder / "handbuilt")
    tiny.make_classifier(folder / "classifier")
    for name, make in FAMILIES.items():
        make(folder / name)
    return folder


def _learned(ready: Evaluator, penalty: float, *, steps: int = 60, rate: float = 0.2, **more: Any) -> Gates:  # noqa: ANN401
    training = Training(penalty, steps, 8, rate, 1e-3)
    return list(learn_gates(ready, ready.heads, training, 0, **more))[-1][0]


def _run(root: Path, out: str, *more: str, code: int = 0) -> pd.DataFrame:
    arguments = [f"paths.root={root / out}", "model=hf", f"model.name={root / 'handbuilt'}", "task=table",
                 f"task.path={root / 'sentences.csv'}", "extract.threads=1", "task.classes=[bad,good]",
                 "task.split=split", "analysis=gates", "objective=classifier", *more]  # fmt: skip
    sentences().to_csv(root / "sentences.csv", index=False)
    assert cli.main(arguments) == code
    return probing.load_results(root / out)


@pytest.mark.parametrize("name", FAMILIES)
def test_open_gates_are_the_model_and_closed_gates_are_its_heads_masked(root: Path, name: str) -> None:
    ready = ready_of(root / name, Language(), small())
    (batch, *_) = ready.batches("dev")
    n = len(ready.heads)
    nothing = torch.zeros(1, n, dtype=torch.bool)
    with torch.no_grad():
        whole = ready.run(batch).loss
        with gated(ready.model, ready.heads, torch.ones(1, n)):
            torch.testing.assert_close(ready.run(batch).loss, whole, rtol=0, atol=0)
        with gated(ready.model, ready.heads, torch.ones(1, n).requires_grad_()):
            torch.testing.assert_close(ready.run(batch).loss, whole, rtol=1e-6, atol=1e-6)
        with gated(ready.model, ready.heads, torch.zeros(1, n)):
            closed = ready.run(batch).loss
        with masked(ready.model, ready.heads, nothing):
            torch.testing.assert_close(ready.run(batch).loss, closed, rtol=1e-6, atol=1e-6)
    assert not torch.allclose(closed, whole, rtol=1e-4)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_huge_penalty_leaves_the_model_without_heads(root: Path, name: str) -> None:
    ready = ready_of(root / name, Language(), small())
    gates = _learned(ready, 100.0, steps=120)
    assert (gates.levels == 0).all()
    assert gates.undecided == 0
    answers = MaskedEvaluator(ready, threads=1)
    found = answers.answers("test", gates.levels[None])
    without = answers.answers("test", np.zeros((1, len(ready.heads)), dtype=bool))
    np.testing.assert_allclose(found.loss, without.loss, rtol=1e-5)


def test_training_begins_with_the_model_as_it_is() -> None:
    assert (Gates(np.full(3, START)).levels == 1).all()


def test_every_train_example_is_seen_once_before_any_is_seen_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = ready_of(root / "classifier", Classifier(), small())
    seen: list[int] = []
    run = ready.run

    def noted(batch: Batch) -> Output:
        assert len(batch.rows) <= 8
        assert all(
            len(tensor) == len(batch.rows) for tensor in (*batch.inputs.values(), *batch.extra.values())
        )
        seen.extend(batch.rows.tolist())
        return run(batch)

    monkeypatch.setattr(ready, "run", noted)
    _learned(ready, 0.0, steps=30)
    rows = ready.task.rows("train").tolist()
    assert sorted(seen[: len(rows)]) == sorted(seen[len(rows) : 2 * len(rows)]) == sorted(rows)
    assert seen[: len(rows)] != seen[len(rows) : 2 * len(rows)]


def test_trained_weights_are_scored_and_put_back_to_the_bit(root: Path) -> None:
    ready = ready_of(root / "classifier", Classifier(), small())
    before = {name: tensor.clone() for name, tensor in ready.model.state_dict().items()}
    evaluator, keep = MaskedEvaluator(ready, threads=1), np.ones((1, len(ready.heads)))
    loss = evaluator.answers("test", keep).loss
    with own_weights(ready.model) as weights:
        _learned(ready, 0.0, weights=weights)
        assert not np.allclose(evaluator.answers("test", keep).loss, loss, rtol=1e-3)
    _stopped(ready)
    for name, tensor in ready.model.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert not any(weight.requires_grad or weight.grad is not None for weight in ready.model.parameters())
    np.testing.assert_array_equal(evaluator.answers("test", keep).loss, loss)


def _stopped(ready: Evaluator) -> None:
    """Training that is interrupted."""
    with suppress(KeyboardInterrupt), own_weights(ready.model) as weights:
        _learned(ready, 0.0, steps=2, weights=weights)
        raise KeyboardInterrupt


def test_frozen_training_touches_nothing_of_the_model(root: Path) -> None:
    ready = ready_of(root / "classifier", Classifier(), small())
    before = {name: tensor.clone() for name, tensor in ready.model.state_dict().items()}
    gates = _learned(ready, 0.01)
    assert (gates.log_alpha != START).all()
    assert all(torch.equal(tensor, before[name]) for name, tensor in ready.model.state_dict().items())
    assert not any(weight.requires_grad or weight.grad is not None for weight in ready.model.parameters())


def test_the_needed_head_closes_last_and_a_killed_run_goes_on_as_if_it_was_not(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = ["analysis.lambdas=[0.02,0.005,0.1]", "analysis.steps=100"]
    whole = _run(root, "whole", *path)
    done: list[int] = []
    real = GatesAnalysis.run_part

    def stop_at_one(self: GatesAnalysis, experiment: Any, part: int) -> pd.DataFrame:  # noqa: ANN401
        done.append(part)
        if done == [0, 1]:
            raise KeyboardInterrupt
        return real(self, experiment, part)

    monkeypatch.setattr(GatesAnalysis, "run_part", stop_at_one)
    assert _run(root, "killed", *path, code=cli.STOPPED).empty
    again = _run(root, "killed", *path)
    assert done == [0, 1, 1, 2]
    assert "kept from an interrupted run" in capsys.readouterr().err
    pd.testing.assert_frame_equal(again, whole)

    assert set(whole["variant"]) == {"full", "path", "gate", "open"}
    for each in ("0.005", "0.02", "0.1"):
        rows = of(whole, "open", penalty=float(each)).set_index(["layer", "head"])
        assert rows.loc[NEEDED, "rank"] == 1
        assert rows["value"].astype(float).idxmax() == NEEDED
        assert rows.loc[IGNORED, "value"] <= rows["value"].min() + 0.01
        gates = of(whole, "gate", penalty=float(each)).set_index(["layer", "head"])["value"]
        assert gates[NEEDED] == 1
        assert gates[IGNORED] == 0
    curve = whole[whole["variant"] == "path"]
    assert curve["draw"].isna().all()
    assert curve["penalty"].tolist() == [0.005, 0.02, 0.1]
    assert curve["n_heads"].is_monotonic_decreasing
    assert curve["layer"].isna().all()
    assert curve["rank"].isna().all()


def test_only_the_layers_that_are_asked_for_have_gates(root: Path) -> None:
    frame = _run(root, "layers", "granularity.layers=[1]", "analysis.lambdas=[100]", "analysis.steps=150")
    grid = of(frame, "gate", penalty=100)
    assert grid["layer"].tolist() == [1] * 4
    assert (grid["value"] == 0).all()
    assert frame[frame["variant"] == "path"]["n_heads"].tolist() == [4]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"lambdas": ()}, "lambdas is empty"),
        ({"lambdas": (0.1, -1.0)}, "from 0 up"),
        ({"lambdas": (float("nan"),)}, "from 0 up"),
        ({"steps": 0}, "analysis.steps"),
        ({"rate": 0.0}, "analysis.rate"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ProbingError, match=said):
        GatesAnalysis(**settings)


def test_half_precision_is_not_trained(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ProbingError, match="no such folder"):  # a mistake leaves no trace
        _run(root, "half", "analysis.frozen=false", "extract.dtype=bfloat16", code=cli.MISTAKE)
    assert "use extract.dtype=float32" in capsys.readouterr().err.splitlines()[-1]
