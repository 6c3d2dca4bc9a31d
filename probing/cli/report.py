"""`probing report`: the page of all results under a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from probing.cli.selection import parse, places
from probing.errors import ProbingError
from probing.io.streams import output
from probing.page.report import report

USAGE = """\
probing report [DIR | paths.root=outputs] [out=report.html]

Writes one HTML page of all results of a folder and prints its path. The page opens in any browser, without a
network. It shows every grid, sorts and compares them, and gives the command behind each of them.

  paths.root=DIR   folder of results; DIR alone is the same
  out=PATH         file to write; without it, report.html in the folder of results

Examples
  probing report
  probing report paths.root=/data/probing
  probing report /data/probing out=page.html
"""


def command(words: Sequence[str]) -> None:
    """Run `probing report`: write the page and print its path.

    Raises:
        ProbingError: If a word is not understood, or the page cannot be written.
    """
    named = [word for word in words if word.partition("=")[0] in {"root", "paths.root", "out"}]
    folders = [word for word in words if word not in named]
    unknown = folders[1:] or [word for word in folders if "=" in word and not Path(word).is_dir()]
    if unknown:
        word = unknown[0].partition("=")[0]
        raise ProbingError(f"report: cannot use {word!r}; give [paths.root=outputs] [out=report.html]")
    asked = parse([*named, *(f"root={folder}" for folder in folders)], "probing report --help")
    chosen = "out" in asked
    root, out = places(asked, "report.html")
    output().write(f"{report(root, out if chosen else None)}\n")
