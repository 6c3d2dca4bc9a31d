"""Whatever kills a run or fails next to it, the rows that are served are the right ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.skipif(not hasattr(os, "fork"), reason="runs are forked")
@pytest.mark.parametrize("what", ["kills", "writers"])
def test_nothing_wrong_is_served_after(tmp_path: Path, what: str) -> None:
    here = Path(__file__).resolve()
    environment = {
        **os.environ,
        "PYTHONPATH": str(here.parents[2]),
        "OMP_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, str(here.with_name("driver.py")), what, str(tmp_path)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert ended.returncode == 0, ended.stdout + ended.stderr
