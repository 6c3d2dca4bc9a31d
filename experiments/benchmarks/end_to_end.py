"""Time that a user waits for help, for the first grid, and for the same grid again.

    python experiments/benchmarks/end_to_end.py

Every command runs in a separate process, with an empty folder for its output.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from experiments.benchmarks.report import write_report


def main() -> None:
    """Run the benchmark and write its report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("outputs"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = {
            "help_s": _seconds("--help"),
            "first_grid_s": _seconds(f"paths.root={folder}"),
            "same_again_s": _seconds(f"paths.root={folder}"),
            "other_probe_settings_s": _seconds(f"paths.root={folder}", "probe.l2=[0.001]"),
        }
    figures["first_over_again"] = figures["first_grid_s"] / figures["same_again_s"]
    write_report(options.root, "end_to_end", figures)


def _seconds(*arguments: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "probing", *arguments], check=True, capture_output=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
