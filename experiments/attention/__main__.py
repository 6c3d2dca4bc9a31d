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

from experiments.arguments import Parser
from experiments.attention.parts import PARTS, Part
from experiments.attention.presets import PRESETS
from experiments.runs import frames
from probing.errors import ProbingError


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the named parts; return 2 for errors that the user can fix."""
    try:
        options = _parser().parse_intermixed_args(arguments)
        for name in list(PARTS) if options.part == "all" else [options.part]:
            _make(name, PARTS[name], options)
    except ProbingError as error:
        print(f"attention: {error}", file=sys.stderr)
        return 2
    return 0


def _make(name: str, part: Part, options: argparse.Namespace) -> None:
    if not options.treebank.exists():
        raise ProbingError(f"--treebank {options.treebank}: no such folder; give a treebank in CoNLL-U")
    preset = PRESETS[options.preset]
    shared = [f"task.path={options.treebank}", *preset.size, f"paths.root={options.root}", *preset.model]
    rows = pd.concat(frames([*part.overrides, *shared, *options.overrides]), ignore_index=True)
    folder = options.root / "attention" / options.preset
    folder.mkdir(parents=True, exist_ok=True)
    table = part.make(rows, folder / name)
    table.to_csv(folder / f"{name}-table.csv", index=False)
    print(f"\n{part.what}\n{table.to_string(index=False, float_format='{:.3f}'.format)}\n{folder / name}*")


def _parser() -> Parser:
    parser = Parser(
        prog="python -m experiments.attention",
        description=__doc__,
        epilog="\n".join(f"{name:>12}  {part.what}" for name, part in PARTS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("part", choices=[*PARTS, "all"], help="the table or figure to make")
    parser.add_argument("--treebank", type=Path, required=True, help="folder of a treebank in CoNLL-U")
    parser.add_argument("--preset", choices=list(PRESETS), default="small")
    parser.add_argument("--root", type=Path, default=Path("outputs"))
    parser.add_argument("overrides", nargs="*", help="overrides as for probing, such as extract.threads=1")
    return parser


if __name__ == "__main__":
    sys.exit(main())
