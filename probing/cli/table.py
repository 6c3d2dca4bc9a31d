"""`probing table`: results as a table for a paper or an issue."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from probing.cli.destination import target
from probing.cli.selection import choose, parse, values
from probing.errors import ProbingError
from probing.io.files import replace_file
from probing.io.streams import output
from probing.results.load import load_results
from probing.results.tables.make import table
from probing.validation.suggestions import suggest

USAGE = """\
probing table [column=value ...] [format=markdown] [rows=task columns=model] [value=test]
              [summary=best|mean] [paths.root=outputs] [out=file] [overwrite=false]

Prints the rows of probing.load_results(root) whose columns have the given values (several separated by
commas) as a table, or writes it to out. One run gives its grid of layers x heads, with the best cell in
bold. Several give a row for each grid. With rows and columns, each grid is one score, and the best of each
row is in bold. Rows of baselines are included only if they are requested, as with baseline=untrained.

  probing table task=grammar/tense granularity=head
  probing table rows=task columns=model format=latex out=scores.tex
  probing table analysis=ablation task=grammar/tense,grammar/depth

format is markdown, latex (needs the package booktabs), csv or text. Without format=, the end of out decides:
.md, .tex, .csv or .txt.
"""
_ENDS = {".md": "markdown", ".tex": "latex", ".csv": "csv", ".txt": "text"}
_OPTIONS = ("format", "rows", "columns", "value", "summary")


def command(words: Sequence[str]) -> None:
    """Run `probing table [column=value ...]`: print the table, or write it to `out` and print the path.

    Raises:
        ProbingError: If there is no such column, format or setting, or no row matches.
    """
    asked = parse(words, "probing table --help")
    written = "out" in asked
    root, where = target(asked, "table.md")
    out = where.path
    options = {name: asked.pop(name) for name in _OPTIONS if name in asked}
    if "format" not in options:
        options["format"] = _format_of(out) if written else "markdown"
    rows = choose(load_results(root), {name: values(value) for name, value in asked.items()}, root)
    text = table(rows, **options)  # type: ignore[arg-type]
    if not written:
        output().write(text)
        return
    if out.is_dir():
        raise ProbingError(f"out={out} is a folder; give a file, out={out / 'table.md'}")
    (file,) = where.write(partial(_written, text))
    output().write(f"{file}\n")


def _written(text: str, path: Path) -> tuple[Path]:
    replace_file(path, text.encode())
    return (path,)


def _format_of(out: Path) -> str:
    """Return the format that the end of a path names.

    Raises:
        ProbingError: If it names none.
    """
    if out.suffix not in _ENDS:
        known = suggest(out.suffix, list(_ENDS))
        raise ProbingError(f"out={out}: the end {out.suffix!r} names no format; {known}; or give format=")
    return _ENDS[out.suffix]
