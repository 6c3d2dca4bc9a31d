"""Time to read a treebank and build all ten sentence tasks, compared with the bare parser.

    python experiments/benchmarks/treebank.py UD_English-EWT

Times are processor seconds of one process with one thread. This package reads with the library `conllu`,
checks every tree and builds the tasks. The other side only runs `conllu.parse` with its defaults on the same
files. Rounds take turns, so that both sides meet the same disturbances. Every round reads the files again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sized
from functools import partial
from pathlib import Path

import conllu
import numpy as np

from experiments.benchmarks.report import write_report
from probing.datasets.treebank.files import read_stamped, read_treebank, treebank_files
from probing.datasets.treebank.pool import pool_stamped
from probing.datasets.treebank.properties import KINDS
from probing.datasets.treebank.task import TreebankTask

READING = "reading"
PARSER = "parser alone"


def main() -> None:
    """Run the benchmark and write its report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--root", type=Path, default=Path("outputs"))
    options = parser.parse_args()
    figures = measure(options.path, options.rounds)
    write_report(options.root, "treebank", {"treebank": options.path.resolve().name, **figures})


def measure(path: Path, rounds: int) -> dict[str, object]:
    """Return the seconds of every step in every round, and the ratio of their sum to the parser alone.

    Args:
        path: A treebank of CoNLL-U files.
        rounds: Number of rounds.
    """
    seconds: dict[str, list[float]] = {name: [] for name in (PARSER, READING, *KINDS)}
    sizes: dict[str, int] = {}
    for _ in range(rounds):
        read_stamped.cache_clear()
        pool_stamped.cache_clear()
        steps: dict[str, Callable[[], Sized]] = {
            PARSER: partial(parse_alone, path),
            READING: partial(read_treebank, path),
            **{kind: TreebankTask(f"treebank/{kind}", path, kind).build for kind in KINDS},
        }
        for name, step in steps.items():
            began = time.process_time()
            sizes[name] = len(step())
            seconds[name].append(time.process_time() - began)
    ours = [sum(values) for values in zip(*(seconds[name] for name in (READING, *KINDS)), strict=True)]
    print(f"{'':24}{'median s':>10}{'examples':>10}")
    for name, values in seconds.items():
        print(f"{name:24}{np.median(values):10.2f}{sizes[name]:10}")
    print(f"{'reading and ten tasks':24}{np.median(ours):10.2f}")
    return {
        "sizes": sizes,
        "seconds": {name: [round(value, 3) for value in values] for name, values in seconds.items()},
        "seconds_all": float(np.median(ours)),
        "ratio_to_parser": float(np.median([a / b for a, b in zip(ours, seconds[PARSER], strict=True)])),
    }


def parse_alone(path: Path) -> list[conllu.TokenList]:
    """Read all sentences with the library's default settings."""
    texts = (file.read_text(encoding="utf-8") for file in treebank_files(path))
    return [sentence for text in texts for sentence in conllu.parse(text)]


if __name__ == "__main__":
    main()
