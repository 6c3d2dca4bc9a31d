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

from experiments.arguments import Parser
from experiments.runs import frames
from experiments.sixteen_heads.parts import PARTS, Part
from experiments.sixteen_heads.presets import PRESETS
from probing.errors import ProbingError


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the named parts; return 2 for errors that the user can fix."""
    try:
        options = _parser().parse_intermixed_args(arguments)
        for name in list(PARTS) if options.part == "all" else [options.part]:
            _make(name, PARTS[name], options)
    except ProbingError as error:
        print(f"sixteen_heads: {error}", file=sys.stderr)
        return 2
    return 0


def _make(name: str, part: Part, options: argparse.Namespace) -> None:
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
    folder = options.root / "sixteen_heads" / options.preset
    folder.mkdir(parents=True, exist_ok=True)
    table = part.make(rows, folder / name)
    table.to_csv(folder / f"{name}-table.csv", index=False)
    print(f"\n{part.what}\n{table.to_string(index=False, float_format='{:.3f}'.format)}\n{folder / name}*")


def _parser() -> Parser:
    parser = Parser(
        prog="python -m experiments.sixteen_heads",
        description=__doc__,
        epilog="\n".join(f"{name:>10}  {part.what}" for name, part in PARTS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("part", choices=[*PARTS, "all"], help="the table or figure to make")
    parser.add_argument("--preset", choices=list(PRESETS), default="small")
    parser.add_argument("--root", type=Path, default=Path("outputs"))
    parser.add_argument("overrides", nargs="*", help="overrides as for probing, such as analysis.how=mean")
    parser.add_argument("--data", type=Path, help="SentEval's data folder; files are downloaded by default")
    return parser


if __name__ == "__main__":
    sys.exit(main())
