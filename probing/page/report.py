"""One self-contained HTML page of all results under a folder, to look at, compare and quote from."""

from __future__ import annotations

from pathlib import Path

from probing.errors import ProbingError
from probing.io.streams import complain
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
