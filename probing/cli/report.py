"""`probing report`: the page of all results under a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from probing.cli.destination import target
from probing.cli.selection import parse
from probing.errors import ProbingError
from probing.io.streams import complain, output
from probing.page.report import is_page, report

USAGE = """\
probing report [DIR | paths.root=outputs] [out=report.html] [overwrite=false]

Writes one HTML page of all results of a folder and prints its path. The page opens in any browser, without a
network. It shows every grid, sorts and compares them, and gives the command behind each of them.

  paths.root=DIR   folder of results; DIR alone is the same
  out=PATH         file to write; without it, report.html in the folder of results, which is rewritten
  overwrite=true   replace an existing file of that name

Examples
  probing report
  probing report paths.root=/data/probing
  probing report /data/probing out=page.html
"""


def command(words: Sequence[str]) -> None:
    """Run `probing report`: write the page and print its path; a page of probing is rewritten.

    Raises:
        ProbingError: If a word is not understood, the page cannot be written, or it would replace a file.
    """
    known = {"root", "paths.root", "out", "overwrite"}
    named = [word for word in words if word.partition("=")[0] in known]
    folders = [word for word in words if word not in named]
    unknown = folders[1:] or [word for word in folders if "=" in word and not Path(word).is_dir()]
    if unknown:
        word = unknown[0].partition("=")[0]
        raise ProbingError(f"report: cannot use {word!r}; give [paths.root=outputs] [out=report.html]")
    asked = parse([*named, *(f"root={folder}" for folder in folders)], "probing report --help")
    root, out = target(asked, "report.html")
    path = out.path if out.chosen else Path(root) / "report.html"
    if path.is_file() and not out.overwrite:
        _check_old(path, chosen=out.chosen)
    output().write(f"{report(root, path)}\n")


def _check_old(path: Path, *, chosen: bool) -> None:
    """Report that the default page is rewritten, and refuse to replace any other file."""
    if chosen:
        raise ProbingError(f"out={path} exists; give overwrite=true or another out=")
    if not is_page(path):
        raise ProbingError(f"{path} exists and is not a page of probing; give overwrite=true or out=")
    complain(f"probing: {path} is rewritten")
