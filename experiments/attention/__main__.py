"""Study after "What Does BERT Look At?" (Clark, Khandelwal, Levy & Manning, BlackboxNLP 2019).

    python -m experiments.attention dependencies --treebank UD_English-EWT
    python -m experiments.attention surface --treebank UD_English-EWT --preset full

Missing runs of a part are run first. Further words are overrides of every run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from experiments.attention.parts import PARTS
from experiments.attention.presets import PRESETS
from experiments.runs import frames
from experiments.study import make_parts, parser_of, write_part
from probing.errors import ProbingError


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the named parts; return 2 for errors that the user can fix."""
    parser = parser_of("attention", __doc__, PARTS, PRESETS, "extract.threads=1")
    parser.add_argument("--treebank", type=Path, required=True, help="folder of a treebank in CoNLL-U")
    return make_parts("attention", parser, PARTS, _make, arguments)


def _make(name: str, options: argparse.Namespace) -> None:
    if not options.treebank.exists():
        raise ProbingError(f"--treebank {options.treebank}: no such folder; give a treebank in CoNLL-U")
    part, preset = PARTS[name], PRESETS[options.preset]
    shared = [f"task.path={options.treebank}", *preset.size, f"paths.root={options.root}", *preset.model]
    rows = pd.concat(frames([*part.overrides, *shared, *options.overrides]), ignore_index=True)
    write_part(name, part, rows, options.root / "attention" / options.preset)


if __name__ == "__main__":
    sys.exit(main())
