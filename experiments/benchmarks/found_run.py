"""Processor time of a run whose result is found, as a multiple of importing a few libraries.

python experiments/benchmarks/found_run.py
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile

TIMES = 7
IMPORTS = "import hydra, pandas, pyarrow, matplotlib.pyplot"


def seconds(*command: str) -> float:
    """Return the processor time of a command and its children, in seconds."""
    before = os.times()
    subprocess.run(command, check=True, capture_output=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    """Print the medians and their ratio."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as root:
        run = (sys.executable, "-m", "probing", f"paths.root={root}")
        subprocess.run(run, check=True, capture_output=True)
        pairs = [(seconds(*run), seconds(sys.executable, "-c", IMPORTS)) for _ in range(TIMES)]
    found, imports = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(f"found run {found:.2f} s, imports alone {imports:.2f} s: {found / imports:.2f} x")


if __name__ == "__main__":
    main()
