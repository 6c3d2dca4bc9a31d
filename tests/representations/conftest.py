"""A model for joint sentence pairs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.representations.kinds import make_joint_bert


@pytest.fixture(scope="session")
def joint_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_joint_bert(tmp_path_factory.mktemp("models") / "joint-bert")
