"""Learned gates: the distribution, its limits, and what they do to a model whose heads are known."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import probing
from probing.ablations.hard_concrete import CLOSED, GAMMA, ZETA, gate_at_test, noise, p_open, sample
from tests.ablations.handbuilt import IGNORED, NEEDED, make_handbuilt, sentences
from tests.figures.found import of

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("log_alpha", [-3.0, -1.0, 0.0, 1.5])
def test_the_probability_that_a_gate_is_open_is_that_of_its_samples(log_alpha: float) -> None:
    u = noise((200_000, 1), torch.Generator().manual_seed(0))
    share = float((sample(torch.tensor([log_alpha]), u) > 0).float().mean())
    assert share == pytest.approx(float(p_open(torch.tensor(log_alpha))), abs=0.005)


def test_the_test_gate_is_closed_up_to_its_threshold_and_open_from_the_other() -> None:
    assert pytest.approx(-2.398, abs=5e-4) == CLOSED
    opened = math.log((1 - GAMMA) / (ZETA - 1))
    at = torch.tensor([CLOSED - 1e-3, CLOSED + 1e-3, opened - 1e-3, opened + 1e-3])
    gates = gate_at_test(at)
    assert gates[0] == 0
    assert 0 < gates[1] < gates[2] < 1
    assert gates[3] == 1


def test_the_gradient_of_the_penalty_is_that_of_finite_differences() -> None:
    at = torch.tensor([-2.0, 0.3, 2.5], dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(p_open(at).sum(), at)
    step = 1e-6
    numeric = (p_open(at.detach() + step) - p_open(at.detach() - step)) / (2 * step)
    torch.testing.assert_close(gradient, numeric, rtol=1e-6, atol=1e-9)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gates")
    make_handbuilt(folder / "handbuilt")
    return folder


def _run(root: Path, *more: str) -> pd.DataFrame:
    arguments = [f"paths.root={root / 'out'}", "model=hf", f"model.name={root / 'handbuilt'}", "task=table",
                 "extract.threads=1", "task.classes=[bad,good]", "task.split=split", "analysis=gates",
                 "objective=classifier", "analysis.steps=150", *more]  # fmt: skip
    return probing.run(arguments, data=sentences())


def _gates(frame: pd.DataFrame, penalty: str) -> pd.Series:
    rows = of(frame, "gate", penalty=float(penalty))
    return rows.set_index(["layer", "head"])["value"].astype(float)


def test_no_penalty_keeps_all_heads_a_moderate_one_the_needed_and_a_huge_one_none(root: Path) -> None:
    frame = _run(root, "analysis.lambdas=[0,0.05,100]")
    assert (_gates(frame, "0").drop([IGNORED]) > 0.5).all()
    moderate = _gates(frame, "0.05")
    assert moderate[NEEDED] > 0.5
    assert moderate[IGNORED] == 0
    assert (_gates(frame, "100") == 0).all()
    path = frame[frame["variant"] == "path"].sort_values("penalty")
    assert path["n_heads"].iloc[-1] == 0
    assert path["test"].iloc[1] == path["full"].iloc[1] == 1
    assert path["test"].iloc[-1] == 0.5


def test_the_same_seed_learns_the_same_gates_and_trained_weights_are_put_back(root: Path) -> None:
    first = _run(root, "analysis.lambdas=[0.05]", "analysis.frozen=false")
    again = _run(root, "analysis.lambdas=[0.05]", "analysis.frozen=false", "overwrite=always")
    np.testing.assert_array_equal(_gates(first, "0.05"), _gates(again, "0.05"))
    # a second lambda, trained after the first has been put back, is what it is alone
    both = _run(root, "analysis.lambdas=[0.01,0.05]", "analysis.frozen=false")
    np.testing.assert_array_equal(_gates(first, "0.05"), _gates(both, "0.05"))
