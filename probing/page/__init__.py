"""One self-contained HTML page of all results under a folder, to look at, compare and quote from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from probing.errors import ProbingError
from probing.io.streams import complain, output
from probing.validation.arguments import checked


@checked()
def report(root: str | Path = "outputs", out: str | Path | None = None) -> Path:
    """Write the page of the results that lie under a folder.

    A folder without results gives a page that says what to run; a damaged result file is named on the page
    and left out.

    Args:
        root: The folder that `paths.root` named.
        out: The file to write; None writes `<root>/report.html`.

    Returns:
        The file that was written.

    Raises:
        ProbingError: If there is no such folder, or `out` is a folder.
    """
    from probing.io.files import replace_file
    from probing.page.collect import collect
    from probing.page.document import document

    folder = Path(root)
    path = folder / "report.html" if out is None else Path(out)
    if path.is_dir():
        raise ProbingError(f"out={path} is a folder; give a file, out={path / 'report.html'}")
    found = collect(folder)
    replace_file(path, document(found).encode())
    for damaged in found.damaged:
        complain(f"probing: left out {damaged.file}: {damaged.problem}")
    return path


def command(words: Sequence[str]) -> None:
    """`probing report [paths.root=outputs] [out=report.html]`: write the page and print where it is.

    Raises:
        ProbingError: If a word is not understood, or the page cannot be written.
    """
    from probing.cli.rows import parse, places

    named = [word for word in words if word.partition("=")[0] in {"root", "paths.root", "out"}]
    folders = [word for word in words if word not in named]
    unknown = folders[1:] or [word for word in folders if "=" in word and not Path(word).is_dir()]
    if unknown:
        word = unknown[0].partition("=")[0]
        raise ProbingError(f"report: cannot use {word!r}; give [paths.root=outputs] [out=report.html]")
    asked = parse([*named, *(f"root={folder}" for folder in folders)], "probing --help")
    chosen = "out" in asked
    root, out = places(asked, "report.html")
    output().write(f"{report(root, out if chosen else None)}\n")
