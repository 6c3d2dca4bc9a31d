"""The command line of a study of tables and figures, each made of the rows of its own runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import pandas as pd

from experiments.arguments import Parser
from probing.errors import ProbingError


class StudyPart(Protocol):
    """A table or figure."""

    @property
    def what(self) -> str:
        """Description, with its number in the paper."""

    @property
    def make(self) -> Callable[[pd.DataFrame, Path], pd.DataFrame]:
        """Function that writes it below a path without suffix and returns the table to print."""


def parser_of(
    name: str, about: str | None, parts: Mapping[str, StudyPart], presets: Iterable[str], example: str
) -> Parser:
    """Return the parser of a study, to which its own options are added.

    Args:
        name: Module of the study below `experiments`.
        about: Its docstring.
        parts: Its tables and figures.
        presets: Names of its sizes; `small` is the default.
        example: An override, for the help.
    """
    width = max(map(len, parts)) + 2
    parser = Parser(
        prog=f"python -m experiments.{name}",
        description=about,
        epilog="\n".join(f"{part:>{width}}  {parts[part].what}" for part in parts),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("part", choices=[*parts, "all"], help="the table or figure to make")
    parser.add_argument("--preset", choices=list(presets), default="small")
    parser.add_argument("--root", type=Path, default=Path("outputs"))
    parser.add_argument("overrides", nargs="*", help=f"overrides as for probing, such as {example}")
    return parser


def make_parts(
    name: str,
    parser: Parser,
    parts: Iterable[str],
    make: Callable[[str, argparse.Namespace], None],
    arguments: Sequence[str] | None,
) -> int:
    """Make the part that the command line names, or all; return 2 for errors that the user can fix."""
    try:
        options = parser.parse_intermixed_args(arguments)
        for part in list(parts) if options.part == "all" else [options.part]:
            make(part, options)
    except ProbingError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 2
    return 0


def write_part(name: str, part: StudyPart, rows: pd.DataFrame, folder: Path) -> None:
    """Write the picture and the table of a part, and print the table."""
    folder.mkdir(parents=True, exist_ok=True)
    table = part.make(rows, folder / name)
    table.to_csv(folder / f"{name}-table.csv", index=False)
    print(f"\n{part.what}\n{table.to_string(index=False, float_format=_short)}\n{folder / name}*")


def place(row: pd.Series) -> str:
    """Return the text `layer.head`."""
    return f"{row['layer']}.{row['head']}"


def _short(value: float) -> str:
    """Three decimals, or a power of ten where these would be zeros."""
    return f"{value:.3f}" if abs(value) >= 0.001 or value == 0 else f"{value:.0e}"
