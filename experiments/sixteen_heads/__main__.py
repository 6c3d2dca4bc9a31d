"""Study after "Are Sixteen Heads Really Better than One?" (Michel, Levy & Neubig, NeurIPS 2019).

    python -m experiments.sixteen_heads remove --data SentEval/data
    python -m experiments.sixteen_heads curve --preset full model=hf model.name=runs/mnli objective=classifier

Missing runs of a part are run first. Further words are overrides of every run; `task=a,b` replaces the
tasks of the preset.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from experiments.runs import frames
from experiments.sixteen_heads.parts import PARTS
from experiments.sixteen_heads.presets import PRESETS
from experiments.study import make_parts, parser_of, write_part
from probing.errors import ProbingError


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the named parts; return 2 for errors that the user can fix."""
    parser = parser_of("sixteen_heads", __doc__, PARTS, PRESETS, "analysis.how=mean")
    parser.add_argument("--data", type=Path, help="SentEval's data folder; files are downloaded by default")
    return make_parts("sixteen_heads", parser, PARTS, _make, arguments)


def _make(name: str, options: argparse.Namespace) -> None:
    part = PARTS[name]
    if options.data and not options.data.is_dir():
        raise ProbingError(f"--data {options.data}: no such folder; give SentEval's data folder")
    preset = PRESETS[options.preset]
    tasks = [word for word in options.overrides if word.startswith("task=")] or [
        f"task={','.join(preset.tasks)}"
    ]
    more = [word for word in options.overrides if not word.startswith("task=")]
    root = [f"task.root={options.data}"] if options.data else []
    shared = [*tasks, *preset.overrides, *root, f"paths.root={options.root}", *more]
    rows = pd.concat([row for own in part.analyses for row in frames([*own, *shared])], ignore_index=True)
    write_part(name, part, rows, options.root / "sixteen_heads" / options.preset)


if __name__ == "__main__":
    sys.exit(main())
