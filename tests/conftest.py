"""What tests share: tiny random models in folders of their own, small tasks, and the way to real data."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from probing.tasks.target import Classes
from probing.tasks.task import Task, Unit
from tests.tiny import WORDS, make_bert, make_gpt2

os.environ.setdefault("HF_HUB_OFFLINE", "1")
SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Tests run side by side; each keeps to one core."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bert(tmp_path_factory.mktemp("models") / "tiny-bert")


@pytest.fixture(scope="session")
def tiny_gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_gpt2(tmp_path_factory.mktemp("models") / "tiny-gpt2")


@pytest.fixture
def shared() -> Path:
    """Real data that lies beside the checkout; without it the test is skipped."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"real data is not at {SHARED}")
    return SHARED


@pytest.fixture
def small_task() -> Task:
    """Sixty sentences of different lengths in two classes, some of them twice."""
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, size=rng.integers(1, 12))) for _ in range(57)]
    texts += texts[:3]
    return Task(
        name="test/small",
        units=tuple(Unit(text) for text in texts),
        target=Classes(np.arange(60) % 2, ("even", "odd")),
        split=np.array(["train"] * 36 + ["dev"] * 12 + ["test"] * 12),
    )
