"""Check whether the default grid depends on threads, batch sizes or kernels of the libraries.

    python experiments/benchmarks/same_grid.py

Every setting runs in a separate process with an empty folder. The report compares it with one thread. It
counts the heads whose L2, dev or test score differs, and the answers to single test examples that differ.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import probing
from experiments.benchmarks.report import write_report

COLUMNS = ("l2", "dev", "test")


@dataclass(frozen=True)
class Setting:
    """One way to compute the same grid.

    Attributes:
        overrides: Overrides of the command line.
        environment: Environment variables that select kernels.
    """

    overrides: tuple[str, ...] = ("extract.threads=1",)
    environment: Mapping[str, str] = field(default_factory=dict)


OLD_KERNELS = {
    "MKL_CBWR": "COMPATIBLE",
    "OPENBLAS_CORETYPE": "Nehalem",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
}
"""Kernels of MKL, OpenBLAS and oneDNN for processors without AVX."""
SETTINGS = {
    "one_thread": Setting(),
    "two_threads": Setting(("extract.threads=2",)),
    "batches_of_64_tokens": Setting(("extract.threads=1", "extract.batch_tokens=64")),
    "batches_of_2048_tokens": Setting(("extract.threads=1", "extract.batch_tokens=2048")),
    "old_kernels": Setting(environment=OLD_KERNELS),
    "torch_without_avx": Setting(environment={"ATEN_CPU_CAPABILITY": "default"}),
}


def main() -> None:
    """Run all settings and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("outputs"))
    options = parser.parse_args()
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, setting in SETTINGS.items():
            _run(setting, Path(folder) / name)
            if name != "one_thread":
                figures[name] = _differences(Path(folder) / "one_thread", Path(folder) / name)
    write_report(options.root, "same_grid", figures)


def _run(setting: Setting, root: Path) -> None:
    command = [sys.executable, "-m", "probing", f"paths.root={root}", *setting.overrides]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **setting.environment})


def _differences(one: Path, other: Path) -> dict[str, int]:
    """Return the number of differing heads by column, of differing answers, and of all answers."""
    first, second = (probing.load_results(root) for root in (one, other))
    mine, theirs = (probing.load_predictions(root).answers for root in (one, other))
    heads = {name: int((first[name] != second[name]).sum()) for name in COLUMNS}
    return {**heads, "answers": int((mine != theirs).sum()), "of_answers": int(mine.size)}


if __name__ == "__main__":
    main()
